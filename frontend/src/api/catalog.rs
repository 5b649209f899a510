//! `/api/catalog`.

use callboard_model::api::{EntityPage, FacetValue, Facets};
use callboard_model::entity_ref::EntityRef;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{self, ApiError, segment};
use crate::entity::Item;
use crate::list_state::ListState;
use crate::query::{Page, Query};

/// What a row of a list needs, without definitions, which may be megabytes.
const ROW_FIELDS: [&str; 15] = [
    "kind",
    "metadata.namespace",
    "metadata.name",
    "metadata.title",
    "metadata.description",
    "metadata.tags",
    "metadata.uid",
    "metadata.etag",
    "spec.type",
    "spec.lifecycle",
    "spec.owner",
    "spec.system",
    "spec.domain",
    "spec.profile",
    "spec.target",
];

/// A page of a list.
///
/// The server leaves out entities without the field that a list is sorted by. A reader who sorts by owner still wants
/// to see those that have none: they follow, sorted by name.
pub(crate) async fn page(query: Query) -> Result<Page, ApiError> {
    let Some(rest) = query.rest_body(&ROW_FIELDS) else {
        let page = by_query(&query.body(&ROW_FIELDS)).await?;
        return Ok(Page { total: page.total_items, rows: page.items });
    };
    let sorted = by_query(&query.body(&ROW_FIELDS)).await?;
    let missing = query.limit.saturating_sub(sorted.items.len() as u64);
    let rest = by_query(&rest(query.offset.saturating_sub(sorted.total_items), missing)).await?;
    let mut rows = sorted.items;
    rows.extend(rest.items);
    Ok(Page { total: sorted.total_items + rest.total_items, rows })
}

/// The first entities that have a text in their name, title or tags.
pub(crate) async fn find(text: String, kind: Option<&'static str>) -> Result<Vec<Item>, ApiError> {
    const SHOWN: u64 = 30;
    let state = ListState { kind: kind.map(str::to_owned), text, limit: SHOWN, ..ListState::default() };
    Ok(by_query(&Query::of(&state, &[]).body(&ROW_FIELDS)).await?.items)
}

async fn by_query(body: &Value) -> Result<EntityPage<Item>, ApiError> {
    client::post("/api/catalog/entities/by-query", body).await
}

/// The values of one facet, each with how many entities have it.
pub(crate) async fn facet(facet: &str, predicate: Value) -> Result<Vec<FacetValue>, ApiError> {
    let facets: Facets =
        client::post("/api/catalog/entity-facets", &json!({ "facets": [facet], "query": predicate })).await?;
    Ok(facets.facets.into_values().next().unwrap_or_default())
}

/// One entity, whole.
pub(crate) async fn by_name(reference: EntityRef) -> Result<Item, ApiError> {
    let (kind, namespace, name) = (reference.kind(), reference.namespace(), reference.name());
    let url = format!("/api/catalog/entities/by-name/{}/{}/{}", segment(kind), segment(namespace), segment(name));
    client::get(&url).await
}

/// What is shown of the entities that others refer to; none where there is no such entity.
pub(crate) async fn by_refs(refs: Vec<String>) -> Result<Vec<Option<Item>>, ApiError> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Option<Item>>,
    }
    let answer: Answer =
        client::post("/api/catalog/entities/by-refs", &json!({ "entityRefs": refs, "fields": ROW_FIELDS })).await?;
    Ok(answer.items)
}

/// Has the catalog read an entity's source again.
pub(crate) async fn refresh(entity_ref: &str) -> Result<(), ApiError> {
    client::post_only("/api/catalog/refresh", &json!({ "entityRef": entity_ref })).await
}
