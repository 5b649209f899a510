//! URLs that stand for many files.

use globset::{GlobBuilder, GlobMatcher};
use percent_encoding::percent_decode_str;
use url::Url;

/// What a pattern says by itself, once it is decoded. A URL has its braces encoded however they are written, so that
/// encoded ones count here; every other character stands for itself where it is encoded.
const SPECIAL: [char; 6] = ['*', '?', '[', ']', ',', '\\'];

/// A URL with wildcards in its path: `*` is anything within a segment, `**` any number of segments, `[…]` one of some
/// characters, `{…,…}` one of some texts. Folders whose name begins with a dot are matched only where the pattern begins
/// in them.
#[derive(Clone, Debug)]
pub struct UrlPattern {
    url: Url,
    prefix: String,
    matcher: GlobMatcher,
}

/// Why a URL is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its path is not a pattern: {0}")]
pub struct UrlPatternError(String);

impl UrlPattern {
    /// Whether a URL stands for many files: an asterisk is in its path. One that is part of a name is written `%2A`.
    pub fn is_one(url: &Url) -> bool {
        url.path().contains('*')
    }

    /// The pattern that a URL is; one without a wildcard stands for itself alone.
    pub fn new(url: &Url) -> Result<Self, UrlPatternError> {
        let (glob, prefix) = glob(url.path())?;
        let matcher = GlobBuilder::new(&glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| UrlPatternError(error.kind().to_string()))?
            .compile_matcher();
        Ok(Self { url: url.clone(), prefix, matcher })
    }

    /// The pattern as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What every path that matches begins with, decoded.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a decoded path matches.
    pub fn matches(&self, path: &str) -> bool {
        let folder = self.prefix.rfind('/').map_or(0, |slash| slash + 1);
        let hidden = |rest: &str| match rest.rsplit_once('/') {
            Some((folders, _)) => folders.split('/').any(|name| name.starts_with('.')),
            None => false,
        };
        path.starts_with(&self.prefix) && !path.get(folder..).is_some_and(hidden) && self.matcher.is_match(path)
    }

    /// Whether the URL of a file matches.
    pub fn matches_url(&self, url: &Url) -> bool {
        url.origin() == self.url.origin()
            && url.query() == self.url.query()
            && percent_decode_str(url.path()).decode_utf8().is_ok_and(|path| self.matches(&path))
    }
}

/// The path as a glob, and its beginning without wildcards; both decoded.
fn glob(path: &str) -> Result<(String, String), UrlPatternError> {
    let (mut glob, mut prefix, mut literal) = (String::new(), String::new(), true);
    let mut rest = path;
    while let Some(at) = rest.find(['%', '*', '[']) {
        let (plain, special) = rest.split_at(at);
        push(plain, literal, &mut glob, &mut prefix);
        rest = special;
        // Encoded characters come together: several of them may be one.
        let encoded = encoded_length(rest);
        if encoded == 0 {
            literal &= rest.starts_with('%');
            let (one, after) = rest.split_at(1);
            glob.push_str(one);
            if literal {
                prefix.push_str(one);
            }
            rest = after;
            continue;
        }
        let (text, after) = rest.split_at(encoded);
        let text = percent_decode_str(text).decode_utf8().map_err(|_| UrlPatternError("it is not UTF-8".to_owned()))?;
        for character in text.chars() {
            literal &= !matches!(character, '{' | '}');
            if literal {
                prefix.push(character);
            }
            if SPECIAL.contains(&character) {
                glob.push('\\');
            }
            glob.push(character);
        }
        rest = after;
    }
    push(rest, literal, &mut glob, &mut prefix);
    Ok((glob, prefix))
}

fn push(text: &str, literal: bool, glob: &mut String, prefix: &mut String) {
    glob.push_str(text);
    if literal {
        prefix.push_str(text);
    }
}

/// How many bytes at the beginning are `%` with two digits, one after the other.
fn encoded_length(text: &str) -> usize {
    let is_encoded = |three: &&[u8]| matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.as_bytes().chunks(3).take_while(is_encoded).count() * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(url: &str) -> UrlPattern {
        UrlPattern::new(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn matching() {
        let check = |url: &str, prefix: &str, matching: &[&str], others: &[&str]| {
            let pattern = pattern(&format!("https://x.example{url}"));
            assert_eq!(pattern.prefix(), prefix, "{url}");
            for path in matching {
                assert!(pattern.matches(path), "{url} {path}");
            }
            for path in others {
                assert!(!pattern.matches(path), "{url} {path}");
            }
        };
        let file = "/blob/main/**/catalog-info.yaml";
        check(
            file,
            "/blob/main/",
            &["/blob/main/catalog-info.yaml", "/blob/main/a/b/catalog-info.yaml"],
            &["/blob/main/a.yaml", "/blob/mainly/catalog-info.yaml", "/blob/main/.git/catalog-info.yaml"],
        );
        check("/a/*.yaml", "/a/", &["/a/b.yaml", "/a/.yaml"], &["/a/b/c.yaml", "/a/b.yml"]);
        check("/a/team-*/x.yaml", "/a/team-", &["/a/team-1/x.yaml"], &["/a/team-1/2/x.yaml"]);
        check("/.hidden/*.yaml", "/.hidden/", &["/.hidden/a.yaml"], &["/a.yaml"]);
        check("/a/*.{yaml,yml}", "/a/", &["/a/b.yaml", "/a/b.yml"], &["/a/b.json"]);
        check("/a/[bc]*", "/a/", &["/a/b", "/a/cd"], &["/a/d"]);
        // Encoded, they are part of a name.
        check("/a%2Ab/*", "/a*b/", &["/a*b/x"], &["/axb/x"]);
        check("/%5Ba%5D%3F/*", "/[a]?/", &["/[a]?/x"], &["/a?/x", "/[a]b/x"]);
        check("/a,b%2Cc%5C/*", "/a,b,c\\/", &["/a,b,c\\/x"], &[]);
        check("/gr%C3%B6%C3%9Fe%20x/*", "/größe x/", &["/größe x/y"], &[]);
        check("/100%/*", "/100%/", &["/100%/y"], &[]);
        check("/a.b", "/a.b", &["/a.b"], &["/axb"]);
    }

    #[test]
    fn urls() {
        let one = |url: &str| UrlPattern::is_one(&Url::parse(url).unwrap());
        assert!(one("https://x.example/a/*.yaml") && one("https://x.example/**/a?at=main"));
        assert!(
            !one("https://x.example/a/%2A.yaml") && !one("https://x.example/a?q=*") && !one("https://x.example/[a]")
        );
        let pattern = pattern("https://x.example/a/*.yaml");
        let check = |url: &str, expected: bool| {
            assert_eq!(pattern.matches_url(&Url::parse(url).unwrap()), expected, "{url}");
        };
        check("https://x.example/a/b.yaml", true);
        check("https://x.example/%61/b%20c.yaml", true);
        check("https://y.example/a/b.yaml", false);
        check("http://x.example/a/b.yaml", false);
        check("https://x.example/a/b.yaml?at=main", false);
        for wrong in ["/[a*", "/{a*", "/%FF*"] {
            let url = Url::parse(&format!("https://x.example{wrong}")).unwrap();
            assert!(UrlPattern::new(&url).unwrap_err().to_string().contains("not a pattern"), "{wrong}");
        }
    }
}
