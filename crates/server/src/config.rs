//! app-config: what the operator wishes, in the files and with the keys that Backstage uses.
//!
//! [`load`](load()) reads and merges the layers, checks every key against the one description in `keys.rs`, and
//! ends in a [`Config`]. What a message says of a value is only ever its kind: a value may be a secret.

mod build;
mod check;
pub mod edit;
mod finding;
mod keys;
pub mod load;
mod model;
pub(crate) mod node;
pub mod reference;
pub mod sources;
pub(crate) mod substitute;

pub(crate) use build::external::ALGORITHMS;
pub use finding::{Finding, Report, Severity, Unhonoured, Unset};
pub use load::{Loaded, load};
pub use model::{
    Apis, App, Audience, Auth, Backend, ClientAuthentication, ClientSecret, Config, DEFAULT_ENVIRONMENT, Database,
    DevelopmentUser, ExternalAccess, ExternalKind, Guest, HostSettings, Listen, Matching, OidcService, Organization,
    Permission, PluginConfig, PolicyRule, Proxy, ProxyCredentials, ProxyEndpoint, ProxyHeader, Resolver,
    SessionLifetimes, SignInProvider, SignInService, Telemetry, TrustedProxies, TryAllow, TryItOut, UserIdClaim,
};
