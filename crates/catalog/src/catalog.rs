//! The way in.

use std::sync::Arc;

use callboard_model::access::Access;
use callboard_model::api::{EntityPage, Facets, ProviderInfo};
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_store::Db;
use tokio_util::sync::CancellationToken;

use crate::{
    Ancestry, Document, DryRun, EntityProvider, Error, ListPage, ListQuery, NewLocation, OnConflict, Query, Reader,
    RegisteredLocation, Settings,
};

/// The catalog. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    db: Db,
}

impl Catalog {
    /// Opens the catalog: brings its tables up to date and takes over `catalog.locations`.
    ///
    /// # Errors
    /// The settings make no sense, or the database fails or is newer than this program.
    pub async fn open(db: Db, reader: impl Reader + 'static, settings: Settings) -> Result<Catalog, Error> {
        let _ = (reader, settings);
        Ok(Catalog { db })
    }

    /// Sets what brings entities in. What providers brought that are not among them is removed, unless
    /// `catalog.orphanProviderStrategy` is `keep`.
    ///
    /// # Errors
    /// Two have the same name, one has the name of a provider of the catalog's own, or the database fails.
    pub async fn set_providers(&self, providers: Vec<Arc<dyn EntityProvider>>) -> Result<(), Error> {
        self.set_providers_keeping(providers, &[]).await
    }

    /// The same, but leaves alone what providers of the given owners brought, whether they are there or not: a plugin
    /// that cannot be loaded today should not lose its entities.
    ///
    /// # Errors
    /// As [`Catalog::set_providers`].
    pub async fn set_providers_keeping(
        &self,
        providers: Vec<Arc<dyn EntityProvider>>,
        owners: &[String],
    ) -> Result<(), Error> {
        let _ = (providers, owners, &self.db);
        Err(unfinished())
    }

    /// Runs providers and the engine until `shutdown`. What is under way is then abandoned; the next start goes on.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
    }

    /// Has a provider run now.
    ///
    /// # Errors
    /// There is no such provider.
    pub fn trigger(&self, provider: &str) -> Result<(), Error> {
        let _ = provider;
        Err(unfinished())
    }

    /// The state of every provider, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn provider_status(&self) -> Result<Vec<ProviderInfo>, Error> {
        Err(unfinished())
    }

    /// A page of entities: `/entities/by-query`.
    ///
    /// # Errors
    /// The cursor is not one of ours, a field makes no sense, or the database fails.
    pub async fn query(&self, access: &Access, query: &Query) -> Result<EntityPage<Document>, Error> {
        let _ = (access, query);
        Err(unfinished())
    }

    /// `GET /entities`.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub async fn list(&self, access: &Access, query: &ListQuery) -> Result<ListPage, Error> {
        let _ = (access, query);
        Err(unfinished())
    }

    /// An entity by its ref.
    ///
    /// # Errors
    /// The database fails.
    pub async fn by_ref(&self, access: &Access, entity_ref: &EntityRef) -> Result<Option<Document>, Error> {
        let _ = (access, entity_ref);
        Err(unfinished())
    }

    /// An entity by its uid.
    ///
    /// # Errors
    /// The database fails.
    pub async fn by_uid(&self, access: &Access, uid: &str) -> Result<Option<Document>, Error> {
        let _ = (access, uid);
        Err(unfinished())
    }

    /// Entities by their refs, in that order; none where there is none, or the ref is not in its canonical form.
    ///
    /// # Errors
    /// A field makes no sense, or the database fails.
    pub async fn by_refs(
        &self,
        access: &Access,
        refs: &[String],
        filter: Option<&Predicate>,
        fields: &[String],
    ) -> Result<Vec<Option<Document>>, Error> {
        let _ = (access, refs, filter, fields);
        Err(unfinished())
    }

    /// The values of facets, with how many entities have each.
    ///
    /// # Errors
    /// The database fails.
    pub async fn facets(
        &self,
        access: &Access,
        facets: &[String],
        filter: Option<&Predicate>,
    ) -> Result<Facets, Error> {
        let _ = (access, facets, filter);
        Err(unfinished())
    }

    /// What an entity comes from.
    ///
    /// # Errors
    /// There is no such entity, or the caller may not see it; or the database fails.
    pub async fn ancestry(&self, access: &Access, entity_ref: &EntityRef) -> Result<Ancestry, Error> {
        let _ = (access, entity_ref);
        Err(unfinished())
    }

    /// The registered locations, by id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn locations(&self) -> Result<Vec<RegisteredLocation>, Error> {
        Err(unfinished())
    }

    /// A registered location.
    ///
    /// # Errors
    /// There is none with this id, or the database fails.
    pub async fn location(&self, id: &str) -> Result<RegisteredLocation, Error> {
        let _ = id;
        Err(unfinished())
    }

    /// The registered location whose registration led to an entity.
    ///
    /// # Errors
    /// There is no such entity, it comes from elsewhere, or the database fails.
    pub async fn location_by_entity(
        &self,
        access: &Access,
        entity_ref: &EntityRef,
    ) -> Result<RegisteredLocation, Error> {
        let _ = (access, entity_ref);
        Err(unfinished())
    }

    /// Registers a location. It is read soon, not now. `on_conflict` of none is what the settings say.
    ///
    /// # Errors
    /// It exists, its type is not allowed, the catalog is read-only, or the database fails.
    pub async fn register_location(
        &self,
        location: &NewLocation,
        on_conflict: Option<OnConflict>,
    ) -> Result<RegisteredLocation, Error> {
        let _ = (location, on_conflict);
        Err(unfinished())
    }

    /// What [`Catalog::register_location`] would bring in. Reads the location, and changes nothing.
    ///
    /// # Errors
    /// Something on the way cannot be read or is not valid.
    pub async fn dry_run_location(&self, location: &NewLocation) -> Result<DryRun, Error> {
        let _ = location;
        Err(unfinished())
    }

    /// Removes a registered location and what came from it.
    ///
    /// # Errors
    /// There is none with this id, the catalog is read-only, or the database fails.
    pub async fn delete_location(&self, id: &str) -> Result<(), Error> {
        let _ = id;
        Err(unfinished())
    }

    /// Has an entity read again, with the locations that it comes from.
    ///
    /// # Errors
    /// There is no such entity, or the caller may not see it; or the database fails.
    pub async fn refresh(&self, access: &Access, entity_ref: &EntityRef) -> Result<(), Error> {
        let _ = (access, entity_ref);
        Err(unfinished())
    }

    /// Removes an entity, where there is one that `access` covers: says whether there was. What still names it brings
    /// it back.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_by_uid(&self, access: &Access, uid: &str) -> Result<bool, Error> {
        let _ = (access, uid);
        Err(unfinished())
    }
}

fn unfinished() -> Error {
    Error::NotAllowed("the catalog is being built".to_owned())
}
