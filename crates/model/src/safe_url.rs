//! URLs that may stand behind a link.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

/// A URL that is safe to click: an absolute `http`, `https` or `mailto` URL, or a path of the portal that starts with
/// a single `/`.
///
/// Everything else is refused, and so is what a browser would read in another way than a person: control characters,
/// backslashes, and credentials before the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// Checks the text and keeps it as it is.
    pub fn parse(text: &str) -> Result<Self, UnsafeUrl> {
        let refuse = |reason| Err(UnsafeUrl { url: shown(text), reason });
        if let Err(reason) = plain(text) {
            return refuse(reason);
        }
        if text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        let Ok(url) = Url::parse(text) else {
            return refuse("it is neither absolute nor a path that starts with \"/\"");
        };
        match url.scheme() {
            "mailto" => Ok(Self(text.to_owned())),
            "http" | "https" if !has_authority(text) => refuse("\"//\" must follow the scheme"),
            "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
                refuse("it holds a user name or password before the host")
            }
            "http" | "https" => Ok(Self(text.to_owned())),
            _ => refuse("only http, https and mailto may be linked to"),
        }
    }

    /// Whether it leads out of the portal.
    pub fn is_external(&self) -> bool {
        !self.0.starts_with('/')
    }
}

/// What is asked of every link: every reader sees the same characters, and a path stays on this host.
fn plain(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Err("it holds a control character or a space; percent-encode it")
    } else if text.contains('\\') {
        Err("it holds a backslash; percent-encode it as %5C")
    } else if text.starts_with("//") {
        Err("it starts with \"//\" and so names another host; write https:// and the host")
    } else {
        Ok(())
    }
}

fn has_authority(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"))
}

/// What a message shows of a text that may hold anything.
fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

impl AsRef<str> for SafeUrl {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SafeUrl {
    type Err = UnsafeUrl;

    fn from_str(text: &str) -> Result<Self, UnsafeUrl> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for SafeUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A path of the portal that is safe to link to: it starts with a single `/`.
///
/// It is a type of its own because telling that takes no parser of URLs, which is large, and what is shown first in the
/// browser has such paths and no other links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PortalPath(String);

impl PortalPath {
    /// Checks the text and keeps it as it is.
    pub fn parse(text: &str) -> Result<Self, UnsafeUrl> {
        let refuse = |reason| Err(UnsafeUrl { url: shown(text), reason });
        match plain(text) {
            Err(reason) => refuse(reason),
            Ok(()) if !text.starts_with('/') => refuse("a path of the portal is wanted here, such as /catalog"),
            Ok(()) => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for PortalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PortalPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a URL may not be linked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{url}\" is no safe URL: {reason}")]
pub struct UnsafeUrl {
    /// The text, with what cannot be printed escaped and cut after 200 characters.
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Whether a browser would run the text as a `javascript:` URL: in any case, with leading control characters and
/// spaces, and with tabs and line ends anywhere in the scheme.
pub fn is_script(text: &str) -> bool {
    let mut rest = text.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\r' | '\n'));
    "javascript:".chars().all(|expected| rest.next().is_some_and(|c| c.eq_ignore_ascii_case(&expected)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse() {
        fn check(text: &str, safe: bool) {
            let found = SafeUrl::parse(text);
            assert_eq!(found.is_ok(), safe, "{text:?}: {found:?}");
            assert_eq!(serde_json::from_value::<SafeUrl>(text.into()).is_ok(), safe, "{text:?}");
            let is_path = safe && text.starts_with('/');
            assert_eq!(PortalPath::parse(text).is_ok(), is_path, "{text:?}");
            assert_eq!(serde_json::from_value::<PortalPath>(text.into()).is_ok(), is_path, "{text:?}");
        }
        for text in [
            "https://example.com",
            "http://example.com:8080/a?b=c#d",
            "HTTPS://example.com/",
            "https://example.com/javascript:alert(1)",
            "mailto:ada@example.com",
            "/",
            "/catalog/default/api/petstore?tab=definition",
            "/a//b",
            "/javascript:alert(1)",
        ] {
            check(text, true);
        }
        for text in [
            "",
            "javascript:alert(1)",
            "JaVa\tscript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:msgbox(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:\\\\evil.example",
            "https://",
            "https://good.example@evil.example/",
            "https://user:secret@example.com/",
            "https://example.com/a b",
            "https://example.com/\u{0}",
            "https://example.com/\u{85}",
            "file:///etc/passwd",
            "ftp://example.com",
            "blob:https://example.com/x",
            "about:blank",
            "example.com",
            "./x",
            "x",
            "#x",
            "?x",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn external() {
        assert!(SafeUrl::parse("https://example.com").unwrap().is_external());
        assert!(!SafeUrl::parse("/catalog").unwrap().is_external());
    }

    #[test]
    fn message() {
        assert_eq!(
            SafeUrl::parse("data:x").unwrap_err().to_string(),
            "\"data:x\" is no safe URL: only http, https and mailto may be linked to",
        );
        assert!(SafeUrl::parse("\u{1}x").unwrap_err().to_string().starts_with("\"\\u{1}x\" is no safe URL"));
    }

    #[test]
    fn script() {
        for text in ["javascript:", "JAVASCRIPT:x", "\u{1} \tjava\r\nscript\t:x", "\n javascript:"] {
            assert!(is_script(text), "{text:?}");
        }
        for text in ["", "javascript", "xjavascript:", "java script:", "https://javascript:1/", "/javascript:"] {
            assert!(!is_script(text), "{text:?}");
        }
    }
}
