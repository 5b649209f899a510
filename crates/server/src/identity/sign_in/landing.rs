//! Where a browser goes once somebody is signed in.

use url::Url;

/// What is put before a path to take it apart; nobody is ever sent there.
const ANYWHERE: &str = "http://portal.invalid/";

/// A page of the portal itself, with query and fragment: what can be sent as `Location` and leads nowhere else. It is an
/// address where that was wished, and a path otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing(String);

/// It leads elsewhere, or might.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("redirectUrl must be a path of the portal, such as /catalog, or an address below app.baseUrl")]
pub struct Elsewhere;

impl Landing {
    /// The first page.
    #[must_use]
    pub fn home() -> Landing {
        Landing("/".to_owned())
    }

    /// A wish: a path, or an address on the origin of `base`.
    ///
    /// It is taken apart as browsers do it and put together anew, and never compared as text. What a browser and a proxy
    /// before the portal may read in different ways is refused.
    ///
    /// # Errors
    /// It leads elsewhere, or might.
    pub fn parse(wish: &str, base: &Url) -> Result<Landing, Elsewhere> {
        // Browsers drop line ends and read `\` as `/`.
        if wish.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(Elsewhere);
        }
        let (url, origin) = match wish.starts_with('/') {
            true => {
                let anywhere = Url::parse(ANYWHERE).map_err(|_| Elsewhere)?;
                let url = anywhere.join(wish).map_err(|_| Elsewhere)?;
                if url.origin() != anywhere.origin() {
                    return Err(Elsewhere);
                }
                (url, String::new())
            }
            false => {
                let url = Url::parse(wish).map_err(|_| Elsewhere)?;
                // What is behind `blob:` has the origin of the page that made it.
                if !matches!(url.scheme(), "http" | "https") || url.origin() != base.origin() {
                    return Err(Elsewhere);
                }
                (url, base.origin().ascii_serialization())
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Elsewhere);
        }
        let path = url.path();
        let encoded = path.to_ascii_lowercase();
        // `/.//evil.example` is the path `//evil.example` once it is taken apart, and that would be another host.
        if path.starts_with("//") || encoded.contains("%2f") || encoded.contains("%5c") {
            return Err(Elsewhere);
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
        Ok(Landing(format!("{origin}{path}{query}{fragment}")))
    }

    /// One that was parsed before it was kept.
    #[must_use]
    pub(super) fn kept(landing: String) -> Landing {
        Landing(landing)
    }

    /// As `Location` has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landings() {
        let base = Url::parse("https://portal.example/").unwrap();
        let check = |wish: &str, expected: Option<&str>| {
            let found = Landing::parse(wish, &base);
            assert_eq!(found.as_ref().map(Landing::as_str).ok(), expected, "{wish:?}");
        };
        check("/", Some("/"));
        check("/catalog", Some("/catalog"));
        check(
            "/catalog/default/api/petstore?tab=definition#pets",
            Some("/catalog/default/api/petstore?tab=definition#pets"),
        );
        check("/search?q=https://evil.example", Some("/search?q=https://evil.example"));
        check("/a?next=%2F%2Fevil.example", Some("/a?next=%2F%2Fevil.example"));
        check("/a/../b", Some("/b"));
        check("/a:b@c", Some("/a:b@c"));
        check("https://portal.example", Some("https://portal.example/"));
        check("https://portal.example/catalog?x=1#y", Some("https://portal.example/catalog?x=1#y"));
        check("https://portal.example:443/a", Some("https://portal.example/a"));
        check("HTTPS://PORTAL.example/a/../b", Some("https://portal.example/b"));
        // Elsewhere, or possibly so (CVE-2026-32235).
        for wish in [
            "",
            "catalog",
            "https://evil.example/",
            "https://portal.example@evil.example/",
            "https://portal.example:x@evil.example/",
            "https://ada@portal.example/",
            "https://ada:pass@portal.example/",
            "https://portal.example.evil.example/",
            "https://evil.example/portal.example",
            "https://evil.example#https://portal.example/",
            "https://evil.example?https://portal.example/",
            "https://portal.example:8443/",
            "https://portal.example./",
            "http://portal.example/",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/a/..//evil.example",
            "/.//evil.example",
            "/./%2e//evil.example",
            "/%2e%2e//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "\u{1}//evil.example",
            "/\u{a0}/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://portal.example\\@evil.example/",
            "https://portal.example%2f@evil.example/",
            "https://portal.example//evil.example",
            "javascript:alert(1)",
            "JaVaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "blob:https://portal.example/x",
            "ftp://portal.example/",
            "null",
        ] {
            check(wish, None);
        }
    }
}
