//! A catalog with everything around it faked but the database and the disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use callboard_catalog::{
    Again, Catalog, EntityProvider, Mode, ProviderError, ProviderPage, ReadFailure, Reader, Reading, Settings,
};
use callboard_egress::{Found, FoundFile, Search, UrlPattern, Validator};
use callboard_model::access::Access;
use callboard_model::api::ProviderInfo;
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::provided::{ProvidedEntity, ProvidedItem};
use callboard_model::schedule::Schedule;
use callboard_store::{DatabaseConfig, Db, args, query, query_on};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// Long enough for a busy machine, and never waited for in a test that passes.
const PATIENCE: Duration = Duration::from_secs(20);

#[path = "../../../../tests/src/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the portal's tests")]
mod server;

/// An empty database. The suite is part of two test programs, one for each engine.
pub(crate) async fn database() -> Db {
    let config =
        if env!("CARGO_CRATE_NAME").ends_with("postgres") { server::database() } else { DatabaseConfig::Memory };
    Db::open(&config).await.unwrap()
}

/// A running catalog.
pub(crate) struct Fixture {
    pub(crate) catalog: Catalog,
    pub(crate) db: Db,
    pub(crate) web: Web,
    pub(crate) dir: tempfile::TempDir,
    shutdown: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
    _guard: DropGuard,
}

impl Fixture {
    /// With these settings, and an empty folder as their base.
    pub(crate) async fn start(settings: Value) -> Fixture {
        Fixture::start_in(tempfile::tempdir().unwrap(), settings).await
    }

    pub(crate) async fn start_in(dir: tempfile::TempDir, settings: Value) -> Fixture {
        Fixture::start_with(dir, database().await, Web::default(), settings).await
    }

    pub(crate) async fn start_with(dir: tempfile::TempDir, db: Db, web: Web, settings: Value) -> Fixture {
        let mut settings: Settings = serde_json::from_value(settings).unwrap();
        settings.base_dir = dir.path().to_owned();
        let catalog = Catalog::open(db.clone(), web.clone(), settings).await.unwrap();
        let shutdown = CancellationToken::new();
        let running = Some(tokio::spawn(catalog.clone().run(shutdown.clone())));
        let guard = shutdown.clone().drop_guard();
        Fixture { catalog, db, web, dir, shutdown, running, _guard: guard }
    }

