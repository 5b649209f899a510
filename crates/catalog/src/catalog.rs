//! The way in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use callboard_model::access::Access;
use callboard_model::api::{
    EntityError, EntityPage, Facets, Freshness, LocationAnalysis, LocationInput, LocationPage, ProviderInfo,
    PushRequest, PushResult, RegisteredLocation,
};
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::location_ref::LocationRef;
use callboard_store::{Db, Migration, args, migrate, query};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::replicas::{self, Replica};
use crate::engine::{self, Shared, files, now};
use crate::files::Files;
use crate::graph::{enqueue, remove};
use crate::index::rebuild::rebuild_if_changed;
use crate::limits::REFRESH_LEVELS;
use crate::location::{dry_run, registry, search};
use crate::process::Processor;
use crate::provider::runner::Runner;
use crate::provider::{run, status};
use crate::query::names::Names;
use crate::query::remembered::remembered;
use crate::query::{facets, list, lookup, page};
use crate::settings::Strategy;
use crate::{
    Ancestry, Document, DryRun, EntityProcessor, EntityProvider, Error, ListPage, ListQuery, LocationQuery,
    NewLocation, OnConflict, Query, Reader, Settings, TransferError, analyze, freshness, processor, push, refresh,
    transfer, validate,
};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "entities",
        sqlite: include_str!("../migrations/0001.sqlite.sql"),
        postgres: include_str!("../migrations/0001.postgres.sql"),
    },
    Migration {
        version: 2,
        name: "sets of entities",
        sqlite: include_str!("../migrations/0002.sqlite.sql"),
        postgres: include_str!("../migrations/0002.postgres.sql"),
    },
    Migration {
        version: 3,
        name: "processors of plugins",
        sqlite: include_str!("../migrations/0003.sqlite.sql"),
        postgres: include_str!("../migrations/0003.postgres.sql"),
    },
    Migration {
        version: 4,
        name: "claims of replicas",
        sqlite: include_str!("../migrations/0004.sqlite.sql"),
        postgres: include_str!("../migrations/0004.postgres.sql"),
    },
    Migration {
        version: 5,
        name: "less room",
        sqlite: include_str!("../migrations/0005.sqlite.sql"),
        postgres: include_str!("../migrations/0005.postgres.sql"),
    },
    Migration {
        version: 6,
        name: "staged rows in order of arrival",
        sqlite: include_str!("../migrations/0006.sqlite.sql"),
        postgres: include_str!("../migrations/0006.postgres.sql"),
    },
];

/// The catalog. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    shared: Shared,
    runner: Runner,
}

impl Catalog {
    /// Opens the catalog: brings its tables up to date and takes over `catalog.locations`.
    ///
    /// # Errors
    /// The settings make no sense, or the database fails or is newer than this program.
    pub async fn open(db: Db, reader: impl Reader + 'static, settings: Settings) -> Result<Catalog, Error> {
        migrate(&db, "catalog", MIGRATIONS).await?;
        if transfer::is_cut_off(&db).await? {
            return Err(Error::Conflict(TransferError::CutOff.to_string()));
        }
        let replica = Arc::new(Replica::new(&db, settings.replica_timeout.0));
        rebuild_if_changed(&db, &replica).await?;
        let targets = settings.locations.iter().filter(|location| location.kind == "file");
        let files = Files::new(&settings.base_dir, targets.map(|location| location.target.as_str()));
        let mut configured = Vec::new();
        for location in &settings.locations {
            let target = match location.kind.as_str() {
                "file" => files.absolute(&location.target).display().to_string(),
                _ => location.target.clone(),
            };
            let location_ref = LocationRef::new(&location.kind, &target)
                .map_err(|error| Error::Input(format!("catalog.locations: {error}")))?;
            configured.push(registry::incoming(&location_ref, location.presence));
        }
        let processor = Processor::new(Arc::new(reader), files, &settings)?;
        let shared = Shared {
            db,
            settings: Arc::new(settings),
            processor,
            queued: Arc::new(Notify::new()),
            files_changed: Arc::new(AtomicBool::new(true)),
            changes: watch::Sender::new(0),
            replica,
            names: Arc::new(Names::new()),
            documents: Arc::new(remembered()),
        };
        let mut tx = shared.db.begin().await?;
        let settings = &shared.settings;
        // What a provider brought that is turned off is treated as that of one that is gone.
        let removes = settings.orphan_provider_strategy == Strategy::Delete;
        if settings.provides(registry::CONFIGURED) {
            run::replace(&mut tx, registry::CONFIGURED, &configured).await?;
        } else if removes {
            run::replace(&mut tx, registry::CONFIGURED, &[]).await?;
        }
        if settings.provides(registry::STORE) {
            registry::restore(&mut tx).await?;
        } else if removes {
            run::replace(&mut tx, registry::STORE, &[]).await?;
        }
        tx.commit().await?;
        engine::requeue_if_changed(&shared).await?;
        Ok(Catalog { shared, runner: Runner::new() })
    }

