//! Paths with wildcards.

use std::fmt;

use url::Url;

/// A path in which `*` stands for one segment and `/**` at the end for the rest, if any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Vec<Segment>,
    /// Whether it ends with `/**`.
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Any,
    Literal(String),
}

impl PathPattern {
    /// Reads a path that starts with `/`; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#', '\\']) {
            return Err(format!("\"{text}\" is no path; the query of a request is not restricted"));
        }
        if text.split('/').any(|segment| matches!(segment, "." | "..")) || has_encoded_separator(text) {
            return Err(format!("the path \"{text}\" has segments that are not taken literally"));
        }
        let (text, open) = match text.strip_suffix("/**") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let segments = if open && text.is_empty() { Vec::new() } else { segments_of(text)? };
        Ok(Self { segments, open })
    }

    /// What lies at or below the path of a URL; none where that is everything.
    pub(super) fn below(path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return None;
        }
        let literal = |segment: &str| Segment::Literal(segment.replace('*', "%2A"));
        Some(Self { segments: path.split('/').skip(1).map(literal).collect(), open: true })
    }

    /// A path below this one, whose own `/**` is given up for it.
    pub(super) fn join(mut self, path: &Self) -> Self {
        self.segments.extend(path.segments.iter().cloned());
        self.open = path.open;
        self
    }

    /// Whether the path of a URL is meant. One with an encoded slash, backslash or zero is not: what receives it may
    /// read it as another path.
    pub fn matches(&self, path: &str) -> bool {
        if has_encoded_separator(path) {
            return false;
        }
        let mut segments = path.split('/').skip(1);
        for expected in &self.segments {
            let fits = match (segments.next(), expected) {
                (Some(found), Segment::Any) => !found.is_empty(),
                (Some(found), Segment::Literal(literal)) => found.replace('*', "%2A") == *literal,
                (None, _) => false,
            };
            if !fits {
                return false;
            }
        }
        self.open || segments.next().is_none()
    }

    /// Whether every path that `other` matches is matched by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let begins = self.segments.iter().enumerate().all(|(index, mine)| match (mine, other.segments.get(index)) {
            (Segment::Any, Some(Segment::Any)) => true,
            (Segment::Any, Some(Segment::Literal(literal))) => !literal.is_empty(),
            (mine, Some(theirs)) => mine == theirs,
            (_, None) => false,
        });
        begins && (self.open || (!other.open && other.segments.len() == self.segments.len()))
    }
}

fn segments_of(text: &str) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    for segment in text.split('/').skip(1) {
        segments.push(match segment {
            "*" => Segment::Any,
            "**" => return Err("\"**\" stands for the rest of a path and so only at its end".to_owned()),
            _ if segment.contains('*') => {
                return Err(format!("\"*\" stands for whole segments of a path; \"{segment}\" is only partly one"));
            }
            _ => Segment::Literal(encoded(segment)?),
        });
    }
    Ok(segments)
}

/// The segment as it is in URLs.
fn encoded(segment: &str) -> Result<String, String> {
    let url = Url::parse(&format!("https://example.com/{segment}")).map_err(|error| error.to_string())?;
    Ok(url.path().trim_start_matches('/').to_owned())
}

fn has_encoded_separator(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["%2f", "%5c", "%00"].iter().any(|separator| path.contains(separator))
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Any => f.write_str("/*")?,
                Segment::Literal(literal) => write!(f, "/{literal}")?,
            }
        }
        if self.open { f.write_str("/**") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse() {
        for text in ["/", "/a", "/a/", "/*", "/a/*/b", "/**", "/a/**", "/a%2Ab"] {
            assert_eq!(PathPattern::parse(text).unwrap().to_string(), text);
        }
        for text in ["/a*", "/**/a", "/a/***", "/a/../b", "/./a", "/a?b", "/a#b", "/a\\b", "/a%2fb", "/a%5Cb"] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn matches() {
        fn check(pattern: &str, path: &str, expected: bool) {
            assert_eq!(PathPattern::parse(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
        check("/", "/", true);
        check("/", "/a", false);
        check("/a", "/a", true);
        check("/a", "/a/", false);
        check("/a", "/A", false);
        check("/a/", "/a/", true);
        check("/a/", "/a", false);
        check("/*", "/a", true);
        check("/*", "/", false);
        check("/*", "/a/b", false);
        check("/a/*/c", "/a/b/c", true);
        check("/a/*/c", "/a//c", false);
        check("/a/*/c", "/a/b/b/c", false);
        check("/**", "/", true);
        check("/**", "/a/b", true);
        check("/a/**", "/a", true);
        check("/a/**", "/a/", true);
        check("/a/**", "/a/b//c", true);
        check("/a/**", "/ab", false);
        check("/a/**", "/", false);
        for path in ["/a/%2e%2e%2Fb", "/a/b%5cc", "/a/%00"] {
            check("/a/**", path, false);
            check("/a/*", path, false);
        }
    }

    #[test]
    fn covers() {
        fn check(left: &str, right: &str, expected: bool) {
            let covers = PathPattern::parse(left).unwrap().covers(&PathPattern::parse(right).unwrap());
            assert_eq!(covers, expected, "{left} {right}");
        }
        check("/a", "/a", true);
        check("/a", "/b", false);
        check("/*", "/a", true);
        check("/*", "/", false);
        check("/a", "/*", false);
        check("/**", "/a/*/b", true);
        check("/a/**", "/a", true);
        check("/a/**", "/a/b/**", true);
        check("/a/b/**", "/a/**", false);
        check("/a", "/a/**", false);
        check("/a/*", "/a/b/c", false);
    }
}
