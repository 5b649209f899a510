//! Routes of plugins: which requests below `/api/<plugin>` reach one, and which of its routes they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::manifest::RouteContribution;

/// The ids whose `/api/<id>` is the portal's own, now or as Backstage has it. A plugin with such an id can have no
/// routes. What Backstage has as plugins of their own (`kubernetes`, say) is not here.
pub const CORE_APIS: [&str; 17] = [
    "apis",
    "app",
    "audit",
    "auth",
    "catalog",
    "events",
    "extensions",
    "notifications",
    "permission",
    "plugins",
    "proxy",
    "scaffolder",
    "search",
    "session",
    "signals",
    "techdocs",
    "user-settings",
];

/// What a request does. `HEAD` is a `GET` whose body nobody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum RouteMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl RouteMethod {
    /// As in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A route's path below `/api/<plugin>`: `/`, or segments such as `/things/{id}`. A segment in braces stands for any
/// one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePath {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Param(String),
}

/// What is wrong with a route's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path of a route: {problem}")]
pub struct RoutePathError {
    /// As it was written.
    pub path: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl RoutePath {
    /// What stands in the place of each parameter, in their order; none where these segments are not this path. Letters
    /// of either case are the same: what a plugin may take for the same path must not need another permission.
    pub fn params<'a>(&'a self, segments: &'a [String]) -> Option<Vec<(&'a str, &'a str)>> {
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (own, asked) in self.segments.iter().zip(segments) {
            match own {
                Segment::Literal(literal) if literal.eq_ignore_ascii_case(asked) => {}
                Segment::Literal(_) => return None,
                Segment::Param(name) => params.push((name.as_str(), asked.as_str())),
            }
        }
        Some(params)
    }

    /// The same for two paths that no request could tell apart.
    pub fn shape(&self) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => format!("/{}", literal.to_ascii_lowercase()),
            Segment::Param(_) => "/{}".to_owned(),
        });
        segments.collect()
    }

    /// Of two paths that a request fits, the lesser one is meant: a literal goes before a parameter.
    fn precedence(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Param(_))).collect()
    }
}

/// The route that a request is for.
pub fn find<'a>(
    routes: &'a [RouteContribution],
    method: RouteMethod,
    segments: &[String],
) -> Option<&'a RouteContribution> {
    let fitting = routes.iter().filter(|route| route.method == method && route.path.params(segments).is_some());
    fitting.min_by_key(|route| route.path.precedence())
}

impl FromStr for RoutePath {
    type Err = RoutePathError;

    fn from_str(text: &str) -> Result<Self, RoutePathError> {
        let refuse = |problem| RoutePathError { path: text.to_owned(), problem };
        let rest = text.strip_prefix('/').ok_or_else(|| refuse("it must begin with a slash"))?;
        if rest.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        let mut segments = Vec::new();
        for segment in rest.split('/') {
            let segment = match segment.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
                Some(Some(name)) if is_name(name) => Segment::Param(name.to_owned()),
                Some(_) => return Err(refuse("a parameter is a name of letters, digits and `_` in braces")),
                None if is_literal(segment) => Segment::Literal(segment.to_owned()),
                None => {
                    return Err(refuse(
                        "a segment has letters, digits, `-`, `_`, `.`, `~` and `:`, and not dots alone",
                    ));
                }
            };
            if matches!(segment, Segment::Param(_)) && segments.contains(&segment) {
                return Err(refuse("two of its parameters have one name"));
            }
            segments.push(segment);
        }
        Ok(Self { segments })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}

fn is_literal(text: &str) -> bool {
    text.chars().all(|each| each.is_ascii_alphanumeric() || "-_.~:".contains(each))
        && text.chars().any(|each| each != '.')
}

impl fmt::Display for RoutePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return formatter.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(literal) => write!(formatter, "/{literal}"),
            Segment::Param(name) => write!(formatter, "/{{{name}}}"),
        })
    }
}

impl Serialize for RoutePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoutePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |text: &str, expected: Result<(), &str>| match (text.parse::<RoutePath>(), expected) {
            (Ok(path), Ok(())) => assert_eq!(path.to_string(), text),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (result, _) => panic!("{text}: {result:?}"),
        };
        check("/", Ok(()));
        check("/things", Ok(()));
        check("/things/{id}", Ok(()));
        check("/v1.0/{kind}/{name_2}/x:y", Ok(()));
        for text in ["", "things", "things/", "{id}"] {
            check(text, Err("must begin with a slash"));
        }
        for text in ["//", "/a//b", "/a/", "/..", "/a/../b", "/.", "/a b", "/a%2fb", "/a?b", "/a\\b", "/é", "/a\0"] {
            check(text, Err("a segment has letters"));
        }
        for text in ["/{}", "/{a", "/{a}b", "/{*rest}", "/{a-b}", "/{1}"] {
            check(text, Err("in braces"));
        }
        check("/a}", Err("a segment has letters"));
        check("/{a}/{a}", Err("one name"));
    }

    #[test]
    fn the_more_literal_route_is_meant() {
        let routes: Vec<RouteContribution> = [
            ("GET", "/"),
            ("GET", "/things/{id}"),
            ("GET", "/things/secret"),
            ("GET", "/{any}/public"),
            ("DELETE", "/things/{id}"),
        ]
        .map(|(method, path)| serde_json::from_value(serde_json::json!({ "method": method, "path": path })).unwrap())
        .to_vec();
        let check = |method: RouteMethod, path: &[&str], expected: Option<&str>| {
            let segments: Vec<String> = path.iter().map(|&segment| segment.to_owned()).collect();
            let found = find(&routes, method, &segments).map(|route| route.path.to_string());
            assert_eq!(found.as_deref(), expected, "{path:?}");
        };
        check(RouteMethod::Get, &[], Some("/"));
        check(RouteMethod::Get, &["things", "1"], Some("/things/{id}"));
        check(RouteMethod::Get, &["things", "secret"], Some("/things/secret"));
        check(RouteMethod::Get, &["things", "SECRET"], Some("/things/secret"));
        check(RouteMethod::Get, &["things", "public"], Some("/things/{id}"));
        check(RouteMethod::Get, &["other", "public"], Some("/{any}/public"));
        check(RouteMethod::Delete, &["things", "secret"], Some("/things/{id}"));
        check(RouteMethod::Post, &["things", "1"], None);
        check(RouteMethod::Get, &["things"], None);
        check(RouteMethod::Get, &["things", "1", "2"], None);
    }
}