    /// Sets what brings entities in, but for those that `catalog.providerOptions` turns off. What providers brought that
    /// are not among them is removed, unless `catalog.orphanProviderStrategy` is `keep`.
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
        mut providers: Vec<Arc<dyn EntityProvider>>,
        owners: &[String],
    ) -> Result<(), Error> {
        providers.retain(|provider| self.shared.settings.provides(provider.name()));
        let mut names = BTreeSet::from([registry::CONFIGURED.to_owned(), registry::STORE.to_owned()]);
        names.extend(push::providers(&self.shared.settings));
        for provider in &providers {
            if !names.insert(provider.name().to_owned()) {
                return Err(Error::Conflict(format!(
                    "There are two providers called {}; every provider needs a name of its own",
                    provider.name()
                )));
            }
        }
        if self.shared.settings.orphan_provider_strategy == Strategy::Delete {
            self.remove_providers_except(&names, owners).await?;
        }
        let mut tx = self.shared.db.begin().await?;
        for provider in &providers {
            run::source_id(&mut tx, provider.name(), provider.owner()).await?;
        }
        tx.commit().await?;
        self.runner.set(providers);
        Ok(())
    }

    /// Sets the processors of plugins, in the order of app-config. Exactly those entities are processed again that one is
    /// for, or that one had a say in, which came, went, or is another version than the last time.
    ///
    /// Those that wait for each other are left out; the log says so.
    ///
    /// # Errors
    /// The database fails.
    pub async fn set_processors(&self, processors: Vec<Arc<dyn EntityProcessor>>) -> Result<(), Error> {
        Ok(processor::set(&self.shared, processors).await?)
    }

    /// Has everything processed again that depends on one of these keys: those of processors, URLs written
    /// `url:https://…`, which may say `/tree/` where they mean `/blob/`, and files written `file:/…`. Answers with how many
    /// entities that are.
    ///
    /// # Errors
    /// The database fails.
    pub async fn refresh_keys(&self, keys: &[String]) -> Result<usize, Error> {
        Ok(refresh::refresh(&self.shared, keys).await?)
    }

    /// Runs providers and the engine until `shutdown`. What is under way is then abandoned; the next start goes on.
    pub async fn run(self, shutdown: CancellationToken) {
        tokio::join!(
            engine::run(self.shared.clone(), shutdown.clone()),
            files::run(self.shared.clone(), shutdown.clone()),
            replicas::run(self.shared.clone(), shutdown.clone()),
            engine::upkeep::run(self.shared.clone(), shutdown.clone()),
            self.runner.run(self.shared.clone(), shutdown),
        );
    }

    /// Counts up whenever readers may see something else than before: for whoever waits for a change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Has a provider run now.
    ///
    /// # Errors
    /// There is no such provider.
    pub fn trigger(&self, provider: &str) -> Result<(), Error> {
        if self.runner.trigger(provider) {
            return Ok(());
        }
        Err(Error::NotFound(format!("There is no provider called {provider}")))
    }

    /// The state of every provider, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn provider_status(&self) -> Result<Vec<ProviderInfo>, Error> {
        Ok(status::all(&self.shared.db, &self.runner).await?)
    }

    /// A page of entities: `/entities/by-query`.
    ///
    /// # Errors
    /// The cursor is not one of ours, a field makes no sense, or the database fails.
    pub async fn query(&self, access: &Access, query: &Query) -> Result<EntityPage<Document>, Error> {
        page::page(&self.shared, access, query).await
    }

    /// `GET /entities`.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub async fn list(&self, access: &Access, query: &ListQuery) -> Result<ListPage, Error> {
        list::list(&self.shared, access, query).await
    }

    /// An entity by its ref.
    ///
    /// # Errors
    /// The database fails.
    pub async fn by_ref(&self, access: &Access, entity_ref: &EntityRef) -> Result<Option<Document>, Error> {
        lookup::by_ref(&self.shared, access, entity_ref).await
    }

    /// An entity by its uid.
    ///
    /// # Errors
    /// The database fails.
    pub async fn by_uid(&self, access: &Access, uid: &str) -> Result<Option<Document>, Error> {
        lookup::by_uid(&self.shared, access, uid).await
    }

    /// Where an entity comes from, and how current it is; none where there is none that the caller may see. Only an
    /// `operator` is told in full why a source fails.
    ///
    /// # Errors
    /// The database fails.
    pub async fn freshness(&self, access: &Access, uid: &str, operator: bool) -> Result<Option<Freshness>, Error> {
        freshness::freshness(&self.shared, &self.runner, access, uid, operator).await
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
        lookup::by_refs(&self.shared, access, refs, filter, fields).await
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
        facets::facets(&self.shared.db, access, facets, filter).await
    }

    /// What an entity comes from.
    ///
    /// # Errors
    /// There is no such entity, or the caller may not see it; or the database fails.
    pub async fn ancestry(&self, access: &Access, entity_ref: &EntityRef) -> Result<Ancestry, Error> {
        lookup::ancestry(&self.shared, access, entity_ref).await
    }

    /// The registered locations, by id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn locations(&self) -> Result<Vec<RegisteredLocation>, Error> {
        registry::all(&mut self.shared.db.read().await?).await
    }

    /// A page of the registered locations.
    ///
    /// # Errors
    /// The query or the cursor makes no sense, or the database fails.
    pub async fn query_locations(&self, query: &LocationQuery) -> Result<LocationPage, Error> {
        search::page(&mut self.shared.db.read().await?, query).await
    }

    /// A registered location.
    ///
    /// # Errors
    /// There is none with this id, or the database fails.
    pub async fn location(&self, id: &str) -> Result<RegisteredLocation, Error> {
        registry::by_id(&mut self.shared.db.read().await?, id).await
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
        registry::by_entity(&self.shared, access, entity_ref).await
    }

    /// Registers a location, and waits some seconds until what it brings can be read. What takes longer, or cannot be read
    /// at all, is no error: it is tried again. `on_conflict` of none is what the settings say.
    ///
    /// # Errors
    /// It exists, its type is not allowed, the catalog is read-only, or the database fails.
    pub async fn register_location(
        &self,
        location: &NewLocation,
        on_conflict: Option<OnConflict>,
    ) -> Result<RegisteredLocation, Error> {
        registry::register(&self.shared, location, on_conflict).await
    }

    /// Has a registered location name something else, and waits as [`Catalog::register_location`] does.
    ///
    /// # Errors
    /// There is none with this id, another has this type and target, its type is not allowed, the catalog is read-only,
    /// or the database fails.
    pub async fn update_location(&self, id: &str, location: &LocationInput) -> Result<RegisteredLocation, Error> {
        registry::update(&self.shared, id, location).await
    }

    /// What is known of a location that is not registered yet.
    ///
    /// # Errors
    /// It is not a URL, or the database fails.
    pub async fn analyze_location(
        &self,
        access: &Access,
        location: &LocationInput,
    ) -> Result<LocationAnalysis<Document>, Error> {
        analyze::analyze(&self.shared, access, location).await
    }

    /// What is wrong with an entity that would be read from `location`; nothing where it could be taken. Reads what the
    /// entity refers to, and stores nothing.
    pub async fn validate_entity(&self, entity: serde_json::Value, location: &str) -> Vec<EntityError> {
        match validate::validate(&self.shared.processor, entity, location).await {
            Ok(()) => Vec::new(),
            Err(errors) => errors.into_iter().map(EntityError::from).collect(),
        }
    }

    /// Takes over what a source of `catalog.push` says, as a whole or not at all, and waits until it can be read: at most
    /// for `patience`.
    ///
    /// # Errors
    /// There is no such source, something of the request makes no sense or may not come from there, or the database
    /// fails.
    pub async fn push(&self, source: &str, request: PushRequest, patience: Duration) -> Result<PushResult, Error> {
        push::push(&self.shared, source, request, patience).await
    }

    /// What [`Catalog::register_location`] would bring in. Reads the location, and changes nothing.
    ///
    /// # Errors
    /// Something on the way cannot be read or is not valid.
    pub async fn dry_run_location(&self, location: &NewLocation) -> Result<DryRun, Error> {
        dry_run::dry_run(&self.shared, location).await
    }

    /// Removes a registered location and what came from it.
    ///
    /// # Errors
    /// There is none with this id, the catalog is read-only, or the database fails.
    pub async fn delete_location(&self, id: &str) -> Result<(), Error> {
        registry::unregister(&self.shared, id).await
    }

    /// Has an entity read again, with the locations that it comes from.
    ///
    /// # Errors
    /// There is no such entity, or the caller may not see it; or the database fails.
    pub async fn refresh(&self, access: &Access, entity_ref: &EntityRef) -> Result<(), Error> {
        let mut tx = self.shared.db.begin().await?;
        let Some(id) = lookup::id_of(&mut tx, &self.shared.names, access, &entity_ref.to_string()).await? else {
            return Err(Error::NotFound(format!("Entity {entity_ref} not found")));
        };
        let (mut ids, mut level) = (vec![id], vec![id]);
        for _ in 0..REFRESH_LEVELS {
            let mut sql = callboard_store::Sql::new();
            sql.push("SELECT DISTINCT parent_id FROM reference WHERE child_id IN ").ids(level.iter().copied());
            let rows = tx.fetch_all(sql).await?;
            level = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
            level.retain(|id| !ids.contains(id));
            if level.is_empty() {
                break;
            }
            ids.extend(&level);
        }
        enqueue(&mut tx, &ids, now(), true).await?;
        tx.commit().await?;
        self.shared.queued();
        Ok(())
    }

    /// Removes an entity, where there is one that `access` covers: says whether there was. What still names it brings
    /// it back.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_by_uid(&self, access: &Access, uid: &str) -> Result<bool, Error> {
        let mut tx = self.shared.db.begin().await?;
        let Some(id) = lookup::id_of_uid(&mut tx, &self.shared.names, access, uid).await? else { return Ok(false) };
        remove::delete_one(&mut tx, id, self.shared.settings.orphan_strategy, now()).await?;
        tx.commit().await?;
        self.shared.queued();
        Ok(true)
    }

    /// Removes what providers brought that are gone.
    async fn remove_providers_except(&self, names: &BTreeSet<String>, owners: &[String]) -> Result<(), Error> {
        let mut tx = self.shared.db.begin().await?;
        for row in tx.fetch_all(query("SELECT id, name, owner, run FROM source", args![])).await? {
            let (id, name, owner): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if names.contains(&name) || owners.contains(&owner) {
                continue;
            }
            tracing::info!(provider = name, "removing what a provider brought that is gone");
            let rows = tx.fetch_all(query("SELECT entity_id FROM provided WHERE source_id = $1", args![id])).await?;
            let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, callboard_store::Error>>()?;
            tx.execute(query("DELETE FROM provided WHERE source_id = $1", args![id])).await?;
            remove::prune(&mut tx, &ids, now()).await?;
            if let Some(run) = row.get::<Option<String>>(3)? {
                tx.execute(query("DELETE FROM staged WHERE run = $1", args![run])).await?;
            }
            tx.execute(query("DELETE FROM source WHERE id = $1", args![id])).await?;
        }
        tx.commit().await?;
        self.shared.queued();
        Ok(())
    }
}
