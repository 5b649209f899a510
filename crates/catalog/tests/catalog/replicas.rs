//! Several replicas on one database: who works on what. With SQLite there is one, and nothing to claim.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use callboard_catalog::{Catalog, ReadFailure, Reader, Reading, Settings};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Engine, args, query};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::support::{component, database};

const PATIENCE: Duration = Duration::from_secs(30);

/// A web of one page that answers with what the page was when it was asked, once it may.
#[derive(Clone)]
struct Held {
    text: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    may_answer: Arc<watch::Sender<bool>>,
}

#[async_trait]
impl Reader for Held {
    async fn read(&self, _: &Url, _: Option<&str>) -> Result<Reading, ReadFailure> {
        let text = self.text.lock().unwrap().clone();
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.may_answer.subscribe().wait_for(|may| *may).await.unwrap();
        Ok(Reading::Content { body: text.into_bytes(), validator: None })
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        base.join(relative).map_err(|error| error.to_string())
    }
}

impl Held {
    fn new() -> Held {
        let may_answer = Arc::new(watch::Sender::new(false));
        Held { text: Arc::default(), asked: Arc::default(), may_answer }
    }

    fn set(&self, lifecycle: &str) {
        *self.text.lock().unwrap() = component("a", "").replace("production", lifecycle);
    }

    async fn until_asked(&self, times: usize) {
        until("the page is asked for", async || self.asked.load(Ordering::SeqCst) >= times).await;
    }
}

/// Asks again until it is so.
async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let ask = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

async fn catalog(db: &Db, web: &Held) -> Catalog {
    let settings = json!({
        "locations": [{ "type": "url", "target": "https://b.example/a.yaml" }],
        "replicaTimeout": { "seconds": 1 },
    });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    Catalog::open(db.clone(), web.clone(), settings).await.unwrap()
}

async fn lifecycle(catalog: &Catalog) -> Option<String> {
    let name = EntityRef::parse("component:default/a", None, None).unwrap();
    let document = catalog.by_ref(&Access::All, &name).await.unwrap()?;
    let entity: serde_json::Value = serde_json::from_str(document.get()).unwrap();
    entity["spec"]["lifecycle"].as_str().map(str::to_owned)
}

/// Who works on something.
async fn claimants(db: &Db) -> Vec<String> {
    let select = "SELECT claimed_by FROM queue WHERE claimed_until IS NOT NULL";
    db.fetch_all(query(select, args![])).await.unwrap().iter().map(|row| row.get(0).unwrap()).collect()
}

/// A replica that was taken for dead finishes what another one has begun since: its result is of before, and is dropped.
#[tokio::test]
async fn a_result_whose_claim_was_lost_is_dropped() {
    let db = database().await;
    if db.engine() == Engine::Sqlite {
        return;
    }
    let web = Held::new();
    web.set("old");
    let catalog = catalog(&db, &web).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog.clone().run(shutdown.clone()));
    web.until_asked(1).await;
    assert_eq!(claimants(&db).await.len(), 1);
    db.execute(query("UPDATE queue SET claimed_by = 'another', claimed_until = $1", args![i64::MAX])).await.unwrap();

    web.set("new");
    web.may_answer.send_replace(true);
    // The other one dies. Had the result been kept, nothing would be read for the processing interval.
    db.execute(query("UPDATE queue SET claimed_until = 0 WHERE claimed_by = 'another'", args![])).await.unwrap();
    web.until_asked(2).await;
    until("the entity is there", async || lifecycle(&catalog).await.is_some()).await;
    assert_eq!(lifecycle(&catalog).await.as_deref(), Some("new"));
    until("the claims are given up", async || claimants(&db).await.is_empty()).await;
    shutdown.cancel();
    running.await.unwrap();
}

/// A replica that ends in order leaves nothing for others to wait for.
#[tokio::test]
async fn whoever_ends_gives_its_claims_up() {
    let db = database().await;
    if db.engine() == Engine::Sqlite {
        return;
    }
    let web = Held::new();
    web.set("any");
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog(&db, &web).await.run(shutdown.clone()));
    web.until_asked(1).await;
    // Longer than a claim lasts: it is put off for as long as the work takes.
    let until_of = async || {
        let row = db.fetch_optional(query("SELECT max(claimed_until) FROM queue", args![])).await.unwrap();
        row.unwrap().get::<i64>(0).unwrap()
    };
    let first = until_of().await;
    until("the claim was put off", async || until_of().await > first + 1_000).await;
    assert_eq!((claimants(&db).await.len(), web.asked.load(Ordering::SeqCst)), (1, 1));
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(claimants(&db).await, Vec::<String>::new());
}
