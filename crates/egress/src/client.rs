//! The HTTP clients: one for each reach, so that no request of the narrower one travels over a connection that only the
//! wider one may open.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::{
    Reach, Settings, SettingsError,
    resolver::{Guarded, Resolve},
};

/// An unused connection is closed after this time: long enough for the pages of one listing, short enough that a name
/// which moved is looked up again.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) struct Clients {
    public: reqwest::Client,
    named: reqwest::Client,
    /// As `named`, without HTTP/2, whose requests name their host in another way.
    named_http1: reqwest::Client,
}

impl Clients {
    pub(crate) fn new(settings: &Settings, resolver: Arc<dyn Resolve>) -> Result<Self, SettingsError> {
        let tls = tls()?;
        let build = |reach, tls: &ClientConfig| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(Arc::new(Guarded { resolver: resolver.clone(), reach }))
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.limits.connect_timeout)
                .pool_idle_timeout(IDLE)
                .build()
                .map_err(|error| SettingsError {
                    path: "backend".to_owned(),
                    message: format!("no HTTP client could be prepared: {error}"),
                })
        };
        let mut http1 = tls.clone();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            public: build(Reach::Public, &tls)?,
            named: build(Reach::Named, &tls)?,
            named_http1: build(Reach::Named, &http1)?,
        })
    }

    /// The one for a reach; for a request that names another host than its URL, only where the origin was named.
    pub(crate) fn get(&self, reach: Reach, names_host: bool) -> Option<&reqwest::Client> {
        match (reach, names_host) {
            (Reach::Public, false) => Some(&self.public),
            (Reach::Public, true) => None,
            (Reach::Named, false) => Some(&self.named),
            (Reach::Named, true) => Some(&self.named_http1),
        }
    }
}

/// TLS with the certificates that the system trusts, or where it has none those of Mozilla's programme.
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
fn tls() -> Result<ClientConfig, SettingsError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate of the system could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        tracing::info!("the system has no certificates; using the built-in ones");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError { path: "backend".to_owned(), message: format!("TLS: {error}") })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
