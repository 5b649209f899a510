//! Reading: what is asked, and what is answered.

use std::sync::Arc;

use callboard_model::filter::Predicate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;

mod cursor;
mod direct;
mod documents;
pub(crate) mod facets;
mod fields;
mod leaf;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod matching;
pub(crate) mod names;
mod order;
pub(crate) mod page;
mod relations;
pub(crate) mod remembered;
mod select;
mod values;

pub use lookup::look_up;

/// An entity as it goes out: JSON text that is passed on as it is, and that a process may remember.
pub type Document = Arc<RawValue>;

/// `GET` and `POST /entities/by-query`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What must hold.
    pub filter: Option<Predicate>,
    /// The order; only the first field counts, and entities without it are left out.
    pub order: Vec<Order>,
    /// Text to look for.
    pub full_text: Option<FullText>,
    /// At most so many; 0 counts only.
    pub limit: u64,
    /// How many to skip, on the first page.
    pub offset: u64,
    /// Goes on where another answer ended. Of the rest only `limit`, `fields` and `total` are then honoured.
    pub cursor: Option<String>,
    /// Whether to count.
    pub total: bool,
    /// The only parts to answer with; empty for everything.
    pub fields: Vec<String>,
    /// Ends a page early, after at least one entity, before it has more than so many bytes. No more than a few entities
    /// are read beyond that.
    pub bytes: Option<usize>,
}

impl Default for Query {
    fn default() -> Self {
        Query {
            filter: None,
            order: Vec::new(),
            full_text: None,
            limit: Query::DEFAULT_LIMIT,
            offset: 0,
            cursor: None,
            total: true,
            fields: Vec::new(),
            bytes: None,
        }
    }
}

impl Query {
    /// The page size of whoever does not say.
    pub const DEFAULT_LIMIT: u64 = 200;
}

/// A field to sort by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Such as `metadata.name`.
    pub field: String,
    /// Which way.
    #[serde(rename = "order")]
    pub direction: Direction,
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smallest first.
    #[default]
    Asc,
    /// Largest first.
    Desc,
}

impl Order {
    /// `asc:metadata.name`, as in `GET /entities`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse_prefixed(text: &str) -> Result<Order, Error> {
        let (direction, field) = match text.split_once(':') {
            Some(("asc", field)) if !field.is_empty() => (Direction::Asc, field),
            Some(("desc", field)) if !field.is_empty() => (Direction::Desc, field),
            _ => {
                return Err(Error::Input(format!(
                    "Invalid order parameter \"{text}\": write asc: or desc: and a field, such as asc:metadata.name"
                )));
            }
        };
        Ok(Order { field: field.to_owned(), direction })
    }

    /// `metadata.name` or `metadata.name,desc`, as in `GET /entities/by-query`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse_suffixed(text: &str) -> Result<Order, Error> {
        let (field, direction) = match text.split_once(',') {
            None => (text, Direction::Asc),
            Some((field, "asc")) => (field, Direction::Asc),
            Some((field, "desc")) => (field, Direction::Desc),
            Some((_, other)) => {
                return Err(Error::Input(format!("Invalid order field order \"{other}\": write asc or desc")));
            }
        };
        if field.is_empty() {
            return Err(Error::Input("The order field is empty: write a field, such as metadata.name".to_owned()));
        }
        Ok(Order { field: field.to_owned(), direction })
    }
}

/// Text to look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullText {
    /// In any case, anywhere in a value.
    pub term: String,
    /// Where; empty for the field of the order, or `metadata.uid` without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// `GET /entities`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListQuery {
    /// What must hold.
    pub filter: Option<Predicate>,
    /// The order.
    pub order: Vec<Order>,
    /// At least 1. This, `offset` or `after` asks for pages.
    pub limit: Option<u64>,
    /// How many to skip.
    pub offset: Option<u64>,
    /// Goes on where another answer ended.
    pub after: Option<String>,
    /// The only parts to answer with; empty for everything.
    pub fields: Vec<String>,
}

/// What `GET /entities` answers.
#[derive(Debug, Default)]
pub struct ListPage {
    /// The entities.
    pub items: Vec<Document>,
    /// The `after` of the next page, for the header `Link`.
    pub next: Option<String>,
}

/// `GET /entities/by-name/…/ancestry`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ancestry {
    /// What was asked for.
    pub root_entity_ref: String,
    /// The entity, then everything that it comes from.
    pub items: Vec<AncestryItem>,
}

/// An entity with the entities that it was read from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AncestryItem {
    /// The entity.
    pub entity: Document,
    /// Refs.
    pub parent_entity_refs: Vec<String>,
}
