//! The portal itself, started as `callboard serve` starts it: real server, real plugins, a database of its own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use callboard::config::load::load;
use callboard::config::sources::Sources;
use callboard_host::Compiler;
use callboard_model::api::{PluginInfo, PluginList, ProviderInfo};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use url::Url;

use crate::bucket::{ACCESS_KEY_ID, Bucket, SECRET_ACCESS_KEY};
use crate::client::Client;
use crate::environment;

/// How long something may take that happens by itself. Generous, because the machine does other things too; a test
/// that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// What every test's configuration adds to: a port that is free, and a guest who may sign in.
pub const BASE: &str = r#"
app: { title: Test portal }
backend: { listen: "127.0.0.1:0" }
auth:
  environment: development
  providers:
    guest: { userEntityRef: "user:default/guest" }
permission:
  policy:
    - { allow: ["*"], to: [signed-in] }
"#;

/// An address for a portal that others are told before it starts. As long as this is kept, nobody else gets it.
pub struct Reserved {
    /// Where the portal is to be.
    pub url: Url,
    /// Has the port and does not listen, so that the portal can.
    _port: TcpSocket,
}

impl Reserved {
    /// A port of loopback.
    pub fn new() -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).context("no port is free")?;
        Ok(Self { url: format!("http://{}/", socket.local_addr()?).parse()?, _port: socket })
    }

    /// What has a portal listen there, and know that it does.
    #[must_use]
    pub fn config(&self) -> Value {
        let url = self.url.origin().ascii_serialization();
        let listen = format!("127.0.0.1:{}", self.url.port().unwrap_or_default());
        json!({ "app": { "baseUrl": url }, "backend": { "baseUrl": url, "listen": listen } })
    }
}

/// A running portal, and a client that is signed in.
pub struct TestPortal {
    portal: callboard::Portal,
    client: Client,
    folder: TempDir,
}

impl TestPortal {
    /// Starts a portal whose app-config is this YAML, merged over [`BASE`].
    pub async fn start(config: impl std::fmt::Display) -> Result<Self> {
        Self::start_in(tempfile::tempdir().context("a folder for the portal")?, config).await
    }

    /// Starts one in a folder that may hold the data of an earlier one. `app-config.yaml` is written there, so that
    /// relative paths in it begin there.
    pub async fn start_in(folder: TempDir, config: impl std::fmt::Display) -> Result<Self> {
        std::fs::write(folder.path().join("base.yaml"), BASE)?;
        std::fs::write(folder.path().join("app-config.yaml"), config.to_string())?;
        let files = ["base.yaml", "app-config.yaml"].map(|file| folder.path().join(file)).to_vec();
        let portal = launch(files, None, folder.path()).await?;
        Self::of(portal, folder, "user:default/guest").await
    }

