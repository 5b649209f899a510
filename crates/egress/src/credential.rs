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

/// A header that is set for an origin, and nowhere else.
#[derive(Clone, Debug)]
pub struct SetHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value, which nothing shows.
    pub value: Secret,
    /// Whether the value is masked in what comes back, with the parts of `Bearer …`, `Token token=…` and `Basic …` that
    /// would do without the rest. What is no secret is better left: an answer may have the same word in it.
    pub is_masked: bool,
}

enum Kind {
    Headers { headers: Vec<(HeaderName, Secret)>, masked: Vec<Secret> },
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

    /// Several headers, for one origin.
    pub fn headers(origin: &Url, headers: impl IntoIterator<Item = SetHeader>) -> Result<Self, Error> {
        let mut masked = Vec::new();
        let headers = headers.into_iter().map(|SetHeader { name, value, is_masked }| {
            if is_masked {
                masked.push(value.clone());
                masked.extend(telling(value.expose()).into_iter().map(Secret::new));
            }
            (name, value)
        });
        let headers = headers.collect();
        Self::in_headers(origin, headers, masked)
    }

    /// Signatures of AWS (version 4).
    pub(crate) fn sigv4(scope: Scope, signing: Signing) -> Self {
        Self { inner: Arc::new(Inner { scope, kind: Kind::Signed(signing) }) }
    }

    fn in_header(origin: &Url, name: HeaderName, value: Secret, mut masked: Vec<Secret>) -> Result<Self, Error> {
        masked.push(value.clone());
        Self::in_headers(origin, vec![(name, value)], masked)
    }

    fn in_headers(origin: &Url, headers: Vec<(HeaderName, Secret)>, masked: Vec<Secret>) -> Result<Self, Error> {
        if headers.iter().any(|(_, value)| HeaderValue::from_str(value.expose()).is_err()) {
            return Err(Error::Credential(format!(
                "the credential for {} holds a character that no header may hold, such as a line break",
                crate::target::origin(origin)
            )));
        }
        let kind = Kind::Headers { headers, masked };
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
            Kind::Headers { headers, masked } => {
                for (name, value) in headers {
                    set_secret(request.headers_mut(), name.clone(), value.expose())?;
                }
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
            Kind::Headers { headers, .. } => {
                for (name, value) in headers {
                    hash.update(name.as_str());
                    hash.update([0]);
                    hash.update(value.expose());
                    hash.update([0]);
                }
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

/// A shorter parameter of a header's value is more likely a word than a secret.
const SHORTEST_PARAMETER: usize = 8;

/// The parts of a header's value that would do without the rest: what follows the scheme, the values of its parameters,
/// and what basic authentication only encodes.
fn telling(value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let after_scheme = value.split_once(' ').map_or(value, |(_, rest)| rest.trim());
    parts.push(after_scheme.to_owned());
    let parameters = value.split([' ', ',', ';', '&']).filter_map(|part| part.split_once('='));
    let values = parameters.map(|(_, value)| value.trim_matches(['"', '\'', '=']));
    parts.extend(values.filter(|value| value.len() >= SHORTEST_PARAMETER).map(str::to_owned));
    let decoded = STANDARD.decode(after_scheme).ok().and_then(|decoded| String::from_utf8(decoded).ok());
    if let Some((user, password)) = decoded.as_deref().and_then(|decoded| decoded.split_once(':')) {
        parts.push(format!("{user}:{password}"));
        parts.push(password.to_owned());
        // Some services take the key in the place of the user, and no password.
        parts.extend(password.is_empty().then(|| user.to_owned()));
    }
    parts.retain(|part| part != value);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_a_secret() {
        fn check(value: &str, expected: &[&str]) {
            assert_eq!(telling(value), expected, "{value}");
        }
        check("s3cr3t-key", &[]);
        check("Bearer s3cr3t-key", &["s3cr3t-key"]);
        check("Token token=s3cr3t-key", &["token=s3cr3t-key", "s3cr3t-key"]);
        check("Token token=\"s3cr3t-key\"", &["token=\"s3cr3t-key\"", "s3cr3t-key"]);
        check("a=short; session=s3cr3t-key", &["session=s3cr3t-key", "s3cr3t-key"]);
        check("Basic dXNlcjpzM2NyM3Q=", &["dXNlcjpzM2NyM3Q=", "user:s3cr3t", "s3cr3t"]);
        check("Basic czNjcjN0Og==", &["czNjcjN0Og==", "s3cr3t:", "", "s3cr3t"]);
    }
}
