//! `backend.reading.allow`: what may be read besides the integrations.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::Error as _};
use url::Url;

use super::HostPattern;
use crate::Reach;

/// One entry of `backend.reading.allow`.
#[derive(Clone, Debug, Deserialize)]
pub struct ReadingRule {
    /// The host or hosts.
    pub host: HostPattern,
    /// Path prefixes, compared by whole segments; every path if absent.
    #[serde(default, deserialize_with = "paths")]
    pub paths: Option<Vec<String>>,
}

impl ReadingRule {
    /// Whether the rule permits the URL, and how far.
    pub fn permits(&self, url: &Url) -> Option<Reach> {
        let reach = self.host.matches(url)?;
        match &self.paths {
            None => Some(reach),
            Some(prefixes) => path_is_below(url.path(), prefixes).then_some(reach),
        }
    }
}

/// The URL parser has resolved plain and percent-encoded dot segments already. What it leaves alone is an encoded
/// slash or a backslash, which some servers decode before they look for the file; so no `..` may hide behind one.
fn path_is_below(path: &str, prefixes: &[String]) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if decoded.split(['/', '\\']).any(|segment| segment == "..") {
        return false;
    }
    prefixes.iter().any(|prefix| match path.strip_prefix(prefix.trim_end_matches('/')) {
        Some(rest) if prefix.ends_with('/') => rest.starts_with('/'),
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    })
}

fn paths<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let paths = Option::<Vec<String>>::deserialize(deserializer)?;
    if let Some(wrong) = paths.iter().flatten().find(|path| !path.starts_with('/')) {
        return Err(D::Error::custom(format!("the path '{wrong}' must start with '/'")));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_by_segment() {
        let check = |paths: serde_json::Value, url: &str, expected: bool| {
            let rule: ReadingRule = serde_json::from_value(json!({"host": "example.com", "paths": paths})).unwrap();
            assert_eq!(rule.permits(&Url::parse(url).unwrap()).is_some(), expected, "{paths} {url}");
        };
        check(json!(["/api"]), "https://example.com/api", true);
        check(json!(["/api"]), "https://example.com/api/", true);
        check(json!(["/api"]), "https://example.com/api/v1?x=/other", true);
        check(json!(["/api"]), "https://example.com/apis", false);
        check(json!(["/api"]), "https://example.com/", false);
        check(json!(["/api/"]), "https://example.com/api", false);
        check(json!(["/api/"]), "https://example.com/api/v1", true);
        check(json!(["/"]), "https://example.com/anything", true);
        check(json!(["/a", "/b"]), "https://example.com/b/c", true);
        check(json!([]), "https://example.com/b/c", false);
        check(json!(["/api"]), "https://example.com/api/../secret", false);
        check(json!(["/api"]), "https://example.com/api/%2e%2e/secret", false);
        check(json!(["/api"]), "https://example.com/api/..%2fsecret", false);
        check(json!(["/api"]), "https://example.com/api/..%5Csecret", false);
        check(json!(["/api"]), "https://example.com/api/a..b", true);
        check(json!(null), "https://example.com/x", true);
    }
}