    /// Starts the portal of the clone's own app-config.yaml, over a bucket of the test's.
    pub async fn start_example(bucket: &Bucket) -> Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the portal")?;
        let layer = json!({
            "backend": { "listen": "127.0.0.1:0" },
            "integrations": { "awsS3": [{
                "endpoint": bucket.endpoint(),
                "s3ForcePathStyle": true,
                "accessKeyId": ACCESS_KEY_ID,
                "secretAccessKey": SECRET_ACCESS_KEY,
            }] },
            "catalog": { "providers": { "awsS3": { "bucketName": bucket.name() } } },
            "plugins": { "s3": { "source": environment::plugin("s3")?.display().to_string() } },
        });
        let file = folder.path().join("test.yaml");
        std::fs::write(&file, layer.to_string())?;
        let root = environment::root().canonicalize()?;
        let portal = launch(vec![root.join("app-config.yaml"), file], Some(&root), folder.path()).await?;
        Self::of(portal, folder, "user:default/ada").await
    }

    async fn of(portal: callboard::Portal, folder: TempDir, user: &str) -> Result<Self> {
        let mut client = Client::new(portal.url.clone());
        client.cookie = Some(sign_in(&client, user).await?);
        Ok(Self { portal, client, folder })
    }

    /// Stops it and starts it again with another configuration and the same data.
    pub async fn restart(self, config: impl std::fmt::Display) -> Result<Self> {
        let folder = self.stop().await?;
        Self::start_in(folder, config).await
    }

    /// Stops it and hands back its folder.
    pub async fn stop(self) -> Result<TempDir> {
        self.portal.shutdown().await;
        Ok(self.folder)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.client.base()
    }

    /// The folder of its configuration and data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client that is signed in: as guest, in the example as Ada.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client that is not signed in.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.url().clone())
    }

    /// A client that is signed in as somebody.
    pub async fn signed_in(&self, entity_ref: &str) -> Result<Client> {
        let mut client = self.anonymous();
        client.cookie = Some(sign_in(&client, entity_ref).await?);
        Ok(client)
    }

    /// An entity by its ref, as the API has it; none where there is none.
    pub async fn entity(&self, entity_ref: &str) -> Result<Option<Value>> {
        let refs = json!({ "entityRefs": [entity_ref] });
        let answer: Value = self.client.post("api/catalog/entities/by-refs", &refs).await?.ok()?.json()?;
        Ok(answer.pointer("/items/0").filter(|item| !item.is_null()).cloned())
    }

    /// How many entities a filter finds.
    pub async fn count(&self, filter: &str) -> Result<u64> {
        let path = format!("api/catalog/entities/by-query?limit=0&filter={filter}");
        let answer: Value = self.client.json(&path).await?;
        answer.get("totalItems").and_then(Value::as_u64).context("a total")
    }

    /// A plugin as the plugins page shows it.
    pub async fn plugin(&self, id: &str) -> Result<PluginInfo> {
        let list: PluginList = self.client.json("api/plugins").await?;
        list.items.into_iter().find(|plugin| plugin.id == id).with_context(|| format!("no plugin {id}"))
    }

    /// A provider of a plugin, once the plugin has said that it has it.
    pub async fn provider(&self, plugin: &str, name: &str) -> Result<ProviderInfo> {
        self.wait_for(&format!("the provider {name}"), async || {
            Ok(self.plugin(plugin).await?.providers.into_iter().find(|provider| provider.name == name))
        })
        .await
    }

    /// Runs a provider now and waits until that run has ended.
    pub async fn run_provider(&self, plugin: &str, name: &str) -> Result<ProviderInfo> {
        let before = self.idle(plugin, name).await?.last_run;
        self.client.post(&format!("api/plugins/{plugin}/providers/{name}/run"), &json!({})).await?.ok()?;
        self.wait_for(&format!("the end of a run of {name}"), async || {
            let provider = self.provider(plugin, name).await?;
            Ok((!provider.running && provider.last_run != before).then_some(provider))
        })
        .await
    }

    /// Waits until no run is under way and at least one has been.
    pub async fn idle(&self, plugin: &str, name: &str) -> Result<ProviderInfo> {
        self.wait_for(&format!("the first run of {name}"), async || {
            let provider = self.provider(plugin, name).await?;
            Ok((!provider.running && provider.last_run.is_some()).then_some(provider))
        })
        .await
    }

    /// Asks again until there is an answer. What is being waited for is in the error.
    pub async fn wait_for<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if begun.elapsed() > PATIENCE {
                let plugins = self.client.get("api/plugins").await.map(|answer| answer.text()).unwrap_or_default();
                bail!("waited in vain for {what}; the plugins are {plugins}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks again until it is so.
    pub async fn until(&self, what: &str, mut ask: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        self.wait_for(what, async || Ok(ask().await?.then_some(()))).await
    }

    /// Waits until an entity is there, and returns it.
    pub async fn until_entity(&self, entity_ref: &str) -> Result<Value> {
        self.wait_for(entity_ref, async || self.entity(entity_ref).await).await
    }

    /// Waits until an entity is gone.
    pub async fn until_gone(&self, entity_ref: &str) -> Result<()> {
        self.until(&format!("the end of {entity_ref}"), async || Ok(self.entity(entity_ref).await?.is_none())).await
    }
}

/// A configuration with all nine kinds allowed and one plugin, to which a test adds.
#[must_use]
pub fn with_plugin(id: &str, source: &Path, grant: &Value) -> Value {
    json!({
        "plugins": { id: { "source": source.display().to_string(), "grant": grant } },
        "catalog": { "rules": [{ "allow": KINDS }] },
    })
}

/// The kinds of the model.
pub const KINDS: [&str; 9] =
    ["Component", "API", "Resource", "System", "Domain", "User", "Group", "Location", "Template"];

/// Merges the second value into the first, as layers of app-config are merged.
pub fn merge(base: &mut Value, layer: Value) {
    match (base, layer) {
        (Value::Object(base), Value::Object(layer)) => {
            for (key, value) in layer {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, layer) => *base = layer,
    }
}

/// Starts the server as `callboard serve --config FILE…` would, over data in the folder.
async fn launch(files: Vec<PathBuf>, base_dir: Option<&Path>, data: &Path) -> Result<callboard::Portal> {
    let sources = Sources { files, dir: data.to_owned(), env: BTreeMap::new() };
    let loaded = load(&sources);
    let follow = Some(callboard::Follow { sources, strict: false });
    let Some(mut config) = loaded.config else {
        bail!("the configuration is refused:\n{}", loaded.report);
    };
    if let Some(base_dir) = base_dir {
        config.base_dir = base_dir.to_owned();
    }
    let data_dir = data.join("data");
    share_compiled_plugins(&data_dir)?;
    let compiler = Compiler { program: environment::server()?, arguments: vec!["compile-plugin".into()] };
    callboard::start(callboard::Options { config, listen: None, data_dir, compiler, follow })
        .await
        .context("the portal did not start")
}

/// Each component is compiled once for all portals of a run.
pub fn share_compiled_plugins(data_dir: &Path) -> Result<()> {
    let link = data_dir.join("cache");
    if link.exists() {
        return Ok(());
    }
    let shared = environment::cache()?;
    std::fs::create_dir_all(data_dir)?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&shared)?;
    std::os::unix::fs::symlink(shared.canonicalize()?, link).context("the folder of compiled plugins")
}

async fn sign_in(client: &Client, entity_ref: &str) -> Result<String> {
    let answer = client.post("api/session", &json!({ "entityRef": entity_ref })).await?;
    ensure!(answer.status.is_success(), "{entity_ref} cannot sign in: {}", answer.text());
    let cookie = answer.header("set-cookie").context("signing in set no cookie")?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
