//! Several portals on one PostgreSQL, each a process of its own: one is killed, the database goes away, the disks differ.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use callboard_model::api::{PluginList, ProviderInfo};
use callboard_store::{DatabaseConfig, Db, PostgresConfig, args, query};
use callboard_tests::bucket::{ACCESS_KEY_ID, Bucket, SECRET_ACCESS_KEY};
use callboard_tests::client::Client;
use callboard_tests::generator::{Generator, fingerprint};
use callboard_tests::portal::{BASE, merge, share_compiled_plugins, with_plugin};
use callboard_tests::process::Server;
use callboard_tests::{environment, postgres, s3};
use chrono::Utc;
use serde_json::{Value, json};
use tempfile::TempDir;

mod cut;
mod events;
mod files;
mod killed;
mod portal;

/// How long something may take that happens by itself, on a machine that does other things too. A test that passes never
/// waits for it.
const PATIENCE: Duration = Duration::from_secs(300);

/// For how long a replica that says nothing is believed here: so short that a test does not wait long for a dead one.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The provider of the generated catalog, which runs when it is told to.
const ALL: &str = "awsS3-provider:all";

/// A provider that finds nothing, every second.
const BEAT: &str = "awsS3-provider:beat";

/// The same in a listing of the bucket.
const BEATS: &str = "beat";

/// Entities that a file loses when some are dropped, and how many files do.
const DROPPED: (u64, usize) = (3, 20);

/// Where several portals keep their data, and a look at it past them.
struct Place {
    config: PostgresConfig,
    db: Db,
}

impl Place {
    async fn new() -> Result<Self> {
        let config = postgres::fresh();
        let db = Db::open(&DatabaseConfig::Postgres(Box::new(config.clone()))).await?;
        Ok(Self { config, db })
    }

    /// `backend.database`, where the way to it may lead over somewhere else.
    fn database(&self, over: Option<SocketAddr>) -> Result<Value> {
        let url = std::env::var(postgres::VARIABLE)?;
        let mut connection = json!({ "connectionString": url, "schema": self.config.schema });
        if let Some(over) = over {
            merge(&mut connection, json!({ "host": over.ip().to_string(), "port": over.port() }));
        }
        Ok(json!({ "client": "pg", "connection": connection }))
    }

    /// How many entities readers may see.
    async fn visible(&self) -> Result<u64> {
        let rows = self.db.fetch_all(query("SELECT count(*) FROM entity WHERE hash IS NOT NULL", args![])).await?;
        Ok(u64::try_from(rows.first().context("a count")?.get::<i64>(0)?)?)
    }

    /// How many entities each replica works on.
    async fn claims(&self) -> Result<BTreeMap<String, i64>> {
        let select = "SELECT claimed_by, count(*) FROM queue WHERE claimed_by IS NOT NULL GROUP BY claimed_by";
        let rows = self.db.fetch_all(query(select, args![])).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Which replica carries out the run of a provider that is under way.
    async fn runner(&self, provider: &str) -> Result<Option<String>> {
        let select = query("SELECT holder FROM source WHERE name = $1 AND run IS NOT NULL", args![provider]);
        Ok(self.db.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?.flatten())
    }

    /// Which replica began the last run of a provider.
    async fn last_runner(&self, provider: &str) -> Result<Option<String>> {
        let select = query("SELECT holder FROM source WHERE name = $1", args![provider]);
        Ok(self.db.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?.flatten())
    }

    /// Whether nothing is left to be done and nothing half done.
    async fn is_settled(&self) -> Result<bool> {
        let select = "SELECT (SELECT count(*) FROM queue WHERE due_at <= $1 OR claimed_by IS NOT NULL) \
                      + (SELECT count(*) FROM staged WHERE run NOT IN (SELECT run FROM source WHERE run IS NOT NULL))";
        let row = self.db.fetch_optional(query(select, args![Utc::now().timestamp_millis()])).await?;
        Ok(row.context("a sum")?.get::<i64>(0)? == 0)
    }

    /// What leads from one entity to another, as the tables have it.
    async fn links(&self) -> Result<BTreeSet<String>> {
        let mut links = BTreeSet::new();
        for select in [
            "SELECT concat_ws(' ', s.ref, y.name, t.ref, 'by', o.ref) FROM relation r \
             JOIN relation_type y ON y.id = r.type_id JOIN ref s ON s.id = r.source_id \
             JOIN ref t ON t.id = r.target_id JOIN ref o ON o.id = r.origin_id",
            "SELECT concat_ws(' ', p.ref, 'brought', c.ref) FROM reference r \
             JOIN ref p ON p.id = r.parent_id JOIN ref c ON c.id = r.child_id",
            "SELECT concat_ws(' ', s.name, 'brought', e.ref) FROM provided p \
             JOIN source s ON s.id = p.source_id JOIN ref e ON e.id = p.entity_id",
        ] {
            for row in self.db.fetch_all(query(select, args![])).await? {
                let link = row.get::<String>(0)?;
                ensure!(links.insert(link.clone()), "twice: {link}");
            }
        }
        Ok(links)
    }
}

/// A generated catalog in a bucket.
struct World {
    bucket: Bucket,
    generator: Generator,
}

impl World {
    /// One with at least so many entities.
    async fn new(entities: u64) -> Result<Self> {
        // A file is an entity, too.
        let world = Self { bucket: Bucket::start().await?, generator: Generator::new(11, entities) };
        world.put_all()?;
        Ok(world)
    }

