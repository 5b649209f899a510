//! `GET /entities`.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use callboard_catalog::{ListQuery, Order};
use callboard_model::api::described::Entity;

use super::query;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::Params;
use crate::http::state::App;

const PARAMS: [&str; 6] = ["filter", "fields", "order", "limit", "offset", "after"];

/// All entities, or a page of them where `limit`, `offset` or `after` is given.
#[utoipa::path(get, path = "/entities", tag = "catalog", operation_id = "GetEntities",
    params(
        ("filter" = Option<Vec<String>>, Query, description = "Conditions: those with a comma between them all hold, and one of several filters does"),
        ("fields" = Option<Vec<String>>, Query, description = "The parts to answer with", explode = false),
        ("order" = Option<Vec<String>>, Query, description = "`asc:<field>` or `desc:<field>`"),
        ("limit" = Option<u64>, Query),
        ("offset" = Option<u64>, Query),
        ("after" = Option<String>, Query, description = "From the header `Link` of the page before"),
    ),
    responses((status = 200, description = "Entities; the header `Link` leads to the next page", body = Vec<Entity>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &PARAMS)?;
    let query = read(&params)?;
    let page = app.catalog.list(&caller.access, &query).await?;
    let body = json(&page.items);
    let Some(next) = page.next else { return Ok(body) };
    let link = HeaderValue::from_str(&link(raw.as_deref().unwrap_or_default(), &next));
    let link = link.map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::LINK, link)], body).into_response())
}

fn read(params: &Params) -> Result<ListQuery> {
    let order = params.many("order").iter().map(|order| Order::parse_prefixed(order)).collect::<Result<_, _>>()?;
    let limit = params.integer("limit")?;
    if limit == Some(0) {
        return Err(ApiError::input("Invalid limit, must be greater than zero"));
    }
    Ok(ListQuery {
        filter: query::filter(params)?,
        order,
        limit,
        offset: params.integer("offset")?,
        after: params.one("after")?.map(ToOwned::to_owned),
        fields: params.list("fields").unwrap_or_default(),
    })
}

/// Where the next page is: the same parameters, but for where to go on.
fn link(query: &str, next: &str) -> String {
    let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "offset" && name != "after");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("after", next);
    format!("</entities?{}>; rel=\"next\"", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        fn check(query: &str, expected: &str) {
            assert_eq!(link(query, "eyJ9="), expected);
        }
        check("limit=2", "</entities?limit=2&after=eyJ9%3D>; rel=\"next\"");
        check(
            "filter=kind%3Dapi&filter=a%2Cb&offset=4&limit=2&after=x",
            "</entities?filter=kind%3Dapi&filter=a%2Cb&limit=2&after=eyJ9%3D>; rel=\"next\"",
        );
        check("", "</entities?after=eyJ9%3D>; rel=\"next\"");
    }
}
