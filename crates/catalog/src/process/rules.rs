//! Which kinds may come from where.

use callboard_model::location_ref::LocationRef;
use globset::{GlobBuilder, GlobMatcher};

use super::{Child, ProcessingError};
use crate::files::Files;
use crate::{Allow, Error, LocationMatcher, Rule, Settings};

/// `catalog.rules` and the rules of `catalog.locations`.
pub(super) struct Rules(Vec<Compiled>);

struct Compiled {
    allow: Vec<Allow>,
    /// None: everywhere.
    locations: Option<Vec<Matcher>>,
}

struct Matcher {
    kind: String,
    target: Target,
}

enum Target {
    Any,
    Exact(String),
    Pattern(GlobMatcher),
}

/// What may come in where `catalog.rules` says nothing.
const DEFAULT: [&str; 3] = ["Component", "API", "Location"];

impl Rules {
    pub(super) fn new(settings: &Settings, files: &Files) -> Result<Rules, Error> {
        let mut rules = match &settings.rules {
            None => {
                let allow = DEFAULT.map(|kind| Allow::Kind(kind.to_owned())).to_vec();
                vec![Compiled { allow, locations: None }]
            }
            Some(rules) => rules.iter().map(compile).collect::<Result<_, _>>()?,
        };
        for location in &settings.locations {
            let target = match location.kind.as_str() {
                "file" => files.absolute(&location.target).display().to_string(),
                _ => location.target.clone(),
            };
            rules.extend(location.rules.iter().map(|rule| Compiled {
                allow: rule.allow.clone(),
                locations: Some(vec![Matcher { kind: location.kind.clone(), target: Target::Exact(target.clone()) }]),
            }));
        }
        for (source, push) in &settings.push {
            rules.extend(push.rules.iter().map(|rule| Compiled {
                allow: rule.allow.clone(),
                locations: Some(vec![Matcher { kind: "push".to_owned(), target: Target::Exact(source.clone()) }]),
            }));
        }
        Ok(Rules(rules))
    }

    /// Checks what a Location emits; the first entity that is not allowed fails them all.
    pub(super) fn check(&self, children: &[Child], origin: &LocationRef) -> Result<(), ProcessingError> {
        let rules: Vec<_> = self.0.iter().filter(|rule| rule.covers(origin)).collect();
        for child in children {
            // Where a pattern may be read, so may what it stands for; what is in there is checked in its turn.
            if child.version.is_none() && !rules.iter().any(|rule| rule.allows(child)) {
                let message = format!(
                    "Entity {} at {}, originated at {origin}, is not of an allowed kind for that location; catalog.rules \
                     in app-config says which are",
                    child.entity.entity_ref(),
                    child.location_key,
                );
                return Err(ProcessingError::new("NotAllowedError", message));
            }
        }
        Ok(())
    }
}

impl Compiled {
    fn covers(&self, origin: &LocationRef) -> bool {
        self.locations.as_ref().is_none_or(|matchers| {
            matchers.iter().any(|matcher| {
                matcher.kind == origin.kind
                    && match &matcher.target {
                        Target::Any => true,
                        Target::Exact(target) => *target == origin.target,
                        Target::Pattern(pattern) => pattern.is_match(&origin.target),
                    }
            })
        })
    }

    fn allows(&self, child: &Child) -> bool {
        self.allow.iter().any(|allow| match allow {
            Allow::Kind(kind) => kind.eq_ignore_ascii_case(child.entity.kind()),
            Allow::Type { kind, spec_type } => {
                kind.eq_ignore_ascii_case(child.entity.kind())
                    && spec_type.as_ref().is_none_or(|wanted| {
                        child.entity.spec_text("type").is_some_and(|found| wanted.eq_ignore_ascii_case(found))
                    })
            }
        })
    }
}

fn compile(rule: &Rule) -> Result<Compiled, Error> {
    let locations = rule.locations.as_ref().map(|matchers| matchers.iter().map(matcher).collect::<Result<_, _>>());
    Ok(Compiled { allow: rule.allow.clone(), locations: locations.transpose()? })
}

