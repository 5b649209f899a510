//! A host over a database in memory, and a small upstream.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use callboard_egress::resolver::{Resolve, SystemResolver};
use callboard_egress::{Egress, Settings};
use callboard_host::{
    Acting, CatalogError, CatalogPage, CatalogQuery, CatalogReader, Compiler, HostSettings, LimitOverrides, Limits,
    Plugin, PluginError, PluginHost, PluginSpec,
};
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::rights::Rights;
use callboard_model::ui::{Input, Node};
use callboard_store::{DatabaseConfig, Db, Kv};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Fixture {
    pub(crate) host: PluginHost,
    pub(crate) kv: Kv,
}

impl Fixture {
    pub(crate) async fn new() -> Fixture {
        let limits =
            Limits { ui_deadline: Duration::from_secs(2), page_deadline: Duration::from_secs(3), ..Limits::default() };
        Fixture::with(limits, &shared_cache()).await
    }

    pub(crate) async fn with(limits: Limits, cache: &Path) -> Fixture {
        Fixture::compiled_by(limits, cache, compiler()).await
    }

    pub(crate) async fn compiled_by(limits: Limits, cache: &Path, compiler: Compiler) -> Fixture {
        Fixture::of(limits, cache, compiler, Arc::new(SystemResolver)).await
    }

    pub(crate) async fn resolving(limits: Limits, cache: &Path, resolver: Arc<dyn Resolve>) -> Fixture {
        Fixture::of(limits, cache, compiler(), resolver).await
    }

    async fn of(limits: Limits, cache: &Path, compiler: Compiler, resolver: Arc<dyn Resolve>) -> Fixture {
        let db = Db::open(&DatabaseConfig::Memory).await.expect("a database in memory");
        let kv = Kv::new(db);
        let egress = Egress::with_resolver(Settings::default(), resolver).expect("egress");
        let settings = HostSettings { cache_dir: cache.to_owned(), compiler, limits, egress, kv: kv.clone() };
        Fixture { host: PluginHost::new(settings).expect("a host"), kv }
    }

    /// Loads a guest with the rights that its manifest asks for.
    pub(crate) async fn load(&self, name: &str) -> Plugin {
        self.load_with(name, json!({})).await
    }

    pub(crate) async fn load_with(&self, name: &str, config: Value) -> Plugin {
        self.host.load(spec(name, config)).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The message of the refusal.
    pub(crate) async fn refused(&self, spec: PluginSpec) -> String {
        self.host.load(spec).await.expect_err("refused").to_string()
    }
}

/// The host's own program for it, since a test cannot be started as a compiler.
pub(crate) fn compiler() -> Compiler {
    Compiler { program: env!("CARGO_BIN_EXE_callboard-compile-plugin").into(), arguments: Vec::new() }
}

/// A hostile guest by its name: see tests/guests.
#[derive(Clone, Copy)]
pub(crate) struct Guest(pub(crate) &'static str);

pub(crate) fn guest(name: &'static str) -> Guest {
    Guest(name)
}

impl Guest {
    /// What to load, with every right that it declares.
    pub(crate) fn spec(self) -> PluginSpec {
        spec(self.0, json!({}))
    }
}

/// The folder of the clone.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A guest that is granted what it declares.
pub(crate) fn spec(name: &str, config: Value) -> PluginSpec {
    let wasm = wasm(name);
    let grant = match callboard_host::inspect(&wasm) {
        Ok(inspection) => inspection.manifest.rights,
        Err(_) => Rights::default(),
    };
    PluginSpec {
        id: name.replace('_', "-"),
        source: format!("guests/{name}.wasm"),
        wasm,
        grant,
        kv_generation: 0,
        limits: LimitOverrides::default(),
        config,
    }
}

pub(crate) fn wasm(name: &str) -> Vec<u8> {
    if let Some(made) = callboard_guests::made::component(name) {
        return made;
    }
    let folder = std::env::var_os("CALLBOARD_GUESTS").unwrap_or_else(|| {
        panic!("CALLBOARD_GUESTS is not set: it names the folder of the hostile guests. `cargo xtask test` builds them and sets it")
    });
    let path = PathBuf::from(folder).join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` builds it", path.display()))
}

/// One folder for all tests of a run, so that each guest is compiled once.
pub(crate) fn shared_cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("host-cache")
}

/// Renders the extension that every guest has, and returns its text.
pub(crate) async fn attack(plugin: &Plugin) -> Result<String, PluginError> {
    let tree = plugin.render(&acting(Some("user:default/ada")), "attack", &Input::default()).await?;
    match tree.root {
        Node::Text(paragraph) => Ok(paragraph.text.to_string()),
        other => panic!("{other:?}"),
    }
}

/// For whom scheduled work is done.
pub(crate) fn nobody() -> Acting {
    acting(None)
}

/// Somebody, who may read nothing of the catalog.
pub(crate) fn acting(user: Option<&str>) -> Acting {
    Acting { user: user.map(str::to_owned), catalog: Arc::new(Unread) }
}

/// The catalog of whoever may read nothing of it.
pub(crate) struct Unread;

#[async_trait]
impl CatalogReader for Unread {
    async fn get(&self, _: &Predicate, _: &[EntityRef]) -> Result<Vec<Option<String>>, CatalogError> {
        Err(CatalogError::Denied("nobody may".to_owned()))
    }

    async fn query(&self, _: &Predicate, _: CatalogQuery) -> Result<CatalogPage, CatalogError> {
        Err(CatalogError::Denied("nobody may".to_owned()))
    }
}

/// An upstream on a loopback port: `/echo` repeats its request, `/redirect?<url>` redirects, `/silent` says
/// nothing, `/endless` never stops.
pub(crate) struct Upstream {
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, seen.clone()));
            }
        });
        Upstream { origin, requests }
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let first = head.lines().next().unwrap_or_default().to_owned();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(first);
    if let Some(to) = path.strip_prefix("/redirect?") {
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok()?;
    } else if path == "/silent" {
        std::future::pending::<()>().await;
    } else if path == "/endless" {
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.ok()?;
        loop {
            stream.write_all(&[b'x'; 65_536]).await.ok()?;
        }
    } else {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\nx-seen: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{head}",
            head.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
    stream.shutdown().await.ok()
}