    /// Stops, and starts again on the same database with other settings.
    pub(crate) async fn restart(mut self, settings: Value) -> Fixture {
        self.stop().await;
        let Fixture { db, web, dir, .. } = self;
        Fixture::start_with(dir, db, web, settings).await
    }

    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Waits until something holds. It is looked at again whenever the catalog says that something changed.
    pub(crate) async fn until<T>(&self, what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
        let mut changes = self.catalog.changes();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.borrow_and_update();
                if let Some(value) = holds().await {
                    return value;
                }
                changes.changed().await.unwrap();
            }
        });
        match waited.await {
            Ok(value) => value,
            Err(_) => panic!("waited in vain until {what}; {}", self.dump().await),
        }
    }

    async fn dump(&self) -> String {
        let rows = self
            .db
            .fetch_all(query(
                "SELECT r.ref, e.hash IS NOT NULL, e.errors, q.due_at FROM entity e JOIN ref r ON r.id = e.id \
                 LEFT JOIN queue q ON q.entity_id = e.id",
                args![],
            ))
            .await
            .unwrap();
        format!("{rows:?}")
    }

    pub(crate) async fn get(&self, name: &str) -> Option<Value> {
        let entity_ref = EntityRef::parse(name, None, None).unwrap();
        let document = self.catalog.by_ref(&Access::All, &entity_ref).await.unwrap();
        document.map(|document| serde_json::from_str(document.get()).unwrap())
    }

    /// Waits for an entity.
    pub(crate) async fn appears(&self, name: &str) -> Value {
        self.until(&format!("{name} appears"), async || self.get(name).await).await
    }

    /// Waits until an entity is gone.
    pub(crate) async fn disappears(&self, name: &str) {
        self.until(&format!("{name} disappears"), async || self.get(name).await.is_none().then_some(())).await;
    }

    /// Waits until an entity satisfies something.
    pub(crate) async fn becomes(&self, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.until(&format!("{name} changes"), async || self.get(name).await.filter(|entity| is(entity))).await
    }

    /// Waits until an entity has errors, seen or not, and answers with them as they are stored.
    pub(crate) async fn fails(&self, name: &str) -> String {
        self.until(&format!("{name} fails"), async || {
            let select = "SELECT e.errors FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = $1";
            let row = self.db.fetch_optional(query(select, args![name])).await.unwrap()?;
            row.get::<Option<String>>(0).unwrap()
        })
        .await
    }

    /// Waits until nothing is due and nothing is being processed, nor what came of it meanwhile.
    pub(crate) async fn settles(&self) {
        self.until("everything is processed", async || {
            let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
            let due = query("SELECT 1 FROM queue WHERE due_at <= $1", args![now]);
            self.db.fetch_optional(due).await.unwrap().is_none().then_some(())
        })
        .await;
    }

    pub(crate) async fn refs(&self) -> Vec<String> {
        let rows = self
            .db
            .fetch_all(query(
                "SELECT r.ref FROM entity e JOIN ref r ON r.id = e.id WHERE e.hash IS NOT NULL ORDER BY r.ref",
                args![],
            ))
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }

    pub(crate) async fn set_provider(&self, provider: &Arc<FakeProvider>) {
        self.catalog.set_providers(vec![Arc::clone(provider) as Arc<dyn EntityProvider>]).await.unwrap();
    }

    pub(crate) async fn status(&self) -> ProviderInfo {
        self.catalog.provider_status().await.unwrap().remove(0)
    }

    /// Has the only provider run, and waits for its end.
    pub(crate) async fn run_provider(&self) -> ProviderInfo {
        let before = self.status().await;
        self.catalog.trigger(&before.name).unwrap();
        let mark = |info: &ProviderInfo| (info.last_success.clone(), info.last_run.clone());
        let info = self
            .until("the provider ran", async || {
                let info = self.status().await;
                (!info.running && mark(&info) != mark(&before)).then_some(info)
            })
            .await;
        self.settles().await;
        info
    }

    /// Counts every row that is written to the tables of entities from now on.
    pub(crate) async fn audit(&self) -> Audit {
        const TRIGGERS: [(&str, &str); 9] = [
            ("CREATE TABLE IF NOT EXISTS audit(name TEXT)", "CREATE TABLE IF NOT EXISTS audit(name TEXT)"),
            (
                "SELECT 1",
                "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN INSERT INTO audit VALUES (TG_ARGV[0]); RETURN NULL; END'",
            ),
            (
                "CREATE TRIGGER a1 AFTER INSERT ON entity BEGIN INSERT INTO audit VALUES ('entity insert'); END",
                "CREATE TRIGGER a1 AFTER INSERT ON entity FOR EACH ROW EXECUTE FUNCTION audit('entity insert')",
            ),
            (
                "CREATE TRIGGER a2 AFTER UPDATE ON entity BEGIN INSERT INTO audit VALUES ('entity update'); END",
                "CREATE TRIGGER a2 AFTER UPDATE ON entity FOR EACH ROW EXECUTE FUNCTION audit('entity update')",
            ),
            (
                "CREATE TRIGGER a3 AFTER UPDATE ON entity_source BEGIN INSERT INTO audit VALUES ('source'); END",
                "CREATE TRIGGER a3 AFTER UPDATE ON entity_source FOR EACH ROW EXECUTE FUNCTION audit('source')",
            ),
            (
                "CREATE TRIGGER a4 AFTER UPDATE ON document BEGIN INSERT INTO audit VALUES ('document'); END",
                "CREATE TRIGGER a4 AFTER UPDATE ON document FOR EACH ROW EXECUTE FUNCTION audit('document')",
            ),
            (
                "CREATE TRIGGER a5 AFTER INSERT ON posting BEGIN INSERT INTO audit VALUES ('posting'); END",
                "CREATE TRIGGER a5 AFTER INSERT ON posting FOR EACH ROW EXECUTE FUNCTION audit('posting')",
            ),
            (
                "CREATE TRIGGER a6 AFTER INSERT ON relation BEGIN INSERT INTO audit VALUES ('relation'); END",
                "CREATE TRIGGER a6 AFTER INSERT ON relation FOR EACH ROW EXECUTE FUNCTION audit('relation')",
            ),
            (
                "CREATE TRIGGER a7 AFTER INSERT ON provided BEGIN INSERT INTO audit VALUES ('provided'); END",
                "CREATE TRIGGER a7 AFTER INSERT ON provided FOR EACH ROW EXECUTE FUNCTION audit('provided')",
            ),
        ];
        for (sqlite, postgres) in TRIGGERS {
            self.db.execute(query_on(sqlite, postgres, args![])).await.unwrap();
        }
        Audit { db: self.db.clone() }
    }
}

