//! `callboard:host/catalog`: entities, as far as whoever the plugin is called for may read them and the plugin's grant
//! names their kinds. For whom that is was decided before the call; nothing that comes from the guest says it.

use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::rights::Rights;
use serde_json::Value;

use crate::acting::{CatalogError, CatalogOrder, CatalogQuery, CatalogReader};
use crate::bindings::catalog as wit;
use crate::bindings::types::Error;
use crate::call::{CallState, output};
use crate::limits;
use crate::plugin::Inner;
use crate::stats::Refusal;

impl wit::Host for CallState {
    async fn get(&mut self, refs: Vec<String>) -> wasmtime::Result<Result<Vec<Option<String>>, Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("catalog.get");
        let (plugin, catalog) = (self.plugin.clone(), self.acting.catalog.clone());
        self.ask(async move { get(&plugin, &*catalog, &refs).await }).await
    }

    async fn query(&mut self, request: wit::Request) -> wasmtime::Result<Result<wit::Page, Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("catalog.query");
        let (plugin, catalog) = (self.plugin.clone(), self.acting.catalog.clone());
        self.ask(async move { query(&plugin, &*catalog, request).await }).await
    }
}

async fn get(plugin: &Inner, catalog: &dyn CatalogReader, refs: &[String]) -> Result<Vec<Option<String>>, Error> {
    let granted = granted(plugin)?;
    if refs.len() > limits::CATALOG_REFS {
        return Err(Error::TooLarge(format!(
            "{} refs at once; at most {} go together",
            refs.len(),
            limits::CATALOG_REFS
        )));
    }
    let refs = refs.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let found = catalog.get(&granted, &refs).await.map_err(|error| refused(plugin, error))?;
    fits(found.iter().flatten())?;
    Ok(found)
}

async fn query(plugin: &Inner, catalog: &dyn CatalogReader, request: wit::Request) -> Result<wit::Page, Error> {
    let granted = granted(plugin)?;
    let wit::Request { filter, fields, order, limit, cursor } = request;
    if limit == 0 {
        return Err(Error::Invalid(format!("the limit is 0; a page has from 1 to {} entities", limits::CATALOG_PAGE)));
    }
    if limit > limits::CATALOG_PAGE {
        return Err(Error::TooLarge(format!("the limit is {limit}; a page has at most {}", limits::CATALOG_PAGE)));
    }
    let not_right = |error: &dyn std::fmt::Display| {
        Error::Invalid(format!("the filter is not right: {}", output::clean(&error.to_string(), 500)))
    };
    let filter: Value = serde_json::from_str(&filter).map_err(|error| not_right(&error))?;
    let filter = Predicate::from_value(&filter).map_err(|error| not_right(&error))?;
    let order =
        order.map(|order| CatalogOrder { field: order.field, descending: order.direction == wit::Direction::Desc });
    let page = catalog.query(&granted, CatalogQuery { filter, fields, order, limit, cursor }).await;
    let page = page.map_err(|error| refused(plugin, error))?;
    fits(page.entities.iter())?;
    Ok(wit::Page { entities: page.entities, next: page.next })
}

/// What the manifest asks for and app-config grants, as a condition on entities.
fn granted(plugin: &Inner) -> Result<Predicate, Error> {
    let kinds = &plugin.effective.catalog.kinds;
    if kinds.is_empty() {
        // Both sides name kinds, or the interface would not be linked.
        let line = Rights { catalog: plugin.manifest.rights.catalog.clone(), ..Rights::default() }.to_yaml();
        let place = format!("plugins.{}.grant", plugin.id);
        let denied =
            format!("app-config grants none of the kinds that the manifest asks for; add below `{place}`: {line}");
        let message = "entities of the kinds that its manifest asks for".to_owned();
        let (line, place) = (Some(line), Some(place));
        plugin.stats.denied(Refusal { right: "catalog", message, line, place, by_author: false });
        return Err(Error::Denied(denied));
    }
    Ok(Predicate::one_of("kind", kinds))
}

/// What the policy refuses goes into the statistics; its text names the rule to add.
fn refused(plugin: &Inner, error: CatalogError) -> CatalogError {
    if let CatalogError::Denied(message) = &error {
        let message = output::clean(message, 500);
        plugin.stats.denied(Refusal { right: "catalog", message, line: None, place: None, by_author: false });
    }
    error
}

fn parse(text: &str) -> Result<EntityRef, Error> {
    EntityRef::parse(text, None, None)
        .map_err(|error| Error::Invalid(format!("`{}` is no entity ref: {error}", output::clean(text, 200))))
}

/// Whether entities may cross together.
fn fits<'a>(entities: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let bytes: usize = entities.map(String::len).sum();
    if bytes > limits::BATCH_BYTES {
        return Err(Error::TooLarge(format!(
            "what was asked for has {bytes} bytes, but at most {} cross at once; ask for fewer entities, or for some of \
             their fields",
            limits::BATCH_BYTES
        )));
    }
    Ok(())
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Error {
        match error {
            CatalogError::Denied(message) => Error::Denied(message),
            CatalogError::Invalid(message) => Error::Invalid(message),
            CatalogError::TooLarge(message) => Error::TooLarge(message),
            CatalogError::Unavailable(message) => Error::Unavailable(message),
        }
    }
}
