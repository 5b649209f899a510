//! The URL of a request, and how it is shown.

use url::{Host, Url};

use crate::{Error, Reach, address};

/// Checks what can be checked of a URL before any rule or resolver is asked, and brings it into the form that rules are
/// compared with.
pub(crate) fn prepare(url: Url) -> Result<Url, Error> {
    let refuse = |reason: &str| Err(Error::Url { url: shown(&url), reason: reason.to_owned() });
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("only http and https can be requested");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a user name or password in a URL is not sent; remove the part before the @");
    }
    match url.host() {
        None => return refuse("it has no host"),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.split('.').any(|label| label.is_empty() || label.len() > 63) || name.len() > 253 {
                return refuse("its host is not a name");
            }
        }
        Some(_) => {}
    }
    if url.port() == Some(0) {
        return refuse("port 0 cannot be connected to");
    }
    let mut url = without_trailing_dot(url);
    url.set_fragment(None);
    Ok(url)
}

/// `example.com.` and `example.com` are the same host, and only one of them is written in rules.
pub(crate) fn without_trailing_dot(mut url: Url) -> Url {
    let trimmed = match url.host() {
        Some(Host::Domain(name)) => name.strip_suffix('.').map(str::to_owned),
        _ => None,
    };
    if let Some(name) = trimmed
        && url.set_host(Some(&name)).is_err()
    {
        // The name was valid with its dot; without it, it is shorter and nothing else.
        tracing::debug!("the host {name} could not be set again");
    }
    url
}

/// A host that is an address is never resolved, so it is checked here.
pub(crate) fn check_literal(url: &Url, reach: Reach) -> Result<(), Error> {
    let addr = match url.host() {
        Some(Host::Ipv4(addr)) => addr.into(),
        Some(Host::Ipv6(addr)) => addr.into(),
        _ => return Ok(()),
    };
    address::check(addr, reach).map_err(|reason| Error::Address {
        url: shown(url),
        host: url.host_str().unwrap_or_default().to_owned(),
        addr,
        reason,
        literal: true,
    })
}

/// Scheme, host and port.
pub(crate) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Host, and port unless it is the default one: as rules write it.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The URL for a message: without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    if url.host().is_none() {
        return format!("{}:…", url.scheme());
    }
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}{}{query}", origin(url), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |text: &str, expected: Result<&str, &str>| match (prepare(Url::parse(text).unwrap()), expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{text}: {error}");
                assert!(!error.to_string().contains("hunter2"), "{text}: {error}");
            }
            (seen, _) => panic!("{text}: {seen:?}"),
        };
        check("https://example.com/a?b#c", Ok("https://example.com/a?b"));
        check("https://example.com./a", Ok("https://example.com/a"));
        check("http://localhost.:8080/a", Ok("http://localhost:8080/a"));
        check("http://127.0.0.1./", Ok("http://127.0.0.1/"));
        check("HTTPS://EXAMPLE.com:443/", Ok("https://example.com/"));
        check("https:\\\\example.com\\a", Ok("https://example.com/a"));
        check("https://user@example.com/", Err("user name"));
        check("https://user:hunter2@example.com/?t=hunter2", Err("user name"));
        check("https://:hunter2@example.com/", Err("user name"));
        check("https://example.com../", Err("not a name"));
        check("http://a..b/", Err("not a name"));
        check("http://example.com:0/", Err("port 0"));
        check("file:///etc/passwd", Err("only http and https"));
        check("ftp://example.com/", Err("only http and https"));
        check("gopher://127.0.0.1:70/_x", Err("only http and https"));
        check("data:text/plain,hunter2", Err("only http and https"));
        check("javascript:alert(1)", Err("only http and https"));
        check("unix:/var/run/docker.sock", Err("only http and https"));
        check("ws://example.com/", Err("only http and https"));
    }

    #[test]
    fn shown_without_secrets() {
        let check = |text: &str, expected: &str| assert_eq!(shown(&Url::parse(text).unwrap()), expected);
        check("https://u:p@example.com:8443/a/b?token=x#y", "https://example.com:8443/a/b?…");
        check("http://[::1]/a", "http://[::1]/a");
    }
}