fn matcher(matcher: &LocationMatcher) -> Result<Matcher, Error> {
    let target = match (&matcher.exact, &matcher.pattern) {
        (None, None) => Target::Any,
        (Some(exact), None) => Target::Exact(exact.clone()),
        (None, Some(pattern)) => {
            let glob = GlobBuilder::new(pattern).literal_separator(true).case_insensitive(true).build();
            let glob = glob.map_err(|error| {
                Error::Input(format!("catalog.rules: the pattern {pattern} is not one: {}", error.kind()))
            })?;
            Target::Pattern(glob.compile_matcher())
        }
        (Some(exact), Some(_)) => {
            return Err(Error::Input(format!(
                "catalog.rules: the location with exact: {exact} has a pattern as well; keep one of the two"
            )));
        }
    };
    Ok(Matcher { kind: matcher.kind.clone(), target })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use callboard_model::entity::Entity;
    use serde_json::{Value, json};

    fn check(settings: Value, origin: &str, kind: &str, spec_type: &str, allowed: bool) {
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let files = Files::new(Path::new("/srv"), []);
        let rules = Rules::new(&settings, &files).unwrap();
        let entity = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "spec": {"type": spec_type}});
        let child =
            Child { entity: Entity::from_value(entity).unwrap(), location_key: origin.to_owned(), version: None };
        let found = rules.check(&[child], &LocationRef::parse(origin).unwrap());
        assert_eq!(found.is_ok(), allowed, "{settings:?} {origin} {kind} {spec_type}");
    }

    #[test]
    fn allowed() {
        let url = "url:https://x.example/a/b.yaml";
        check(json!({}), url, "Component", "", true);
        check(json!({}), url, "api", "", true);
        check(json!({}), url, "Template", "", false);
        check(json!({"rules": []}), url, "Component", "", false);
        check(json!({"rules": [{"allow": []}]}), url, "Component", "", false);
        check(json!({"rules": [{"allow": ["Group", "user"]}]}), url, "User", "", true);
        check(json!({"rules": [{"allow": ["Group"]}]}), url, "Component", "", false);
        let typed = json!({"rules": [{"allow": [{"kind": "component", "spec.type": "Website"}]}]});
        check(typed.clone(), url, "Component", "website", true);
        check(typed, url, "Component", "service", false);
        let exact = json!({"rules": [{"allow": ["User"], "locations": [{"type": "url", "exact": "https://x.example/a/b.yaml"}]}]});
        check(exact.clone(), url, "User", "", true);
        check(exact, "url:https://x.example/a/c.yaml", "User", "", false);
        let pattern = json!({"rules": [{"allow": ["User"], "locations": [{"type": "url", "pattern": "https://X.example/**/b.*"}]}]});
        check(pattern.clone(), url, "User", "", true);
        check(pattern, "url:https://y.example/a/b.yaml", "User", "", false);
        check(json!({"rules": [{"allow": ["User"], "locations": [{"type": "file"}]}]}), "file:/any", "User", "", true);
        check(json!({"rules": [{"allow": ["User"], "locations": [{"type": "file"}]}]}), url, "User", "", false);
        // A location's own rules add to the global ones.
        let own = json!({"locations": [{"type": "file", "target": "./org.yaml", "rules": [{"allow": ["User"]}]}]});
        check(own.clone(), "file:/srv/org.yaml", "User", "", true);
        check(own.clone(), "file:/srv/org.yaml", "Component", "", true);
        check(own, "file:/srv/other.yaml", "User", "", false);
        let push = json!({"push": {"ci": {"rules": [{"allow": ["User"]}]}}});
        check(push.clone(), "push:ci", "User", "", true);
        check(push.clone(), "push:ci", "API", "", true);
        check(push, "push:other", "User", "", false);
    }

    #[test]
    fn refused() {
        let settings =
            json!({"rules": [{"allow": ["User"], "locations": [{"type": "url", "exact": "a", "pattern": "b"}]}]});
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let error = Rules::new(&settings, &Files::new(Path::new("/"), [])).err().unwrap();
        assert!(error.to_string().contains("keep one of the two"), "{error}");
    }
}
