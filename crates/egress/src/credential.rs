//! What a request authenticates with.

mod scope;
mod sigv4;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use url::Url;

pub(crate) use self::{scope::Scope, sigv4::Signing};
use crate::{Error, Secret, scrub::Pattern};

/// A credential that is bound to an origin.
///
/// It is opaque: whoever holds it can have requests authenticated, inside its scope, and can read nothing of it.
#[derive(Clone)]
pub struct Credential {
    inner: Arc<Inner>,
}

struct Inner {
    scope: Scope,
    kind: Kind,
}

enum Kind {
    Header { name: HeaderName, value: Secret, masked: Vec<Secret> },
    Signed(Signing),
}

impl Credential {
    /// `Authorization: Bearer …` for one origin.
    pub fn bearer(origin: &Url, token: &Secret) -> Result<Self, Error> {
        let value = Secret::new(format!("Bearer {}", token.expose()));
        Self::in_header(origin, AUTHORIZATION, value, vec![token.clone()])
    }

    /// `Authorization: Basic …` for one origin.
    pub fn basic(origin: &Url, user: &str, password: &Secret) -> Result<Self, Error> {
        let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
        let value = Secret::new(format!("Basic {encoded}"));
        Self::in_header(origin, AUTHORIZATION, value, vec![Secret::new(encoded), password.clone()])
    }

    /// A header of its own, such as `Private-Token`, for one origin.
    pub fn header(origin: &Url, name: HeaderName, value: &Secret) -> Result<Self, Error> {
        Self::in_header(origin, name, value.clone(), Vec::new())
    }

    /// Signatures of AWS (version 4).
    pub(crate) fn sigv4(scope: Scope, signing: Signing) -> Self {
        Self { inner: Arc::new(Inner { scope, kind: Kind::Signed(signing) }) }
    }

    fn in_header(origin: &Url, name: HeaderName, value: Secret, mut masked: Vec<Secret>) -> Result<Self, Error> {
        masked.push(value.clone());
        if HeaderValue::from_str(value.expose()).is_err() {
            return Err(Error::Credential(format!(
                "the credential for {} holds a character that no header may hold, such as a line break",
                crate::target::origin(origin)
            )));
        }
        let kind = Kind::Header { name, value, masked };
        Ok(Self { inner: Arc::new(Inner { scope: Scope::origin(origin), kind }) })
    }

    /// Whether the credential signs requests, and so decides about some of their headers.
    pub(crate) fn signs(&self) -> bool {
        matches!(self.inner.kind, Kind::Signed(_))
    }

    /// Whether the URL lies where the credential is valid.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        self.inner.scope.covers(url)
    }

    /// Where the credential is valid.
    pub(crate) fn scope(&self) -> &Scope {
        &self.inner.scope
    }

    /// Adds what authenticates this request, and says what must not come back.
    ///
    /// The URL may be changed to an equivalent spelling that the signature is calculated over.
    pub(crate) async fn attach(&self, request: &mut reqwest::Request) -> Result<Vec<Pattern>, Error> {
        match &self.inner.kind {
            Kind::Header { name, value, masked } => {
                set_secret(request.headers_mut(), name.clone(), value.expose())?;
                Ok(masked.iter().map(|secret| Pattern::new(secret.expose())).collect())
            }
            Kind::Signed(signing) => signing.attach(request).await,
        }
    }

    /// Tells one credential from another without showing anything of it.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.inner.scope.to_string());
        match &self.inner.kind {
            Kind::Header { name, value, .. } => {
                hash.update(name.as_str());
                hash.update([0]);
                hash.update(value.expose());
            }
            Kind::Signed(signing) => hash.update(signing.identity()),
        }
        hash.finalize().into()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential(for {})", self.inner.scope)
    }
}

fn set_secret(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Error> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::Credential(format!("the value of the header {name} cannot be sent")))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