    fn put_all(&self) -> Result<()> {
        (0..self.generator.files()).try_for_each(|file| self.put(file, 0))
    }

    /// Uploads a file without its first entities. Its time is always the same, because it is part of what is read.
    fn put(&self, file: u64, without: usize) -> Result<()> {
        let mut text = String::new();
        for number in self.generator.in_file(file).skip(without) {
            text.push_str("---\n");
            callboard_tests::generator::write(&mut text, &self.generator.entity(number));
        }
        let key = format!("all/{file:04}.yaml");
        self.bucket.put(&key, text)?;
        self.bucket.set_modified(&key, UNIX_EPOCH + Duration::from_secs(1_700_000_000))
    }

    /// All that is to be visible in the end, the Locations of the files among it.
    fn size(&self) -> u64 {
        self.generator.entities() + self.generator.files()
    }

    fn config(&self, database: &Value) -> Result<Value> {
        let provider = |prefix: &str, frequency: Value| {
            json!({
                "bucketName": self.bucket.name(),
                "region": "eu-central-1",
                "prefix": prefix,
                "schedule": { "frequency": frequency, "timeout": { "minutes": 30 } },
            })
        };
        let mut config = with_plugin("s3", &environment::plugin("s3")?, &s3::grant());
        let layer = json!({
            "backend": { "database": database },
            "integrations": { "awsS3": [{
                "endpoint": self.bucket.endpoint(),
                "accessKeyId": ACCESS_KEY_ID,
                "secretAccessKey": SECRET_ACCESS_KEY,
                "s3ForcePathStyle": true,
            }] },
            "catalog": {
                "replicaTimeout": { "seconds": TIMEOUT.as_secs() },
                "orphanStrategy": "keep",
                "providers": { "awsS3": {
                    "all": provider("all/", json!({ "trigger": "manual" })),
                    "beat": provider(BEATS, json!({ "seconds": 1 })),
                } },
            },
        });
        merge(&mut config, layer);
        Ok(config)
    }

    /// Has a replica bring in everything, and says what the end is where nothing happens.
    async fn undisturbed(&self) -> Result<Everything> {
        let place = Place::new().await?;
        let replica = Replica::start(self.config(&place.database(None)?)?).await?;
        replica.run(ALL).await?;
        let end = self.end(&place, &replica).await?;
        replica.server.kill().await?;
        self.put_all()?;
        Ok(end)
    }

