//! `pathRewrite`: a regular expression over the path of a request, and what takes the place of its first match.
//!
//! Written as for Backstage: the pattern is searched for, and `$1`, `$<name>`, `$&` and `$$` mean in the replacement what
//! they mean to JavaScript. The expressions take linear time, so there is no look-around and no back-reference.

use regex::{Captures, Regex, RegexBuilder};

use super::path;

/// The most that a compiled expression may take. One that counts to thousands is a slip of the pen.
const COMPILED_BYTES: usize = 1024 * 1024;

/// A rule of `pathRewrite`.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    pattern: Regex,
    replacement: Vec<Piece>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What is before the match.
    Before,
    /// What is after it.
    After,
    /// A group by its number; 0 is the whole match.
    Group(usize),
    Named(String),
}

impl Rewrite {
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(crate) fn parse(pattern: &str, replacement: &str) -> Result<Rewrite, String> {
        let compiled = RegexBuilder::new(pattern).size_limit(COMPILED_BYTES).build().map_err(|error| told(&error))?;
        let replacement = pieces(replacement, &compiled);
        check(&replacement)?;
        Ok(Rewrite { pattern: compiled, replacement })
    }

    /// The path with the first match replaced; none where nothing matches.
    pub(crate) fn apply(&self, path: &str) -> Option<String> {
        let captures = self.pattern.captures(path)?;
        let whole = captures.get(0)?;
        let (before, after) = (path.get(..whole.start())?, path.get(whole.end()..)?);
        let mut rewritten = before.to_owned();
        for piece in &self.replacement {
            rewritten.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Before => before,
                Piece::After => after,
                Piece::Group(number) => text_of(&captures, *number),
                Piece::Named(name) => captures.name(name).map_or("", |group| group.as_str()),
            });
        }
        rewritten.push_str(after);
        Some(rewritten)
    }
}

/// A group that took no part in the match is empty.
fn text_of<'a>(captures: &Captures<'a>, group: usize) -> &'a str {
    captures.get(group).map_or("", |group| group.as_str())
}

/// The last line of the message: those above it draw the place.
fn told(error: &regex::Error) -> String {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default();
    format!("is not an expression that can be used here: {}", last.strip_prefix("error: ").unwrap_or(last))
}

fn pieces(replacement: &str, pattern: &Regex) -> Vec<Piece> {
    let has_names = pattern.capture_names().flatten().next().is_some();
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        rest = match reference(after, pattern.captures_len(), has_names) {
            Some((Piece::Text(literal), rest)) => {
                text.push_str(&literal);
                rest
            }
            Some((piece, rest)) => {
                pieces.extend((!text.is_empty()).then(|| Piece::Text(std::mem::take(&mut text))));
                pieces.push(piece);
                rest
            }
            None => {
                text.push('$');
                after
            }
        };
    }
    text.push_str(rest);
    pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
    pieces
}

/// What stands after a `$`, and what is left; none where the `$` is only itself. `groups` counts the whole match.
fn reference(after: &str, groups: usize, has_names: bool) -> Option<(Piece, &str)> {
    let mut chars = after.chars();
    match chars.next()? {
        '$' => Some((Piece::Text("$".to_owned()), chars.as_str())),
        '&' => Some((Piece::Group(0), chars.as_str())),
        '`' => Some((Piece::Before, chars.as_str())),
        '\'' => Some((Piece::After, chars.as_str())),
        '<' if has_names => {
            let (name, rest) = chars.as_str().split_once('>')?;
            Some((Piece::Named(name.to_owned()), rest))
        }
        // Two digits where there are as many groups, otherwise one and a digit that is text.
        '0'..='9' => [2, 1].into_iter().find_map(|digits| {
            let number = after.get(..digits)?.parse().ok().filter(|number| (1..groups).contains(number))?;
            Some((Piece::Group(number), after.get(digits..)?))
        }),
        _ => None,
    }
}

/// The replacement's own text is a part of a path, and leads nowhere but further down.
fn check(replacement: &[Piece]) -> Result<(), String> {
    let shape: String =
        replacement.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "x" }).collect();
    if shape.contains(['?', '#']) {
        return Err("has a replacement with `?` or `#`, and only the path can be rewritten".to_owned());
    }
    if !shape.is_empty() && path::Readings::of(&path::joined("/", &shape)).is_none() {
        return Err("has a replacement that is no path: it may have no `..`, no backslash and nothing that \
                    would have to be percent-encoded"
            .to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites() {
        fn check(pattern: &str, replacement: &str, path: &str, expected: Option<&str>) {
            let rewrite = Rewrite::parse(pattern, replacement).unwrap();
            assert_eq!(rewrite.apply(path).as_deref(), expected, "{pattern} {replacement} {path}");
        }
        check("^/api/proxy/x/?", "/", "/api/proxy/x/a/b", Some("/a/b"));
        check("^/api/proxy/x/?", "/", "/api/proxy/y/a", None);
        check("^/api/proxy/x/old/(.*)", "/new/$1", "/api/proxy/x/old/a%20b", Some("/new/a%20b"));
        check("^/api/proxy/x", "", "/api/proxy/x", Some(""));
        check("/a", "/b", "/a/a/a", Some("/b/a/a"));
        check("(a)(b)(c)", "$3$2$1", "/abc", Some("/cba"));
        check("(a)", "$1x", "/a", Some("/ax"));
        check("(a)", "$10$2$0", "/a", Some("/a0$2$0"));
        check("(a)", "$01", "/a", Some("/a"));
        check("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10", "/abcdefghij", Some("/j"));
        check("(?<rest>b+)", "[$<rest>]$<none>", "/abb", Some("/a[bb]"));
        check("b", "$<rest>", "/b", Some("/$<rest>"));
        check("b", "-$&-$$-$`-$'", "/abc", Some("/a-b-$-/a-cc"));
        check("b", "x$", "/b", Some("/x$"));
        check("(a)|(b)", "$1-$2", "/b", Some("/-b"));
        check(r"\/v1\/", "/v2/", "/v1/x", Some("/v2/x"));
    }

    #[test]
    fn refused() {
        fn check(pattern: &str, replacement: &str, expected: &str) {
            let error = Rewrite::parse(pattern, replacement).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{pattern} {replacement}: {error}");
        }
        check("(", "/", "can be used here: unclosed group");
        check("^/(?!x)", "/", "look-around, including look-ahead and look-behind, is not supported");
        check(r"(a)\1", "/", "backreferences are not supported");
        check(r"(\w{1000}){1000}", "/", "can be used here:");
        check("a", "/../b", "no `..`");
        check("a", "/%2e%2e/b", "no `..`");
        check("a", "/..;/$1", "no `..`");
        check("a", "/b\\c", "no backslash");
        check("a", "/b c", "percent-encoded");
        check("a", "/b?c=d", "only the path");
    }
}
