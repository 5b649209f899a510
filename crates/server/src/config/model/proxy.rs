//! `proxy`: services that requests are passed on to.

use std::time::Duration;

use callboard_egress::Secret;

/// The endpoints, without those that are not valid where `skipInvalidProxies` leaves them out.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// In the order of the file.
    pub endpoints: Vec<ProxyEndpoint>,
}

/// One of them, as it is written.
#[derive(Clone, Debug)]
pub struct ProxyEndpoint {
    /// Its key, such as `/grafana/api`.
    pub route: String,
    /// The service's URL.
    pub target: String,
    /// Whether the service gets its own host's name, instead of the portal's. [`host`](Self::host) wins.
    pub change_origin: bool,
    /// Expressions and what replaces their match, the first that matches; where absent, the route is taken off.
    pub path_rewrite: Option<Vec<(String, String)>>,
    /// What the service is told that it is called, of `headers`.
    pub host: Option<String>,
    /// What is set on every request.
    pub headers: Vec<ProxyHeader>,
    /// GET and HEAD where absent.
    pub allowed_methods: Option<Vec<String>>,
    /// What passes in both directions, beside what always does.
    pub allowed_headers: Vec<String>,
    /// Who may use it.
    pub credentials: ProxyCredentials,
    /// For how long nothing may move.
    pub timeout: Duration,
}

/// A header that app-config sets.
#[derive(Clone, Debug)]
pub struct ProxyHeader {
    /// As it is written.
    pub name: String,
    /// Nothing shows it, secret or not.
    pub value: Secret,
    /// Whether it came out of the environment or a file.
    pub is_substituted: bool,
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyCredentials {
    /// Whoever is signed in, or a service, and has the endpoint's permission.
    #[default]
    Require,
    /// The same, and the target gets the `Authorization` that they sent.
    Forward,
    /// Everybody.
    DangerouslyAllowUnauthenticated,
}