pub(crate) struct Audit {
    db: Db,
}

impl Audit {
    pub(crate) async fn written(&self) -> Vec<String> {
        let rows = self.db.fetch_all(query("SELECT name FROM audit", args![])).await.unwrap();
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }
}

/// A web of a few pages that counts what is read.
#[derive(Clone, Default)]
pub(crate) struct Web {
    pages: Arc<Mutex<HashMap<String, Page>>>,
    reads: Arc<Mutex<Vec<String>>>,
    validators: Arc<Mutex<Validators>>,
}

/// What servers say of which content they send.
#[derive(Clone, Default)]
pub(crate) enum Validators {
    #[default]
    OfContent,
    /// Another one after each deployment.
    OfDeployment(u32),
    None,
}

#[derive(Clone)]
enum Page {
    Text(String),
    Broken(String),
}

impl Web {
    pub(crate) fn put(&self, url: &str, text: &str) {
        self.pages.lock().unwrap().insert(url.to_owned(), Page::Text(text.to_owned()));
    }

    pub(crate) fn fail(&self, url: &str, message: &str) {
        self.pages.lock().unwrap().insert(url.to_owned(), Page::Broken(message.to_owned()));
    }

    pub(crate) fn say(&self, validators: Validators) {
        *self.validators.lock().unwrap() = validators;
    }

    pub(crate) fn remove(&self, url: &str) {
        self.pages.lock().unwrap().remove(url);
    }

    /// What was read since the last call: the URL, with `=` before it where it was unchanged, and `?` where it was
    /// searched.
    pub(crate) fn reads(&self) -> Vec<String> {
        std::mem::take(&mut self.reads.lock().unwrap())
    }
}

#[async_trait]
impl Reader for Web {
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure> {
        let page = self.pages.lock().unwrap().get(url.as_str()).cloned();
        let validators = self.validators.lock().unwrap().clone();
        let validator = |text: &str| match validators {
            Validators::OfContent => Some(text.to_owned()),
            Validators::OfDeployment(number) => Some(format!("{number} {text}")),
            Validators::None => None,
        };
        let unchanged =
            matches!(&page, Some(Page::Text(text)) if known.is_some() && known == validator(text).as_deref());
        self.reads.lock().unwrap().push(format!("{}{url}", if unchanged { "=" } else { "" }));
        match page {
            Some(Page::Text(_)) if unchanged => Ok(Reading::Unchanged),
            Some(Page::Text(text)) => Ok(Reading::Content { validator: validator(&text), body: text.into_bytes() }),
            Some(Page::Broken(message)) => Err(ReadFailure { message, not_found: false, transient: false }),
            None => Err(ReadFailure { message: format!("{url} does not exist"), not_found: true, transient: false }),
        }
    }

    async fn search(&self, url: &Url, known: Option<&str>) -> Result<Search, ReadFailure> {
        let pattern = UrlPattern::new(url).unwrap();
        let pages = self.pages.lock().unwrap().clone();
        if let Some(Page::Broken(message)) = pages.get(url.as_str()) {
            return Err(ReadFailure { message: message.clone(), not_found: false, transient: false });
        }
        let matching = pages.into_iter().filter_map(|(url, page)| {
            let (url, Page::Text(version) | Page::Broken(version)) = (Url::parse(&url).unwrap(), page);
            pattern.matches_url(&url).then_some(FoundFile { url, version })
        });
        let mut files: Vec<FoundFile> = matching.collect();
        files.sort();
        let validator = Validator(format!("{files:?}"));
        let unchanged = known == Some(validator.0.as_str());
        self.reads.lock().unwrap().push(format!("{}?{url}", if unchanged { "=" } else { "" }));
        Ok(if unchanged { Search::Unchanged } else { Search::Found(Found { files, validator }) })
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        base.join(relative).map_err(|error| error.to_string())
    }
}

/// A provider whose pages are set by the test.
pub(crate) struct FakeProvider {
    name: String,
    owner: String,
    schedule: Schedule,
    fingerprint: String,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    pages: Vec<Answer>,
    cursors: Vec<Option<String>>,
}

