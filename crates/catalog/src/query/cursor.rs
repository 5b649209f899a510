//! Cursors: base64 of JSON. They are opaque to clients but for one thing: the official one looks whether there is a
//! `query` in it, to decide whether to go on with POST.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use callboard_model::filter::Predicate;
use serde::{Deserialize, Serialize};

use super::{FullText, Order, Query};
use crate::Error;

/// Where a list is, and what it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cursor {
    #[serde(rename = "orderFields", default)]
    pub(super) order: Vec<Order>,
    #[serde(default)]
    pub(super) is_previous: bool,
    #[serde(rename = "fullTextFilter", default, skip_serializing_if = "Option::is_none")]
    pub(super) full_text: Option<FullText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<Predicate>,
    /// None on the first page.
    #[serde(rename = "orderFieldValues", default, with = "position", skip_serializing_if = "Option::is_none")]
    pub(super) position: Option<Position>,
    /// Where the list begins.
    #[serde(rename = "firstSortFieldValues", default, with = "position", skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Position>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total_items: Option<u64>,
}

/// The place of an entity in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Where there is an order.
    pub(super) value: Option<String>,
    pub(super) uid: String,
}

impl Cursor {
    /// The start of a list.
    pub(super) fn of(query: &Query) -> Cursor {
        Cursor {
            order: query.order.iter().take(1).cloned().collect(),
            is_previous: false,
            full_text: query.full_text.clone(),
            query: query.filter.clone(),
            position: None,
            first: None,
            total_items: None,
        }
    }

    pub(super) fn decode(text: &str) -> Result<Cursor, Error> {
        let malformed = |reason: &dyn std::fmt::Display| Error::Input(format!("Malformed cursor: {reason}"));
        let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|engine| engine.decode(text).ok())
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| malformed(&"it is not base64"))?;
        let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
        let misplaced = cursor.position.as_ref().is_some_and(|at| at.value.is_some() == cursor.order.is_empty());
        if cursor.position.is_none() || misplaced {
            return Err(malformed(&"it does not say where to go on"));
        }
        Ok(cursor)
    }

    pub(super) fn encode(&self) -> String {
        // A value of this program always serializes; an empty cursor would be refused as malformed.
        STANDARD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The same list, at another place.
    pub(super) fn at(&self, position: &Position, first: &Position, is_previous: bool) -> Cursor {
        Cursor { is_previous, position: Some(position.clone()), first: Some(first.clone()), ..self.clone() }
    }
}

/// `[uid]`, or `[value, uid]`.
mod position {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use super::Position;

    pub(super) fn serialize<S: Serializer>(position: &Option<Position>, serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<&String> =
            position.iter().flat_map(|position| position.value.iter().chain([&position.uid])).collect();
        list.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Position>, D::Error> {
        let mut list = Vec::<String>::deserialize(deserializer)?;
        match (list.pop(), list.pop(), list.is_empty()) {
            (Some(uid), value, true) => Ok(Some(Position { value, uid })),
            (None, ..) => Ok(None),
            _ => Err(de::Error::custom("a place has one or two parts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn decoded() {
        fn check(text: &str, expected: Result<&str, &str>) {
            let found = Cursor::decode(text);
            match (found, expected) {
                (Ok(cursor), Ok(uid)) => assert_eq!(cursor.position.unwrap().uid, uid),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, expected) => unreachable!("{text}: {found:?}, {expected:?}"),
            }
        }
        let encode = |value: serde_json::Value| STANDARD.encode(value.to_string());
        check(&encode(json!({"orderFields": [], "orderFieldValues": ["u"]})), Ok("u"));
        check(
            &encode(json!({"orderFields": [{"field": "kind", "order": "desc"}], "orderFieldValues": ["api", "u"]})),
            Ok("u"),
        );
        check(&encode(json!({"orderFields": [], "orderFieldValues": ["api", "u"]})), Err("where to go on"));
        check(&encode(json!({"orderFields": [], "orderFieldValues": ["a", "b", "c"]})), Err("one or two parts"));
        check(&encode(json!({"orderFields": []})), Err("where to go on"));
        check(&encode(json!({"orderFieldValues": ["u"], "query": {"$nope": 1}})), Err("Malformed cursor"));
        check("", Err("not base64"));
        check("%%%", Err("not base64"));
        check(&STANDARD.encode("{"), Err("Malformed cursor"));
    }
}