    /// Waits until everything was brought in; then some files lose some entities. Returns all that there is then.
    async fn end(&self, place: &Place, replica: &Replica) -> Result<Everything> {
        until("everything is there", async || Ok(place.visible().await? == self.size())).await?;
        until("nothing is left to be done", async || place.is_settled().await).await?;
        let (files, entities) = DROPPED;
        (0..files).try_for_each(|file| self.put(file, entities))?;
        replica.run(ALL).await?;
        let orphans = files * u64::try_from(entities)?;
        until("the orphans are known", async || {
            let filter = "metadata.annotations.backstage.io/orphan=true";
            Ok(total(replica.client(), filter).await? == orphans && place.is_settled().await?)
        })
        .await?;
        Everything::read(place, replica.client()).await
    }
}

/// All that readers may see, and what leads from one to another.
#[derive(Debug, PartialEq)]
struct Everything {
    entities: BTreeMap<String, String>,
    links: BTreeSet<String>,
}

impl Everything {
    async fn read(place: &Place, client: &Client) -> Result<Self> {
        let mut entities = BTreeMap::new();
        let mut next = Some("limit=1000&orderField=metadata.name,asc".to_owned());
        while let Some(query) = next {
            let page: Value = client.json(&format!("api/catalog/entities/by-query?{query}")).await?;
            for mut entity in page["items"].as_array().context("items")?.clone() {
                let metadata = entity["metadata"].as_object_mut().context("metadata")?;
                // The uid is drawn, and the etag is made of it.
                for key in ["uid", "etag"] {
                    metadata.remove(key).with_context(|| format!("every entity has a {key}"))?;
                }
                let name = format!("{}/{}", entity["kind"], entity["metadata"]["name"]);
                let before = entities.insert(name, entity.to_string());
                ensure!(before.is_none(), "there are two of {entity}");
            }
            next = page.pointer("/pageInfo/nextCursor").and_then(Value::as_str).map(|next| format!("cursor={next}"));
        }
        Ok(Self { entities, links: place.links().await? })
    }

    fn hash(&self) -> String {
        fingerprint(self.entities.values().chain(&self.links).map(String::as_str))
    }

    /// Whether it is the same. Otherwise the first thing that differs is told.
    fn ensure_same(&self, other: &Self) -> Result<()> {
        if self.hash() == other.hash() {
            return Ok(());
        }
        let differs = |(name, entity): &(&String, &String)| other.entities.get(*name) != Some(*entity);
        let entity = self.entities.iter().find(differs).map(|(name, entity)| (entity, other.entities.get(name)));
        let (lost, more) = (self.links.difference(&other.links).next(), other.links.difference(&self.links).next());
        let counts = (self.entities.len(), other.entities.len(), self.links.len(), other.links.len());
        bail!(
            "{counts:?} entities and links; an entity differs: {entity:#?}; links: {lost:?} is lost, {more:?} is new"
        );
    }
}

/// A portal as a process of its own, with a folder of its own.
struct Replica {
    server: Server,
    folder: TempDir,
}

impl Replica {
    async fn start(config: Value) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, config).await
    }

    async fn start_in(folder: TempDir, config: Value) -> Result<Self> {
        let mut all: Value = serde_json::to_value(callboard_model::yaml::value(BASE)?)?;
        merge(&mut all, config);
        std::fs::write(folder.path().join("app-config.yaml"), all.to_string())?;
        share_compiled_plugins(&folder.path().join("data"))?;
        let server = Server::start_quietly(folder.path()).await?;
        Ok(Self { server, folder })
    }

    fn client(&self) -> &Client {
        self.server.client()
    }

    /// Has a provider run now.
    async fn run(&self, provider: &str) -> Result<()> {
        self.client().post(&format!("api/plugins/s3/providers/{provider}/run"), &json!({})).await?.ok()?;
        Ok(())
    }

    /// A provider as this replica tells of it.
    async fn provider(&self, name: &str) -> Result<ProviderInfo> {
        let list: PluginList = self.client().json("api/plugins").await?;
        let mut providers = list.items.into_iter().flat_map(|plugin| plugin.providers);
        providers.find(|provider| provider.name == name).with_context(|| format!("no provider {name}"))
    }

    /// Waits for another good run of a provider than those that there were.
    async fn until_next_run(&self, name: &str) -> Result<ProviderInfo> {
        let before = self.provider(name).await?;
        wait_for(&format!("another run of {name}"), async || {
            let now = self.provider(name).await?;
            let is_next = now.last_success > before.last_success && now.last_run > before.last_run;
            Ok(is_next.then_some(now))
        })
        .await
    }
}

/// How many entities a filter finds.
async fn total(client: &Client, filter: &str) -> Result<u64> {
    let page: Value = client.json(&format!("api/catalog/entities/by-query?limit=0&filter={filter}")).await?;
    page["totalItems"].as_u64().context("a total")
}

/// Asks again until there is an answer. What is being waited for is in the error.
async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await.with_context(|| format!("while waiting until {what}"))? {
            return Ok(answer);
        }
        ensure!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks again until it is so.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    wait_for(what, async || Ok(ask().await?.then_some(()))).await
}
