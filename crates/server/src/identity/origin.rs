//! Whether a request that changes something comes from a page of the portal itself.

use axum::http::{HeaderMap, header};
use url::{Host, Url};

/// The origins that pages of the portal have.
#[derive(Clone, Debug)]
pub struct Origins {
    known: Vec<url::Origin>,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// Another site's page sent it, or the portal is reached under a name that it does not know.
    #[error(
        "requests that change something must come from the portal's own pages, and this one came from {0}. If that is \
         where you open the portal, set app.baseUrl to it in app-config"
    )]
    Origin(String),
    /// It carries a session, and nothing says which page sent it.
    #[error(
        "a request that changes something and carries a session must also carry the header Origin; set it to the \
         portal's address"
    )]
    Missing,
}

impl Origins {
    /// The origins of `app.baseUrl` and `backend.baseUrl`.
    #[must_use]
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Origins {
        Origins { known: urls.into_iter().map(Url::origin).collect() }
    }

    /// Checks the header `Origin`, which browsers set on every such request and pages cannot change.
    ///
    /// An origin counts as the portal's own where the configuration names it, or where it is the host that was asked
    /// and that host is this machine's name or a plain address. Any other name could be one that points here only for
    /// the moment (DNS rebinding), so it must be configured.
    ///
    /// # Errors
    /// [`Foreign`], for the person who reads the answer.
    pub fn check(&self, headers: &HeaderMap, has_session: bool) -> Result<(), Foreign> {
        let Some(origin) = headers.get(header::ORIGIN) else {
            // Without a browser there is no page that could abuse somebody's session.
            return if has_session { Err(Foreign::Missing) } else { Ok(()) };
        };
        let text = String::from_utf8_lossy(origin.as_bytes());
        let own = Url::parse(&text).is_ok_and(|url| self.known.contains(&url.origin()) || is_local(&url, headers));
        if own { Ok(()) } else { Err(Foreign::Origin(text.escape_default().to_string())) }
    }
}

fn is_local(origin: &Url, headers: &HeaderMap) -> bool {
    let asked = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    let Some(asked) = asked else { return false };
    let same = asked.origin() == origin.origin();
    let unmistakable = match origin.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    };
    same && unmistakable
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn origins() {
        let base = Url::parse("https://portal.example/").unwrap();
        let origins = Origins::new([&base]);
        let check = |origin: Option<&str>, host: &str, session: bool, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            assert_eq!(origins.check(&headers, session).is_ok(), expected, "{origin:?} at {host}, session {session}");
        };
        check(Some("https://portal.example"), "portal.example", true, true);
        check(Some("https://portal.example"), "10.0.0.7:7007", true, true);
        check(Some("http://portal.example"), "portal.example", true, false);
        check(Some("https://portal.example:8443"), "portal.example:8443", true, false);
        check(Some("http://localhost:7007"), "localhost:7007", true, true);
        check(Some("http://127.0.0.1:7007"), "127.0.0.1:7007", true, true);
        check(Some("http://[::1]:7007"), "[::1]:7007", true, true);
        check(Some("http://localhost"), "localhost", true, true);
        check(Some("http://localhost:3000"), "localhost:7007", true, false);
        check(Some("http://localhost:7007"), "127.0.0.1:7007", true, false);
        check(Some("https://evil.example"), "portal.example", true, false);
        check(Some("https://evil.example"), "portal.example", false, false);
        check(Some("http://rebound.example:7007"), "rebound.example:7007", false, false);
        check(Some("null"), "localhost:7007", true, false);
        check(Some("file://"), "localhost:7007", true, false);
        check(Some(""), "localhost:7007", true, false);
        check(None, "localhost:7007", true, false);
        check(None, "localhost:7007", false, true);
    }
}
