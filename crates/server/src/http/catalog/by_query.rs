//! `GET` and `POST /entities/by-query`.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_catalog::{Direction, FullText, Order, Query};
use callboard_model::api::EntityPage;
use callboard_model::api::described::Entity;

use super::query;
use super::schema::QueryRequest;
use crate::http::body::Fields;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::Params;
use crate::http::state::App;

const PARAMS: [&str; 9] = [
    "cursor",
    "limit",
    "offset",
    "filter",
    "fields",
    "orderField",
    "fullTextFilterTerm",
    "fullTextFilterFields",
    "totalItems",
];

const TOTAL: [&str; 2] = ["include", "exclude"];

/// A page of entities.
#[utoipa::path(get, path = "/entities/by-query", tag = "catalog", operation_id = "GetEntitiesByQuery",
    params(
        ("cursor" = Option<String>, Query, description = "From `pageInfo` of another page; then only `limit` and `fields` count beside it"),
        ("limit" = Option<u64>, Query, description = "200 where absent; 0 only counts"),
        ("offset" = Option<u64>, Query),
        ("filter" = Option<Vec<String>>, Query),
        ("fields" = Option<Vec<String>>, Query, explode = false),
        ("orderField" = Option<Vec<String>>, Query, description = "`<field>` or `<field>,desc`; entities without the field are left out"),
        ("fullTextFilterTerm" = Option<String>, Query),
        ("fullTextFilterFields" = Option<Vec<String>>, Query, explode = false),
        ("totalItems" = Option<String>, Query, description = "`include` or `exclude`"),
    ),
    responses((status = 200, body = EntityPage<Entity>)))]
pub(super) async fn get(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> Result<Response> {
    let query = read_params(&Params::read(raw.as_deref(), &PARAMS)?)?;
    Ok(json(&app.catalog.query(&caller.access, &query).await?))
}

/// The same, asked with a predicate.
#[utoipa::path(post, path = "/entities/by-query", tag = "catalog", operation_id = "QueryEntitiesByPredicate",
    request_body = QueryRequest,
    responses((status = 200, body = EntityPage<Entity>)))]
pub(super) async fn post(
    State(app): State<App>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    body: Fields,
) -> Result<Response> {
    Params::read(raw.as_deref(), &[])?;
    let query = read_body(&body)?;
    Ok(json(&app.catalog.query(&caller.access, &query).await?))
}

fn read_params(params: &Params) -> Result<Query> {
    let order = params.many("orderField").iter().map(|order| Order::parse_suffixed(order)).collect::<Result<_, _>>()?;
    let full_text = params.one("fullTextFilterTerm")?.map(|term| FullText {
        term: term.to_owned(),
        fields: params.list("fullTextFilterFields").unwrap_or_default(),
    });
    Ok(Query {
        filter: query::filter(params)?,
        order,
        full_text,
        limit: params.integer("limit")?.unwrap_or(Query::DEFAULT_LIMIT),
        offset: params.integer("offset")?.unwrap_or(0),
        cursor: params.one("cursor")?.map(ToOwned::to_owned),
        total: params.word("totalItems", &TOTAL)? != Some("exclude"),
        fields: params.list("fields").unwrap_or_default(),
        bytes: None,
    })
}

fn read_body(body: &Fields) -> Result<Query> {
    let cursor = body.text("cursor")?;
    if cursor == Some("") {
        return Err(ApiError::input("request/body/cursor must NOT have fewer than 1 characters"));
    }
    let total = body.text("totalItems")?;
    if total.is_some_and(|total| !TOTAL.contains(&total)) {
        return Err(ApiError::input(
            "request/body/totalItems must be equal to one of the allowed values: include, exclude",
        ));
    }
    let full_text = match body.object("fullTextFilter")? {
        None => None,
        Some(filter) => filter
            .text("term")?
            .filter(|term| !term.is_empty())
            .map(ToOwned::to_owned)
            .map(|term| Ok::<_, ApiError>(FullText { term, fields: filter.texts("fields")?.unwrap_or_default() })),
    };
    Ok(Query {
        filter: query::predicate(body)?,
        order: body.objects("orderBy")?.iter().map(order).collect::<Result<_>>()?,
        full_text: full_text.transpose()?,
        limit: body.integer("limit")?.unwrap_or(Query::DEFAULT_LIMIT),
        offset: body.integer("offset")?.unwrap_or(0),
        cursor: cursor.map(ToOwned::to_owned),
        total: total != Some("exclude"),
        fields: body.texts("fields")?.unwrap_or_default(),
        bytes: None,
    })
}

fn order(item: &Fields) -> Result<Order> {
    let direction = match item.required("order")? {
        "asc" => Direction::Asc,
        "desc" => Direction::Desc,
        _ => {
            return Err(ApiError::input(
                "request/body/orderBy/order must be equal to one of the allowed values: asc, desc",
            ));
        }
    };
    Ok(Order { field: item.required("field")?.to_owned(), direction })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_two_forms_say_the_same() {
        fn check(params: &str, body: Value) {
            let asked = read_params(&Params::read(Some(params), &PARAMS).unwrap()).unwrap();
            let Value::Object(map) = body else { panic!("an object is needed") };
            assert_eq!(asked, read_body(&Fields(map)).unwrap(), "{params}");
        }
        check("", json!({}));
        check("limit=0&totalItems=exclude", json!({"limit": 0, "totalItems": "exclude"}));
        check("offset=3&cursor=abc", json!({"offset": 3, "cursor": "abc"}));
        check(
            "orderField=metadata.name,desc&orderField=kind",
            json!({"orderBy": [{"field": "metadata.name", "order": "desc"}, {"field": "kind", "order": "asc"}]}),
        );
        check(
            "fullTextFilterTerm=pet&fullTextFilterFields=metadata.name,metadata.title",
            json!({"fullTextFilter": {"term": "pet", "fields": ["metadata.name", "metadata.title"]}}),
        );
        check("fields=kind,metadata.name", json!({"fields": ["kind", "metadata.name"]}));
        check("filter=kind=api", json!({"query": {"kind": "API"}}));
    }

    #[test]
    fn bad_bodies() {
        fn check(body: Value, expected: &str) {
            let Value::Object(map) = body else { panic!("an object is needed") };
            let message = read_body(&Fields(map)).unwrap_err().message;
            assert!(message.starts_with(expected), "{message}");
        }
        check(json!({"cursor": ""}), "request/body/cursor must NOT have fewer than 1 characters");
        check(json!({"limit": "x"}), "request/body/limit must be number");
        check(json!({"query": []}), "Invalid query");
        check(json!({"query": "kind=api"}), "Invalid query");
        check(json!({"query": {"kind": {"$matches": "x"}}}), "Invalid query");
        check(json!({"orderBy": [{"field": "kind"}]}), "request/body must have required property 'order'");
        check(json!({"orderBy": [{"field": "kind", "order": "up"}]}), "request/body/orderBy/order must be equal");
        check(json!({"totalItems": "maybe"}), "request/body/totalItems must be equal");
    }
}