#[derive(Clone)]
pub(crate) enum Answer {
    Items(Vec<ProvidedItem>),
    /// Items, and the next run begins at once.
    Again(Vec<ProvidedItem>),
    /// Items that leave everything else as it is.
    Delta(Vec<ProvidedItem>),
    Fail(String),
    Hang,
}

impl FakeProvider {
    pub(crate) fn new(name: &str) -> Arc<FakeProvider> {
        FakeProvider::with(name, "", json!({"frequency": {"trigger": "manual"}, "timeout": "PT10S"}))
    }

    pub(crate) fn with(name: &str, owner: &str, schedule: Value) -> Arc<FakeProvider> {
        Arc::new(FakeProvider {
            name: name.to_owned(),
            owner: owner.to_owned(),
            schedule: serde_json::from_value(schedule).unwrap(),
            fingerprint: String::new(),
            script: Mutex::default(),
        })
    }

    /// The same, reading something else.
    pub(crate) fn reconfigured(name: &str, fingerprint: &str) -> Arc<FakeProvider> {
        let schedule = serde_json::from_value(json!({"frequency": {"trigger": "manual"}, "timeout": "PT10M"})).unwrap();
        Arc::new(FakeProvider {
            name: name.to_owned(),
            owner: String::new(),
            schedule,
            fingerprint: fingerprint.to_owned(),
            script: Mutex::default(),
        })
    }

    /// Sets the pages of every run from now on. The cursor of a page is its number.
    pub(crate) fn pages(&self, pages: Vec<Answer>) {
        self.script.lock().unwrap().pages = pages;
    }

    pub(crate) fn items(&self, items: Vec<ProvidedItem>) {
        self.pages(vec![Answer::Items(items)]);
    }

    /// The cursors that it was asked for since the last call.
    pub(crate) fn cursors(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.script.lock().unwrap().cursors)
    }
}

#[async_trait]
impl EntityProvider for FakeProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn owner(&self) -> &str {
        &self.owner
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    async fn read(&self, cursor: Option<String>) -> Result<ProviderPage, ProviderError> {
        let (number, answer, last) = {
            let mut script = self.script.lock().unwrap();
            let number: usize = cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
            script.cursors.push(cursor);
            (number, script.pages[number].clone(), number + 1 == script.pages.len())
        };
        let next = (!last).then(|| (number + 1).to_string());
        match answer {
            Answer::Items(items) => Ok(ProviderPage { items, next, mode: Mode::Full, again: Again::Scheduled }),
            Answer::Again(items) => Ok(ProviderPage { items, next, mode: Mode::Delta, again: Again::Now }),
            Answer::Delta(items) => Ok(ProviderPage { items, next, mode: Mode::Delta, again: Again::Scheduled }),
            Answer::Fail(message) => Err(ProviderError::new(message)),
            Answer::Hang => std::future::pending().await,
        }
    }
}

/// An entity as a provider hands it over.
pub(crate) fn provided(entity: Value) -> ProvidedItem {
    versioned(entity, None, &[])
}

pub(crate) fn versioned(entity: Value, version: Option<&str>, facts: &[(&str, &str)]) -> ProvidedItem {
    let facts: BTreeMap<_, _> = facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let entity = Entity::from_value(entity).unwrap();
    ProvidedItem::Entity(Box::new(ProvidedEntity { entity, version: version.map(str::to_owned), facts }))
}

pub(crate) fn unchanged(name: &str) -> ProvidedItem {
    ProvidedItem::Unchanged { unchanged: name.to_owned() }
}

/// A Location for a URL, as the S3 plugin makes it.
pub(crate) fn location(target: &str) -> Value {
    let location = callboard_model::location_ref::LocationRef::parse(&format!("url:{target}")).unwrap();
    location.generated_entity(callboard_model::location_ref::Presence::Required).into_value()
}

/// The ref of such a Location.
pub(crate) fn location_ref(target: &str) -> String {
    Entity::from_value(location(target)).unwrap().entity_ref().to_string()
}

/// A component as a file has it.
pub(crate) fn component(name: &str, more: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n  \
         lifecycle: production\n  owner: team-a\n{more}"
    )
}

/// A component as a provider of entities has it.
pub(crate) fn component_value(name: &str, spec: Value) -> Value {
    let mut value = json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {
            "name": name,
            "annotations": {
                "backstage.io/managed-by-location": "test:x",
                "backstage.io/managed-by-origin-location": "test:x",
            },
        },
        "spec": {"type": "service", "lifecycle": "production", "owner": "team-a"},
    });
    value["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    value
}
