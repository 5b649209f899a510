//! `WWW-Authenticate`: how a registry wants to be told who asks (RFC 9110, section 11.6.1).

use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token, which another server hands out.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// The one to answer. A token is preferred: the password then goes to one place only.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, String> {
        let mut basic = false;
        let mut others = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let value = value.to_str().map_err(|_| "its challenge is no text".to_owned())?;
            for (scheme, parameters) in split(value) {
                if scheme.eq_ignore_ascii_case("bearer") {
                    let find = |name: &str| {
                        let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                        found.map(|(_, value)| value.clone())
                    };
                    let realm = find("realm").ok_or("its challenge names no token server (realm)")?;
                    return Ok(Self::Bearer { realm, service: find("service") });
                }
                basic |= scheme.eq_ignore_ascii_case("basic");
                others.push(scheme);
            }
        }
        match (basic, others.first()) {
            (true, _) => Ok(Self::Basic),
            (false, Some(other)) => Err(format!("by {}", super::error::tame(other))),
            (false, None) => Err("it says no way (WWW-Authenticate)".to_owned()),
        }
    }
}

type Parameters = Vec<(String, String)>;

/// The challenges of one header. A comma may stand between challenges and between the parameters of one, and within a
/// quoted value; what cannot be read ends the list.
fn split(text: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (word, after) = word(rest);
        if word.is_empty() {
            break;
        }
        let after_spaces = after.trim_start_matches([' ', '\t']);
        let value = after_spaces.strip_prefix('=').filter(|_| !found.is_empty());
        if let (Some(value), Some((_, parameters))) = (value, found.last_mut()) {
            let (value, after) = parameter(value.trim_start_matches([' ', '\t']));
            parameters.push((word.to_owned(), value));
            rest = after;
        } else {
            found.push((word.to_owned(), Vec::new()));
            rest = after;
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t', ',', '=', '"']).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A value, with or without quotes, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) =
            text.split_at_checked(text.find([' ', '\t', ',']).unwrap_or(text.len())).unwrap_or((text, ""));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => value.extend(chars.next()),
            other => value.push(other),
        }
    }
    (value, chars.as_str())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn challenges() {
        fn check(headers: &[&'static str], expected: Result<Challenge, &str>) {
            let mut map = HeaderMap::new();
            for value in headers {
                map.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
            }
            match (Challenge::read(&map), expected) {
                (Ok(seen), Ok(expected)) => assert_eq!(seen, expected, "{headers:?}"),
                (Err(seen), Err(part)) => assert!(seen.contains(part), "{headers:?}: {seen}"),
                (seen, expected) => panic!("{headers:?}: {seen:?}, {expected:?}"),
            }
        }
        let bearer = |realm: &str, service: Option<&str>| {
            Ok(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        check(
            &[
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
            ],
            bearer("https://auth.docker.io/token", Some("registry.docker.io")),
        );
        check(&[r#"bearer realm = "https://a/t" , service=b"#], bearer("https://a/t", Some("b")));
        check(&[r#"Bearer service="a \"b\", c",realm="r""#], bearer("r", Some("a \"b\", c")));
        check(&[r#"Basic realm="x", Bearer realm="r""#], bearer("r", None));
        check(&[r#"Basic realm="x""#, r#"Bearer realm="r""#], bearer("r", None));
        check(&[r#"Basic realm="a, Bearer realm=b""#], Ok(Challenge::Basic));
        check(&["Basic"], Ok(Challenge::Basic));
        check(&["Negotiate", "Basic"], Ok(Challenge::Basic));
        check(&["Negotiate abc"], Err("by Negotiate"));
        check(&["Bearer service=x"], Err("no token server"));
        check(&[], Err("no way"));
        check(&["", ",,,", "=", "\"\""], Err("no way"));
        check(&["Bearer realm=\"unclosed"], bearer("unclosed", None));
        check(&["Bearer realm=\"a\\"], bearer("a", None));
    }
}
