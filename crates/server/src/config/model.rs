//! The typed form of app-config: what the rest of the server reads.

mod external;
mod proxy;
mod sign_in;
mod telemetry;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use callboard_artifact::Source;
use callboard_artifact::registries::RegistrySettings;
use callboard_artifact::trust::TrustSettings;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::rights::Rights;
use callboard_store::PostgresConfig;
use serde_json::Value;
use url::Url;

use super::node::Origin;

pub use external::{ExternalAccess, ExternalKind};
pub use proxy::{Proxy, ProxyCredentials, ProxyEndpoint, ProxyHeader};
pub use sign_in::{
    ClientAuthentication, ClientSecret, Matching, OidcService, Resolver, SignInProvider, SignInService, UserIdClaim,
};
pub use telemetry::Telemetry;
pub use trust::TrustedProxies;

/// The whole configuration, checked.
#[derive(Clone)]
pub struct Config {
    /// `app`.
    pub app: App,
    /// `organization`.
    pub organization: Organization,
    /// `backend`.
    pub backend: Backend,
    /// `integrations`, in app-config's shape; `null` where absent.
    pub integrations: Value,
    /// `aws`, in app-config's shape; `null` where absent.
    pub aws: Value,
    /// `catalog`, in app-config's shape; `null` where absent.
    pub catalog: Value,
    /// `plugins`, in the order of the file.
    pub plugins: Vec<PluginConfig>,
    /// `plugins.trust` and `plugins.registries`.
    pub artifacts: Artifacts,
    /// `host`.
    pub host: HostSettings,
    /// `permission`.
    pub permission: Permission,
    /// `auth`.
    pub auth: Auth,
    /// `apis`.
    pub apis: Apis,
    /// `proxy`.
    pub proxy: Proxy,
    /// Everything, merged and substituted. It contains secrets: it is only for the host, which hands each plugin the
    /// part that its manifest describes and its grant names.
    pub raw: Value,
    /// The folder of the first file. Relative paths in the configuration start here.
    pub base_dir: PathBuf,
}

impl Config {
    /// The plugin with this key in `plugins`.
    #[must_use]
    pub fn plugin(&self, id: &str) -> Option<&PluginConfig> {
        self.plugins.iter().find(|plugin| plugin.id == id)
    }

    /// A path of the configuration, from [`Config::base_dir`].
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }
}

/// The parts that may hold a secret are left out.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("app", &self.app)
            .field("organization", &self.organization)
            .field("backend", &self.backend)
            .field("plugins", &self.plugins)
            .field("permission", &self.permission)
            .field("auth", &self.auth)
            .field("apis", &self.apis)
            .field("base_dir", &self.base_dir)
            .finish_non_exhaustive()
    }
}

/// How the portal calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// In the page's header and title.
    pub title: String,
    /// Where a browser finds the portal; [`Backend::base_url`] where absent.
    pub base_url: Option<Url>,
}

/// Whose portal it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// For people.
    pub name: Option<String>,
}

/// The server itself.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where it listens.
    pub listen: Listen,
    /// The base of the URLs that it writes; `http://localhost:<port>` where absent.
    pub base_url: Option<Url>,
    /// Where it keeps its data.
    pub database: Database,
    /// `backend.reading`, in app-config's shape; `null` where absent.
    pub reading: Value,
    /// `backend.auth.externalAccess`.
    pub external_access: Vec<ExternalAccess>,
    /// `backend.trustProxy`.
    pub trusted_proxies: TrustedProxies,
    /// `backend.telemetry`; none where no traces are sent.
    pub telemetry: Option<Telemetry>,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// A name or an address; every interface where absent.
    pub host: Option<String>,
    /// 0 lets the system choose.
    pub port: u16,
}

impl Listen {
    /// `7007`, `:7007`, `host:7007` or `[::1]:7007`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        Some(Self { host: Self::host(host), port: port.parse().ok()? })
    }

    /// A name or an address as it is written; none where it stands for every interface.
    pub(super) fn host(written: &str) -> Option<String> {
        let host = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(written);
        (!host.is_empty() && host != "*").then(|| host.to_owned())
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { host: None, port: 7007 }
    }
}

/// Where the data is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Database {
    /// `callboard.sqlite` in the data folder.
    #[default]
    DataDir,
    /// `callboard.sqlite` in this folder.
    Directory(PathBuf),
    /// Nowhere: gone when the server stops.
    Memory,
    /// On a PostgreSQL server.
    Postgres(Box<PostgresConfig>),
}

