//! What a list asks the catalog: the predicate, the order and the page, as the API's JSON.

use callboard_model::entity_ref::EntityRef;
use serde_json::{Map, Value, json};

use crate::entity::Item;
use crate::list_state::{Facet, ListState, Whose};

/// A page's worth of questions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    /// Which entities.
    pub predicate: Value,
    /// The field that orders them.
    pub order: &'static str,
    /// Largest first.
    pub descending: bool,
    /// A part of a name.
    pub text: String,
    /// The first row.
    pub offset: u64,
    /// How many rows.
    pub limit: u64,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    /// Entities in all.
    pub total: u64,
    /// Those of this page.
    pub rows: Vec<Item>,
}

const NAME: &str = "metadata.name";

impl Query {
    /// What the state of a list asks. `refs` are the reader and their groups, or what the reader has starred, as the state
    /// wants.
    pub(crate) fn of(state: &ListState, refs: &[String]) -> Self {
        Self {
            predicate: predicate(state, refs, None),
            order: order_field(&state.sort),
            descending: state.descending,
            text: state.text.trim().to_owned(),
            offset: state.offset,
            limit: state.limit,
        }
    }

    /// The body of `POST /entities/by-query`.
    pub(crate) fn body(&self, fields: &[&str]) -> Value {
        self.body_of(&self.predicate, self.order, self.descending, self.offset, self.limit, fields)
    }

    /// The bodies for the entities that lack the field of the order, by offset and limit; none where all have it.
    pub(crate) fn rest_body<'a>(&'a self, fields: &'a [&str]) -> Option<impl Fn(u64, u64) -> Value + 'a> {
        let lacking = json!({ "$all": [self.predicate, { self.order: { "$exists": false } }] });
        (self.order != NAME).then_some(move |offset, limit| self.body_of(&lacking, NAME, false, offset, limit, fields))
    }

    fn body_of(
        &self,
        predicate: &Value,
        order: &str,
        descending: bool,
        offset: u64,
        limit: u64,
        fields: &[&str],
    ) -> Value {
        let text = (!self.text.is_empty()).then(|| {
            json!({ "term": self.text, "fields": [NAME, "metadata.title", "spec.profile.displayname", "metadata.tags"] })
        });
        let mut body = Map::from_iter([
            ("query".to_owned(), predicate.clone()),
            ("orderBy".to_owned(), json!([{ "field": order, "order": if descending { "desc" } else { "asc" } }])),
            ("offset".to_owned(), offset.into()),
            ("limit".to_owned(), limit.into()),
            ("fields".to_owned(), fields.into()),
        ]);
        body.extend(text.map(|text| ("fullTextFilter".to_owned(), text)));
        body.into()
    }
}

/// Which entities a list shows. For the counts beside a facet's values, `without` is that facet: its own choice must
/// not hide the others.
pub(crate) fn predicate(state: &ListState, refs: &[String], without: Option<Facet>) -> Value {
    let mut all = Vec::new();
    if without != Some(Facet::Kind) {
        all.push(match &state.kind {
            Some(kind) => json!({ "kind": kind }),
            // A bucket brings one Location per object: they are how entities came here, not what people look for.
            None => json!({ "$not": { "kind": "location" } }),
        });
    }
    for facet in Facet::LISTS {
        let values = state.values(facet);
        if without != Some(facet) && !values.is_empty() {
            all.push(json!({ facet.field(): { "$in": values } }));
        }
    }
    match state.whose {
        Whose::All => {}
        Whose::Owned => all.push(json!({ "relations.ownedBy": { "$in": refs } })),
        Whose::Starred => all.push(json!({ "$any": one_of(refs) })),
    }
    json!({ "$all": all })
}

/// A predicate for each ref.
fn one_of(refs: &[String]) -> Vec<Value> {
    let parsed = refs.iter().filter_map(|text| EntityRef::parse(text, None, None).ok());
    let one = |one: EntityRef| {
        let (kind, namespace, name) = (one.kind(), one.namespace(), one.name());
        json!({ "kind": kind, "metadata.namespace": namespace, "metadata.name": name })
    };
    parsed.take(MOST_REFS).map(one).collect()
}

/// Each of them is three conditions, of which the server takes 4,000.
const MOST_REFS: usize = 1_000;

fn order_field(column: &str) -> &'static str {
    match column {
        "kind" => "kind",
        "type" => "spec.type",
        "owner" => "spec.owner",
        "system" => "spec.system",
        "lifecycle" => "spec.lifecycle",
        _ => NAME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_a_predicate() {
        let mine = ["user:default/ada".to_owned()];
        for (search, without, expected) in [
            ("", None, json!({ "$all": [{ "$not": { "kind": "location" } }] })),
            ("filters[kind]=API", None, json!({ "$all": [{ "kind": "api" }] })),
            ("filters[kind]=api", Some(Facet::Kind), json!({ "$all": [] })),
            (
                "filters[type]=openapi&filters[owners]=group:default/a&filters[owners]=user:default/b",
                Some(Facet::Type),
                json!({ "$all": [
                    { "$not": { "kind": "location" } },
                    { "relations.ownedBy": { "$in": ["group:default/a", "user:default/b"] } },
                ] }),
            ),
            (
                "filters[kind]=system&filters[user]=owned",
                None,
                json!({ "$all": [{ "kind": "system" }, { "relations.ownedBy": { "$in": ["user:default/ada"] } }] }),
            ),
            (
                "filters[kind]=user&filters[user]=starred",
                None,
                json!({ "$all": [{ "kind": "user" }, { "$any": [
                    { "kind": "user", "metadata.namespace": "default", "metadata.name": "ada" },
                ] }] }),
            ),
        ] {
            assert_eq!(predicate(&ListState::parse(search), &mine, without), expected, "{search}");
        }
    }

    #[test]
    fn what_lacks_the_order_follows() {
        let query = Query::of(&ListState::parse("sort=-owner&filters[text]= pet "), &[]);
        let body = query.body(&["kind"]);
        assert_eq!(body["orderBy"], json!([{ "field": "spec.owner", "order": "desc" }]));
        assert_eq!(body["fullTextFilter"]["term"], "pet");
        let rest = query.rest_body(&["kind"]).unwrap()(5, 15);
        assert_eq!(rest["query"]["$all"][1], json!({ "spec.owner": { "$exists": false } }));
        assert_eq!((&rest["offset"], &rest["limit"]), (&json!(5), &json!(15)));
        assert!(Query::of(&ListState::parse(""), &[]).rest_body(&[]).is_none());
    }
}
