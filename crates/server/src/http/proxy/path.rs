//! The path of a request, read in every way in which somebody behind the portal may read it.
//!
//! What the portal decides about a path must hold for the path that the target sees. Servers decode once or twice, take
//! `\\` for `/`, drop what is behind `;`, and treat letters of either case as the same. So a path that leads upwards in
//! any of these readings is refused, and so is one that belongs to another endpoint in another reading.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// How often a path is decoded at most. One that is encoded more often than that hides something.
const DECODED: usize = 4;

/// A path in all its readings.
pub(crate) struct Readings {
    /// As it was sent, then decoded once, and again while that changes something.
    texts: Vec<String>,
}

impl Readings {
    /// None where the path leads upwards in one of its readings, or is no path.
    pub(crate) fn of(path: &str) -> Option<Readings> {
        let is_plain = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !is_plain || path.contains("//") || !is_well_encoded(path) {
            return None;
        }
        let mut texts = Vec::new();
        let mut text = path.to_owned();
        loop {
            if text.chars().any(char::is_control) || segments(&text).any(leads_upwards) {
                return None;
            }
            let decoded = percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)?;
            let is_last = decoded == text;
            texts.push(std::mem::replace(&mut text, decoded));
            if is_last {
                return Some(Readings { texts });
            }
            if texts.len() > DECODED {
                return None;
            }
        }
    }

    /// The segments as they were sent.
    pub(crate) fn written(&self) -> Vec<&str> {
        self.texts.first().map(|path| path.split('/').skip(1).collect()).unwrap_or_default()
    }

    /// The segments of each reading, in the form in which they are compared.
    pub(crate) fn folded(&self) -> impl Iterator<Item = Vec<String>> {
        self.texts.iter().map(|text| segments(text).map(fold).filter(|segment| !segment.is_empty()).collect())
    }
}

/// A segment as the most generous server would read it: without parameters, trailing dots and spaces, and without regard
/// to case.
pub(crate) fn fold(segment: &str) -> String {
    let name = segment.split(';').next().unwrap_or_default();
    let name = name.trim_end_matches(|c: char| is_dot(c) || c.is_whitespace());
    // There and back again, for letters such as `ſ` that are lower case themselves.
    name.to_uppercase().to_lowercase()
}

/// Two paths as one, with a single slash wherever there would be several.
pub(crate) fn joined(base: &str, path: &str) -> String {
    if path.is_empty() {
        return base.to_owned();
    }
    let mut joined = String::with_capacity(base.len() + path.len() + 1);
    for c in base.chars().chain(['/']).chain(path.chars()) {
        if c != '/' || !joined.ends_with('/') {
            joined.push(c);
        }
    }
    joined
}

/// Whether a path is another one or below it, by whole segments.
pub(crate) fn is_below(path: &str, base: &str) -> bool {
    let base = base.trim_end_matches('/');
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether each `%` is followed by two digits.
fn is_well_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().iter().take(2);
        digits.filter(|digit| digit.is_ascii_hexdigit()).count() == 2
    })
}

/// The parts between slashes, and between what some take for slashes.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_slash)
}

/// Whether it is nothing but dots, as some server may see it.
fn leads_upwards(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    let mut chars = name.chars().filter(|c| !c.is_whitespace()).peekable();
    chars.peek().is_some() && chars.all(is_dot)
}

/// Slashes, and the characters that become one where text is brought into a compatible form.
fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29f8}' | '\u{fe68}' | '\u{ff0f}' | '\u{ff3c}')
}

/// Dots, and the characters that become one or several in the same way.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '\u{2025}' | '\u{2026}' | '\u{fe52}' | '\u{ff0e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings() {
        fn check(path: &str, expected: Option<&[&[&str]]>) {
            let found: Option<Vec<Vec<String>>> = Readings::of(path).map(|readings| readings.folded().collect());
            let expected =
                expected.map(|readings| readings.iter().map(|segments| segments.to_vec()).collect::<Vec<_>>());
            let found = found.as_ref().map(|found| {
                found.iter().map(|segments| segments.iter().map(String::as_str).collect::<Vec<_>>()).collect::<Vec<_>>()
            });
            assert_eq!(found, expected, "{path}");
        }
        check("/", Some(&[&[]]));
        check("/A/b.json/", Some(&[&["a", "b.json"]]));
        check("/a;v=1/b", Some(&[&["a", "b"]]));
        check("/a%20b", Some(&[&["a%20b"], &["a b"]]));
        check("/group%2Fproject", Some(&[&["group%2fproject"], &["group", "project"]]));
        check("/https%3A%2F%2Fexample.org", Some(&[&["https%3a%2f%2fexample.org"], &["https:", "example.org"]]));
        check("/DOMAIN%5Cuser", Some(&[&["domain%5cuser"], &["domain", "user"]]));
        check("/a%252Fb", Some(&[&["a%252fb"], &["a%2fb"], &["a", "b"]]));
        check("/100%25", Some(&[&["100%25"], &["100%"]]));
        check("/base...head", Some(&[&["base...head"]]));
        check("/.well-known/x", Some(&[&[".well-known", "x"]]));
        check("/%C3%BCber", Some(&[&["%c3%bcber"], &["über"]]));
        check("/admin./%C5%BFvc%20", Some(&[&["admin", "%c5%bfvc%20"], &["admin", "svc"]]));
        for path in [
            "",
            "a",
            "//a",
            "/a//b",
            "/a/../b",
            "/a/..",
            "/./a",
            "/a/...",
            "/a/%2e%2e/b",
            "/a/%2E%2e%2fb",
            "/a/.%2e/b",
            "/a/..%2fb",
            "/a/..%5cb",
            "/a\\..\\b",
            "/a\\b",
            "/a/%252e%252e/b",
            "/a/%25252e%25252e%25252fb",
            "/a/..%252fb",
            "/100%25/%252e%252e/b",
            "/%25252525252561",
            "/a/..;/b",
            "/a/..;x=y/b",
            "/a/..%3b/b",
            "/a/%20../b",
            "/a/..%20/b",
            "/a%00/b",
            "/a/..%00/b",
            "/a%2500b",
            "/a%0d%0ab",
            "/a/%7f",
            "/a/%c0%ae%c0%ae/b",
            "/a/%e0%80%ae%e0%80%ae/b",
            "/a/%ff",
            "/a/%u002e%u002e/b",
            "/a/%2",
            "/a/%",
            "/a/%zz",
            "/a/%ef%bc%8e%ef%bc%8e/b",
            "/a/..%ef%bc%8fb",
            "/a/%e2%80%a5/b",
            "/a/..%e2%88%95b",
            "/ü",
            "/a b",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn joining() {
        fn check(base: &str, path: &str, expected: &str) {
            assert_eq!(joined(base, path), expected);
        }
        check("/", "/a", "/a");
        check("/base", "/a/", "/base/a/");
        check("/base/", "a", "/base/a");
        check("/base", "/", "/base/");
        check("/base", "", "/base");
        check("/base/", "//a///b", "/base/a/b");
    }

    #[test]
    fn below() {
        fn check(path: &str, base: &str, expected: bool) {
            assert_eq!(is_below(path, base), expected, "{path} {base}");
        }
        check("/a", "/", true);
        check("/base", "/base", true);
        check("/base/", "/base", true);
        check("/base/a", "/base/", true);
        check("/base2", "/base", false);
        check("/bas", "/base", false);
        check("/other", "/base", false);
    }
}