/// Where plugins may come from, and who must have signed them.
#[derive(Clone, Debug, Default)]
pub struct Artifacts {
    /// `plugins.trust`.
    pub trust: TrustSettings,
    /// `plugins.registries`.
    pub registries: Vec<RegistrySettings>,
}

/// One plugin of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginConfig {
    /// Its key in `plugins`.
    pub id: String,
    /// As it is written, for messages and the plugins page.
    pub source: String,
    /// The same, from the folder of the configuration.
    pub path: PathBuf,
    /// The same, as what it stands for.
    pub from: Source,
    /// What the operator allows it.
    pub grant: Rights,
    /// Whether it runs; where absent, the portal's plugins page decides.
    pub enabled: Option<bool>,
    /// Limits that differ from the host's, by name; `null` where absent.
    pub limits: Value,
}

/// What holds for every plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSettings {
    /// Limits that differ from the built-in ones, by name; `null` where absent.
    pub limits: Value,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    /// False: whoever is signed in may do everything.
    pub enabled: bool,
    /// Rules that allow; what none allows is denied. Absent: whoever is signed in reads, whoever owns changes.
    pub policy: Option<Vec<PolicyRule>>,
    /// Who has which role. Roles are not members of roles.
    pub roles: BTreeMap<String, Vec<Audience>>,
}

impl Default for Permission {
    fn default() -> Self {
        Self { enabled: true, policy: None, roles: BTreeMap::new() }
    }
}

/// One rule of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule {
    /// For people: in explanations and the audit log.
    pub name: Arc<str>,
    /// Where it is written; none of a rule that app-config does not have.
    pub origin: Option<Origin>,
    /// Permission names such as `catalog.entity.read`; `*` stands for the rest of one segment's name, or, as the
    /// last segment, for all that follow.
    pub allow: Vec<String>,
    /// For whom.
    pub to: Vec<Audience>,
    /// For which entities; all where absent.
    pub condition: Option<Predicate>,
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever asks, signed in or not.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// This user, or the members of this group.
    Entity(EntityRef),
    /// Whoever has this role.
    Role(String),
    /// The plugin with this id, where it works for nobody in particular.
    Plugin(String),
}

/// As it is written.
impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audience::Anyone => f.write_str("anyone"),
            Audience::SignedIn => f.write_str("signed-in"),
            Audience::Entity(entity_ref) => entity_ref.fmt(f),
            Audience::Role(role) => write!(f, "role:{role}"),
            Audience::Plugin(id) => write!(f, "plugin:{id}"),
        }
    }
}

/// The ways to sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// `development` or the name of another environment.
    pub environment: Option<String>,
    /// Present where a guest may sign in.
    pub guest: Option<Guest>,
    /// Users that may be chosen without any proof; only ever filled where the environment is `development`.
    pub development_users: Vec<DevelopmentUser>,
    /// Whether a guest is configured, and may not sign in because of the environment.
    pub is_guest_refused: bool,
    /// The services where people sign in.
    pub providers: Vec<SignInProvider>,
    /// How long somebody stays signed in.
    pub session: SessionLifetimes,
}

/// The environment where app-config names none.
pub const DEFAULT_ENVIRONMENT: &str = "production";

/// How long somebody stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// Without doing anything.
    pub idle: Duration,
    /// Whatever they do.
    pub absolute: Duration,
}

/// Whoever uses the portal each day signs in once a week.
impl Default for SessionLifetimes {
    fn default() -> Self {
        Self { idle: Duration::from_secs(12 * 60 * 60), absolute: Duration::from_secs(7 * 24 * 60 * 60) }
    }
}

/// Who the guest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// `user:development/guest` where app-config says nothing.
    pub user_entity_ref: EntityRef,
    /// The refs that the guest owns things by, beyond what the catalog says.
    pub ownership_entity_refs: Vec<EntityRef>,
}

/// A user to choose at sign-in, for development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevelopmentUser {
    /// Who it is.
    pub entity_ref: EntityRef,
    /// For people; the name of the ref where absent.
    pub display_name: Option<String>,
}

/// What the API pages may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apis {
    /// "Try it out".
    pub try_it_out: TryItOut,
}

/// The requests that "Try it out" may send beyond GET, HEAD and OPTIONS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TryItOut {
    /// All of them.
    pub allow: Vec<TryAllow>,
}

/// Methods allowed for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryAllow {
    /// `api.example.com`, `api.example.com:8443` or `*.example.com`, as in `backend.reading.allow`.
    pub host: String,
    /// In upper case.
    pub methods: BTreeSet<String>,
}
