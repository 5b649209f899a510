//! Starts the portal: database, outgoing requests, plugins, catalog, HTTP.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callboard_catalog::{Catalog, Scm};
use callboard_egress::{Egress, Settings, SettingsError};
use callboard_host::{Compiler, HostError, HostSettings, Limits, PluginHost};
use callboard_store::{DatabaseConfig, Db, Kv, Outbox};
use http::{HeaderValue, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::adapter::catalog_reader::Scheduled;
use crate::audit::{AuditError, AuditLog, Recorder};
use crate::config::sources::Sources;
use crate::config::{Config, Database, Listen};
use crate::events;
use crate::http::apis::{Allowed, RateLimit};
use crate::http::health::{Lifecycle, Phase};
use crate::http::openapi;
use crate::http::proxy;
use crate::http::remembered::Answers;
use crate::http::server::Front;
use crate::http::state::{App, Parts};
use crate::http::viewer::{Viewer, ViewerError};
use crate::identity::origin::Origins;
use crate::identity::token::user::LIFETIME as USER_TOKEN_LIFETIME;
use crate::identity::{Clock, Directory, External, PersonalTokens, PushTokens, Sessions, SignIn, UserTokens};
use crate::metrics::Metrics;
use crate::plugins::{self, Keeper, Means, Plugins};
use crate::policy::{self, Live, Policy};
use crate::user_settings::UserSettings;

/// How long the answers that are under way may take when the portal ends.
const DRAIN: Duration = Duration::from_secs(10);

/// What to start.
pub struct Options {
    /// What the operator wishes.
    pub config: Config,
    /// Where to listen, instead of at `backend.listen`.
    pub listen: Option<Listen>,
    /// Where the database and the compiled plugins are kept.
    pub data_dir: PathBuf,
    /// What compiles plugins: for `callboard serve` it is `callboard` itself.
    pub compiler: Compiler,
    /// Where the configuration came from, to follow changes of its policy; none to keep the one that it has.
    pub follow: Option<Follow>,
}

/// A configuration that may change while the portal runs.
pub struct Follow {
    /// Where it is read again.
    pub sources: Sources,
    /// Whether warnings keep a change from being taken.
    pub strict: bool,
}

/// A portal that runs. Dropped without [`Portal::shutdown`], it goes on until its process ends.
pub struct Portal {
    /// Where it is reached from this machine.
    pub url: Url,
    /// Where it listens.
    pub address: SocketAddr,
    pub(crate) app: App,
    lifecycle: Lifecycle,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    catalog: JoinHandle<()>,
    keeper: JoinHandle<()>,
    events: JoinHandle<()>,
    recorder: Recorder,
    db: Db,
}

/// Why the portal does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not one of this machine's.
    #[error("cannot listen on {address}: {error}. Choose another with --listen or backend.listen in app-config")]
    Listen {
        /// As configured.
        address: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The folder for data cannot be made.
    #[error("the data folder {path} cannot be used: {error}")]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] callboard_store::Error),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// `integrations`, `aws` or `backend.reading`.
    #[error("app-config, {0}")]
    Egress(#[from] SettingsError),
    /// A part of app-config is not as its reader needs it.
    #[error("app-config, {path}: {message}")]
    Config {
        /// The key.
        path: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The plugin host itself; a plugin that cannot be loaded does not keep the portal from starting.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] callboard_catalog::Error),
    /// The viewer of API definitions.
    #[error(transparent)]
    Viewer(#[from] ViewerError),
}

/// Starts a portal and returns when it is ready. Until then it answers that it is starting.
///
/// # Errors
/// [`StartError`], for the operator. Nothing runs on.
pub async fn start(options: Options) -> Result<Portal, StartError> {
    let Options { config, listen, data_dir, compiler, follow } = options;
    let listen = listen.unwrap_or_else(|| config.backend.listen.clone());
    let listener = bind(&listen).await?;
    let address = listener.local_addr().map_err(|error| refused(&listen, error))?;
    let url = reachable(&listen, address)?;

    let lifecycle = Lifecycle::new();
    let metrics = Metrics::new();
    let front = Front::new(lifecycle.clone(), metrics.requests.clone());
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let service = front.router().into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
    let server = tokio::spawn(async move { serving.await });
    // Until the portal stands, an error must not leave the listener behind.
    let guard = stop.clone().drop_guard();

    let parts = build(&config, &data_dir, compiler, &url, metrics).await?;
    let (app, viewer, db) = (parts.app, parts.viewer, parts.db);
    let catalog = tokio::spawn(app.catalog.clone().run(stop.clone()));
    let keeper = tokio::spawn(parts.keeper.run(stop.clone()));
    let events = tokio::spawn(events::run(app.clone(), stop.clone()));
    if let Some(Follow { sources, strict }) = follow {
        let app = app.clone();
        tokio::spawn(policy::watch(sources, strict, stop.clone(), move |config| take(&app, config)));
    }
    let recorder = app.audit.start();
    lifecycle.depends_on(db.clone());
    front.open(openapi::portal(&app, viewer));
    guard.disarm();
    tracing::info!(%url, "ready");
    Ok(Portal { url, address, app, lifecycle, stop, server, catalog, keeper, events, recorder, db })
}

impl Portal {
    /// Ends the portal, after the answers that are under way.
    pub async fn shutdown(self) {
        self.lifecycle.enter(Phase::Stopping);
        self.stop.cancel();
        let Portal { mut server, mut catalog, mut keeper, mut events, recorder, db, .. } = self;
        let all = async { tokio::join!(&mut server, &mut catalog, &mut keeper, &mut events) };
        match tokio::time::timeout(DRAIN, all).await {
            Ok((Ok(Ok(())), Ok(()), Ok(()), Ok(()))) => {}
            Ok(ended) => tracing::error!("the portal did not end in order: {ended:?}"),
            Err(_) => {
                tracing::warn!("some answers took longer than {} s and were cut off", DRAIN.as_secs());
                server.abort();
                catalog.abort();
                keeper.abort();
                events.abort();
            }
        }
        recorder.finish().await;
        db.close().await;
    }
}

/// Takes over what may change while the portal runs.
pub(crate) fn take(app: &App, config: &Config) {
    if app.policy.replace(Policy::new(&config.permission)) {
        tracing::info!("the policy of app-config changed and is in force");
    }
    app.proxy.follow(config);
    app.plugins.follow(config);
}

struct Built {
    app: App,
    viewer: Viewer,
    db: Db,
    keeper: Keeper,
}

async fn build(
    config: &Config,
    data_dir: &std::path::Path,
    compiler: Compiler,
    url: &Url,
    metrics: Metrics,
) -> Result<Built, StartError> {
    tokio::fs::create_dir_all(data_dir)
        .await
        .map_err(|error| StartError::DataDir { path: data_dir.to_owned(), error })?;
    let db = Db::open(&database(config, data_dir)).await?;
    let clock = Clock::system();
    let sessions = Sessions::open(db.clone(), config.auth.session, clock.clone()).await?;
    let audit = AuditLog::open(db.clone()).await?;
    let user_settings = UserSettings::open(db.clone()).await?;
    let settings = Settings::from_values(&config.backend.reading, &config.integrations, &config.aws)?;
    let egress = Egress::new(settings)?;

    let overrides = plugins::overrides(&config.host.limits)
        .map_err(|error| StartError::Config { path: "host.limits", message: error.to_string() })?;
    let limits = Limits::default().with(&overrides).map_err(HostError::from)?;
    let host = PluginHost::new(HostSettings {
        cache_dir: data_dir.join("cache"),
        compiler,
        limits,
        egress: egress.clone(),
        kv: Kv::new(db.clone()),
    })?;
    let catalog = Catalog::open(db.clone(), egress.reader(), catalog_settings(config)?).await?;
    let policy = Live::new(Policy::new(&config.permission));
    let scheduled = Scheduled { catalog: catalog.clone(), policy: policy.clone() };
    let means =
        Means { host: host.clone(), egress: egress.clone(), db: db.clone(), catalog: catalog.clone(), scheduled };
    let (plugins, keeper) = Plugins::start(config, means).await?;

    let try_allow = config.apis.try_it_out.allow.iter().map(Allowed::parse).collect::<Result<_, _>>();
    let try_allow = try_allow.map_err(|message| StartError::Config { path: "apis.tryItOut.allow", message })?;

    let issuer =
        config.backend.base_url.as_ref().unwrap_or(url).as_str().trim_end_matches('/').to_owned() + "/api/auth";
    let user_tokens = UserTokens::open(db.clone(), issuer, USER_TOKEN_LIFETIME).await?;
    let base_url = config.app.base_url.as_ref().or(config.backend.base_url.as_ref()).unwrap_or(url);
    // What is registered with services is what Backstage would have them send people back to.
    let callback_base = config.backend.base_url.as_ref().unwrap_or(base_url);
    let sign_in = SignIn::new(&config.auth, callback_base, &egress, db.clone(), clock);
    let portal = base_url.as_str().parse().ok().and_then(|uri: Uri| uri.authority().cloned());
    let portal = portal.and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let proxy = proxy::Live::new(config, portal.unwrap_or(HeaderValue::from_static("localhost")))
        .map_err(|invalid| StartError::Config { path: "proxy.endpoints", message: invalid.message })?;
    let app = Arc::new(Parts {
        title: config.app.title.clone(),
        organization: config.organization.name.clone(),
        base_url: base_url.clone(),
        is_https: base_url.scheme() == "https",
        trusted_proxies: config.backend.trusted_proxies.clone(),
        catalog,
        answers: Answers::new(db.clone()),
        outbox: Outbox::new(db.clone()),
        plugins,
        host,
        metrics,
        external: External::new(&config.backend.external_access, &egress),
        personal_tokens: PersonalTokens::new(db.clone()),
        user_tokens,
        egress,
        policy,
        push_tokens: PushTokens::new(&config.catalog),
        sessions,
        audit,
        user_settings,
        directory: Directory::new(&config.auth),
        sign_in,
        origins: Origins::new([url].into_iter().chain(&config.app.base_url).chain(&config.backend.base_url)),
        proxy,
        try_allow,
        try_rate: RateLimit::new(),
    });
    Ok(Built { app, viewer: Viewer::load().await?, db, keeper })
}

fn catalog_settings(config: &Config) -> Result<callboard_catalog::Settings, StartError> {
    let settings = match &config.catalog {
        serde_json::Value::Null => Ok(callboard_catalog::Settings::default()),
        catalog => serde_json::from_value(catalog.clone()),
    };
    let mut settings: callboard_catalog::Settings =
        settings.map_err(|error| StartError::Config { path: "catalog", message: error.to_string() })?;
    settings.base_dir.clone_from(&config.base_dir);
    settings.scm_hosts = scm_hosts(&config.integrations);
    Ok(settings)
}

/// The hosts of git repositories in `integrations`, by their types.
fn scm_hosts(integrations: &serde_json::Value) -> BTreeMap<String, Scm> {
    const TYPES: [(&str, Scm); 6] = [
        ("github", Scm::Github),
        ("gitlab", Scm::Gitlab),
        ("bitbucket", Scm::Bitbucket),
        ("bitbucketCloud", Scm::Bitbucket),
        ("bitbucketServer", Scm::Bitbucket),
        ("azure", Scm::Azure),
    ];
    let mut hosts = BTreeMap::new();
    for (name, scm) in TYPES {
        let Some(listed) = integrations.get(name) else { continue };
        for one in listed.as_array().map_or(std::slice::from_ref(listed), Vec::as_slice) {
            if let Some(host) = one.get("host").and_then(serde_json::Value::as_str) {
                hosts.insert(host.to_lowercase(), scm);
            }
        }
    }
    hosts
}

pub(crate) fn database(config: &Config, data_dir: &std::path::Path) -> DatabaseConfig {
    match &config.backend.database {
        Database::Memory => DatabaseConfig::Memory,
        Database::DataDir => DatabaseConfig::File(data_dir.join("callboard.sqlite")),
        Database::Directory(folder) => DatabaseConfig::File(config.path(folder).join("callboard.sqlite")),
        Database::Postgres(server) => DatabaseConfig::Postgres(server.clone()),
    }
}

async fn bind(listen: &Listen) -> Result<TcpListener, StartError> {
    let bound = match &listen.host {
        Some(host) => TcpListener::bind((host.as_str(), listen.port)).await,
        // Every interface, IPv4 and IPv6; a machine without IPv6 has only the former.
        None => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, listen.port)).await {
            Ok(listener) => Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(error),
            Err(_) => TcpListener::bind(("0.0.0.0", listen.port)).await,
        },
    };
    bound.map_err(|error| refused(listen, error))
}

fn refused(listen: &Listen, error: std::io::Error) -> StartError {
    let host = listen.host.as_deref().unwrap_or_default();
    StartError::Listen { address: format!("{host}:{}", listen.port), error }
}

/// The address that a person on this machine would type.
fn reachable(listen: &Listen, address: SocketAddr) -> Result<Url, StartError> {
    let everywhere = address.ip().is_unspecified();
    let host = match &listen.host {
        Some(host) if !everywhere && !host.contains(':') => host.clone(),
        Some(_) if !everywhere => format!("[{}]", address.ip()),
        _ => "localhost".to_owned(),
    };
    Url::parse(&format!("http://{host}:{}/", address.port()))
        .map_err(|error| StartError::Config { path: "backend.listen", message: error.to_string() })
}
