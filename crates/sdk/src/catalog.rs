//! The catalog (`callboard:host/catalog`), as the user may read it for whom the plugin is called, and of that the kinds in
//! `rights.catalog`. What either does not cover is not there.
//!
//! A provider or a processor is called for nobody: there the plugin reads what a rule of the portal's policy gives
//! `plugin:<id>`, and [`Error::Denied`] names that rule where there is none.
//!
//! ```no_run
//! use callboard_sdk::catalog::{self, Predicate, Query};
//! use callboard_sdk::{Context, Entity, Error, Ui, ui};
//!
//! /// `plugin.yaml` has
//! ///
//! ///     rights:
//! ///       catalog: { kinds: [ API, Component ] }
//! struct Consumers;
//!
//! impl Ui for Consumers {
//!     fn render(_: &Context, _extension: &str, input: &ui::Input) -> Result<ui::Tree, Error> {
//!         let api = input.entity.clone().ok_or_else(|| Error::Invalid("this is no page".to_owned()))?;
//!         let api = Entity::from_value(api).map_err(|error| Error::Invalid(error.to_string()))?.entity_ref();
//!         let consumes = Predicate::related_to("consumesApi", [api.to_string()]);
//!         let page: catalog::Page<Entity> = Query::of(consumes).order("metadata.name").limit(50).send()?;
//!         let names: Vec<&str> = page.entities.iter().map(Entity::name).collect();
//!         Ok(ui::Tree::of(names.join(", ")))
//!     }
//! }
//! ```

use serde::de::DeserializeOwned;

use crate::bindings::host::catalog;
use crate::{Entity, EntityRef, Error};

pub use callboard_model::filter::Predicate;

/// The entities with these refs, in the order of the refs; none for what is not there. At most 100 refs, and 4 MiB of
/// entities.
///
/// # Errors
/// The right is missing, there are too many refs, the entities are too large together, or the portal's database does not
/// answer.
pub fn get(refs: &[EntityRef]) -> Result<Vec<Option<Entity>>, Error> {
    let refs: Vec<String> = refs.iter().map(EntityRef::to_string).collect();
    catalog::get(&refs)?.into_iter().map(|found| found.map(|json| read(&json)).transpose()).collect()
}

/// A question to the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    filter: Predicate,
    fields: Vec<String>,
    order: Option<(String, catalog::Direction)>,
    limit: u32,
    cursor: Option<String>,
}

impl Query {
    /// The entities for which this holds, 200 to a page.
    pub fn of(filter: Predicate) -> Query {
        Query { filter, fields: Vec::new(), order: None, limit: 200, cursor: None }
    }

    /// All entities, 200 to a page.
    pub fn all() -> Query {
        Query::of(Predicate::All(Vec::new()))
    }

    /// Asks for these parts only, as dotted paths such as `metadata.name`. What is answered is then no whole entity, so
    /// [`Query::send`] has to be asked for a type with just these parts.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Query {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Sorts by a field, smallest first. Entities without it are left out.
    #[must_use]
    pub fn order(mut self, field: &str) -> Query {
        self.order = Some((field.to_owned(), catalog::Direction::Asc));
        self
    }

    /// Sorts by a field, largest first. Entities without it are left out.
    #[must_use]
    pub fn order_descending(mut self, field: &str) -> Query {
        self.order = Some((field.to_owned(), catalog::Direction::Desc));
        self
    }

    /// Asks for so many to a page, from 1 to 200. A page has fewer where they are large.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Query {
        self.limit = limit;
        self
    }

    /// Asks for the page that begins at [`Page::next`] of another. That remembers filter and order; those of this query
    /// then do not count.
    #[must_use]
    pub fn after(mut self, cursor: &str) -> Query {
        self.cursor = Some(cursor.to_owned());
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// The right is missing, the question makes no sense, an entity has more than 4 MiB, an entity is not a `T`, or the
    /// portal's database does not answer.
    pub fn send<T: DeserializeOwned>(self) -> Result<Page<T>, Error> {
        let page = catalog::query(&catalog::Request {
            filter: self.filter.to_value().to_string(),
            fields: self.fields,
            order: self.order.map(|(field, direction)| catalog::Order { field, direction }),
            limit: self.limit,
            cursor: self.cursor,
        })?;
        let entities = page.entities.iter().map(|json| read(json)).collect::<Result<_, _>>()?;
        Ok(Page { entities, next: page.next })
    }
}

/// A part of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Entities, or what [`Query::fields`] names of them.
    pub entities: Vec<T>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| Error::Invalid(format!("an entity of the catalog: {error}")))
}
