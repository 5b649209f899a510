//! The registries that are asked, each with who asks and what it handed out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use callboard_egress::{Egress, Secret};
use url::Url;

use super::{Reaching, RegistryError, Repository, auth::Held, is_loopback};
use crate::registries::RegistrySettings;

/// All registries. Cheap to clone: clones share tokens.
#[derive(Clone)]
pub struct Registries {
    inner: Arc<Inner>,
}

struct Inner {
    egress: Egress,
    settings: Vec<RegistrySettings>,
    known: Mutex<HashMap<String, Arc<Registry>>>,
}

/// One registry. It remembers tokens, so it is worth keeping.
pub struct Registry {
    pub(super) egress: Egress,
    pub(super) host: String,
    /// Where its API is.
    pub(super) origin: Url,
    pub(super) reaching: Reaching,
    pub(super) login: Option<Login>,
    pub(super) held: Mutex<HashMap<String, Held>>,
}

/// Who asks.
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// The one registry whose API is not where its name says, and whose tokens come from a third place.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_API: &str = "https://registry-1.docker.io/";
const DOCKER_HUB_TOKENS: &str = "https://auth.docker.io/";

impl Registries {
    /// Registries over egress, with `plugins.registries` of app-config.
    ///
    /// # Errors
    /// An entry is incomplete or there twice.
    pub fn new(egress: Egress, settings: Vec<RegistrySettings>) -> Result<Self, RegistryError> {
        let mut checked: Vec<RegistrySettings> = Vec::with_capacity(settings.len());
        for entry in settings {
            let entry = check(entry)?;
            if checked.iter().any(|other| other.host == entry.host) {
                return Err(RegistryError::Settings(format!("{} is there twice: keep one", entry.host)));
            }
            checked.push(entry);
        }
        let inner = Inner { egress, settings: checked, known: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The registry of a repository.
    ///
    /// # Errors
    /// Its host makes no URL.
    pub fn of(&self, repository: &Repository) -> Result<Arc<Registry>, RegistryError> {
        let host = repository.host();
        let mut known = self.inner.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = known.get(host) {
            return Ok(registry.clone());
        }
        let settings = self.inner.settings.iter().find(|entry| entry.host == host);
        let registry = Arc::new(Registry::new(self.inner.egress.clone(), host, settings)?);
        known.insert(host.to_owned(), registry.clone());
        Ok(registry)
    }

    pub(crate) fn egress(&self) -> &Egress {
        &self.inner.egress
    }
}

impl Registry {
    fn new(egress: Egress, host: &str, settings: Option<&RegistrySettings>) -> Result<Self, RegistryError> {
        let parse = |text: &str| {
            Url::parse(text).map_err(|error| RegistryError::Settings(format!("{host} is no host: {error}")))
        };
        let mut origin = parse(&format!("https://{host}/"))?;
        if is_loopback(&origin) {
            // Nobody is on the way, and a certificate for such a name there is none.
            origin = parse(&format!("http://{host}/"))?;
        }
        let mut own = Vec::new();
        if host == DOCKER_HUB {
            origin = parse(DOCKER_HUB_API)?;
            own.push(parse(DOCKER_HUB_TOKENS)?);
        }
        own.push(origin.clone());
        own.extend(settings.into_iter().flat_map(|settings| settings.origins.iter().cloned()));
        let login = settings.and_then(|settings| {
            let (username, password) = (settings.username.clone()?, settings.password.clone()?);
            Some(Login { username, password })
        });
        let reaching = Reaching::registry(own);
        Ok(Self { egress, host: host.to_owned(), origin, reaching, login, held: Mutex::default() })
    }
}

fn check(mut entry: RegistrySettings) -> Result<RegistrySettings, RegistryError> {
    let host = Repository::parse(&entry.host, "any").map_err(|_| {
        RegistryError::Settings(format!("host: {:?} is no host: write it as in oci://<host>/…", entry.host))
    })?;
    entry.host = host.host().to_owned();
    if entry.username.is_some() != entry.password.is_some() {
        return Err(RegistryError::Settings(format!(
            "{} has one of username and password: it needs both, or none",
            entry.host
        )));
    }
    for origin in &entry.origins {
        let is_origin = origin.path() == "/" && origin.query().is_none() && origin.username().is_empty();
        if !is_origin || (origin.scheme() != "https" && !(origin.scheme() == "http" && is_loopback(origin))) {
            return Err(RegistryError::Settings(format!(
                "{}: origins: write https://host or https://host:port and nothing after it",
                entry.host
            )));
        }
    }
    Ok(entry)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("origin", &self.origin.as_str()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registries").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn registries(settings: Value) -> Result<Registries, RegistryError> {
        let settings = serde_json::from_value(settings).unwrap();
        Registries::new(Egress::new(callboard_egress::Settings::default()).unwrap(), settings)
    }

    #[test]
    fn where_it_answers() {
        let all = registries(json!([])).unwrap();
        for (host, origin) in [
            ("ghcr.io", "https://ghcr.io/"),
            ("docker.io", "https://registry-1.docker.io/"),
            ("registry.example.com:8443", "https://registry.example.com:8443/"),
            ("localhost:5000", "http://localhost:5000/"),
            ("127.0.0.1", "http://127.0.0.1/"),
            ("[::1]:5000", "http://[::1]:5000/"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/"),
        ] {
            let repository = Repository::parse(host, "a").unwrap();
            assert_eq!(all.of(&repository).unwrap().origin.as_str(), origin);
        }
    }

    #[test]
    fn settings() {
        let check = |settings: Value, part: &str| match (registries(settings.clone()), part) {
            (Ok(_), "") => {}
            (Err(error), part) if !part.is_empty() => {
                assert!(error.to_string().contains(part), "{settings}: {error}");
                assert!(!error.to_string().contains("hunter2"), "{settings}: {error}");
            }
            (seen, _) => panic!("{settings}: {seen:?}"),
        };
        check(json!([{"host": "ghcr.io", "username": "me", "password": "hunter2"}]), "");
        check(json!([{"host": "r.io", "origins": ["https://auth.r.io", "http://127.0.0.1:1"]}]), "");
        check(json!([{"host": "r.io"}, {"host": "R.io"}]), "there twice");
        check(json!([{"host": "https://r.io"}]), "no host");
        check(json!([{"host": "r.io", "username": "me"}]), "needs both");
        check(json!([{"host": "r.io", "password": "hunter2"}]), "needs both");
        check(json!([{"host": "r.io", "origins": ["https://auth.r.io/token"]}]), "nothing after it");
        check(json!([{"host": "r.io", "origins": ["http://auth.r.io"]}]), "nothing after it");
        check(json!([{"host": "r.io", "origins": ["https://hunter2@auth.r.io"]}]), "nothing after it");
        assert!(
            !format!("{:?}", registries(json!([{"host": "r.io", "username": "a", "password": "hunter2"}])))
                .contains("hunter2")
        );
    }
}
