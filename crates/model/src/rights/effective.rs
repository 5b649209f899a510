//! What a plugin may do: what its manifest declares and what app-config grants, where they meet.

use url::Url;

use super::{
    CatalogRights, EntityProcessorRights, EntityProviderRights, EventSubscriberRights, HttpRight, Origin, PathPattern,
    Rights, ScaffolderActionsRights,
};

/// What both sides name. Where one side is narrower, it is the narrower that holds.
pub fn intersect(declared: &Rights, granted: &Rights) -> Rights {
    Rights {
        log: declared.log && granted.log,
        config: meet(&declared.config, &granted.config, |left, right| match () {
            () if is_below(left, right) => Some(left.clone()),
            () if is_below(right, left) => Some(right.clone()),
            () => None,
        }),
        http: merged(meet(&declared.http, &granted.http, meet_http)),
        kv: declared.kv && granted.kv,
        catalog: CatalogRights { kinds: meet_kinds(&declared.catalog.kinds, &granted.catalog.kinds) },
        entity_processor: EntityProcessorRights {
            kinds: meet_kinds(&declared.entity_processor.kinds, &granted.entity_processor.kinds),
        },
        entity_provider: EntityProviderRights {
            kinds: meet_kinds(&declared.entity_provider.kinds, &granted.entity_provider.kinds),
        },
        scaffolder_actions: ScaffolderActionsRights {
            actions: meet(&declared.scaffolder_actions.actions, &granted.scaffolder_actions.actions, |left, right| {
                (left == right).then(|| left.clone())
            }),
        },
        workspace: declared.workspace && granted.workspace,
        event_subscriber: EventSubscriberRights {
            topics: meet(&declared.event_subscriber.topics, &granted.event_subscriber.topics, |left, right| {
                (left == right).then(|| left.clone())
            }),
        },
    }
}

fn meet_kinds(declared: &[String], granted: &[String]) -> Vec<String> {
    meet(declared, granted, |left, right| left.eq_ignore_ascii_case(right).then(|| left.clone()))
}

/// Every pair that has something in common, each once, in the order of `left`.
fn meet<T: PartialEq>(left: &[T], right: &[T], common: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for left in left {
        for common in right.iter().filter_map(|right| common(left, right)) {
            if !found.contains(&common) {
                found.push(common);
            }
        }
    }
    found
}

/// Whether a dotted path is another one or leads further down from it.
pub(super) fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn meet_http(left: &HttpRight, right: &HttpRight) -> Option<HttpRight> {
    let methods: Vec<_> = left.methods.iter().filter(|method| right.methods.contains(method)).cloned().collect();
    if methods.is_empty() {
        return None;
    }
    let origin = narrower(&left.origin, &right.origin, covers_origin)?.clone();
    let path = narrower(&left.path, &right.path, covers_path)?.clone();
    Some(HttpRight { methods, origin, path })
}

fn narrower<'a, T>(left: &'a T, right: &'a T, covers: impl Fn(&T, &T) -> bool) -> Option<&'a T> {
    if covers(right, left) {
        Some(left)
    } else if covers(left, right) {
        Some(right)
    } else {
        None
    }
}

fn covers_origin(wide: &Origin, narrow: &Origin) -> bool {
    match (wide, narrow) {
        (
            Origin::Pattern { scheme, host, port },
            Origin::Exact { scheme: other_scheme, host: other_host, port: other_port },
        ) => {
            let is_name = Url::parse(&format!("https://{other_host}/")).is_ok_and(|url| url.domain().is_some());
            scheme == other_scheme && port == other_port && is_name && host.matches(other_host)
        }
        (
            Origin::Pattern { scheme, host, port },
            Origin::Pattern { scheme: other_scheme, host: other_host, port: other_port },
        ) => scheme == other_scheme && port == other_port && host.covers(other_host),
        _ => wide == narrow,
    }
}

fn covers_path(wide: &Option<PathPattern>, narrow: &Option<PathPattern>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => wide.covers(narrow),
    }
}

/// Without those that another one covers in full.
pub(super) fn merged(rights: Vec<HttpRight>) -> Vec<HttpRight> {
    let covered = |index: usize, right: &HttpRight| {
        rights.iter().enumerate().any(|(other, wide)| {
            // Of two that are equal, which `meet` leaves out already, the first would stay.
            other != index && covers_http(wide, right) && !(covers_http(right, wide) && other > index)
        })
    };
    let kept = rights.iter().enumerate().filter(|(index, right)| !covered(*index, right));
    kept.map(|(_, right)| right.clone()).collect()
}

pub(super) fn covers_http(wide: &HttpRight, narrow: &HttpRight) -> bool {
    narrow.methods.iter().all(|method| wide.methods.contains(method))
        && covers_origin(&wide.origin, &narrow.origin)
        && covers_path(&wide.path, &narrow.path)
}

/// Whose list of rights lacks one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The plugin's manifest.
    Declared,
    /// The operator's app-config.
    Granted,
}

/// Why a request is refused, and what would allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .side.words(.line_to_add))]
pub struct Refusal {
    /// Whose list lacks the right. Where both do it is the manifest's, as no grant helps without it.
    pub side: Side,
    /// The item to add to the list `http` there.
    pub line_to_add: String,
}

impl Side {
    fn words(self, line: &str) -> String {
        match self {
            Self::Declared => format!(
                "the plugin's manifest does not ask for it; its author can add this under rights.http in plugin.yaml: \
                 {line}"
            ),
            Self::Granted => format!(
                "app-config does not grant it; the operator can add this under plugins.<id>.grant.http in \
                 app-config.yaml: {line}"
            ),
        }
    }
}

/// Says which side refuses a request; none where both allow it. `config:` origins are to be resolved before.
pub fn refusal(declared: &[HttpRight], granted: &[HttpRight], method: &str, url: &Url) -> Option<Refusal> {
    let allowed_by = |rights: &[HttpRight]| rights.iter().any(|right| right.allows(method, url));
    let side = match (allowed_by(declared), allowed_by(granted)) {
        (true, true) => return None,
        (false, _) => Side::Declared,
        (true, false) => Side::Granted,
    };
    let origin = url.origin().ascii_serialization();
    Some(Refusal { side, line_to_add: format!("- \"{method} {origin}\"") })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rights(value: Value) -> Rights {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn http() {
        fn check(declared: &[&str], granted: &[&str], expected: &[&str]) {
            let meet = |left: &[&str], right: &[&str]| {
                intersect(&rights(json!({ "http": left })), &rights(json!({ "http": right }))).http
            };
            let texts = |rights: Vec<HttpRight>| rights.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(texts(meet(declared, granted)), expected, "{declared:?} {granted:?}");
            let (mut turned, mut expected) = (texts(meet(granted, declared)), expected.to_vec());
            turned.sort();
            expected.sort_unstable();
            assert_eq!(turned, expected, "turned: {granted:?} {declared:?}");
        }
        check(&["GET https://a.example.com"], &[], &[]);
        check(&["GET https://a.example.com"], &["GET https://a.example.com"], &["GET https://a.example.com"]);
        check(&["GET https://a.example.com"], &["POST https://a.example.com"], &[]);
        check(&["GET https://a.example.com"], &["GET http://a.example.com"], &[]);
        check(&["GET https://a.example.com"], &["GET https://a.example.com:8443"], &[]);
        check(&["GET https://*.example.com"], &["GET https://a.example.com"], &["GET https://a.example.com"]);
        check(&["GET https://*.example.com"], &["GET https://b.a.example.com"], &["GET https://b.a.example.com"]);
        check(&["GET https://*.example.com"], &["GET https://example.com"], &[]);
        check(
            &["GET https://*.s3.*.amazonaws.com"],
            &["GET https://*.amazonaws.com"],
            &["GET https://*.s3.*.amazonaws.com"],
        );
        check(&["GET https://a.*.example.com"], &["GET https://*.b.example.com"], &[]);
        check(&["GET,POST https://x"], &["GET,PUT https://x"], &["GET https://x"]);
        check(&["GET https://x"], &["GET https://x/a/**"], &["GET https://x/a/**"]);
        check(&["GET https://x/a/**"], &["GET https://x/*/b"], &[]);
        check(&["GET https://x/repos/*/*"], &["GET https://x/repos/acme/*"], &["GET https://x/repos/acme/*"]);
        check(&["GET https://*.example.com/a/**"], &["GET https://a.example.com"], &["GET https://a.example.com/a/**"]);
        check(
            &["GET https://*.example.com", "GET https://a.example.com"],
            &["GET https://a.example.com", "GET https://*.b.example.com"],
            &["GET https://a.example.com", "GET https://*.b.example.com"],
        );
        check(&["GET,POST https://x"], &["GET https://x", "POST https://x/a"], &["GET https://x", "POST https://x/a"]);
        check(&["GET config:a.b"], &["GET config:a.b"], &["GET config:a.b"]);
        check(&["GET config:a.b"], &["GET config:a.c"], &[]);
        check(&["GET config:a.b"], &["GET http://localhost:9000"], &[]);
    }

    #[test]
    fn others() {
        fn check(declared: Value, granted: Value, expected: Value) {
            let found = intersect(&rights(declared.clone()), &rights(granted.clone()));
            assert_eq!(found, rights(expected), "{declared} {granted}");
        }
        check(json!({"log": true, "kv": true}), json!({"log": true}), json!({"log": true}));
        check(json!({}), json!({"log": true, "kv": true, "config": ["a"]}), json!({}));
        check(json!({"config": ["a.b"]}), json!({"config": ["a"]}), json!({"config": ["a.b"]}));
        check(json!({"config": ["a"]}), json!({"config": ["a.b", "a.c"]}), json!({"config": ["a.b", "a.c"]}));
        check(json!({"config": ["a.b"]}), json!({"config": ["a.bc", "ab"]}), json!({}));
        check(
            json!({"entity-provider": {"kinds": ["User", "Group"]}}),
            json!({"entity-provider": {"kinds": ["user", "API"]}}),
            json!({"entity-provider": {"kinds": ["User"]}}),
        );
        check(
            json!({"catalog": {"kinds": ["API", "Group"]}, "entity-provider": {"kinds": ["User"]}}),
            json!({"catalog": {"kinds": ["api", "User"]}}),
            json!({"catalog": {"kinds": ["API"]}}),
        );
        check(
            json!({"entity-processor": {"kinds": ["User"]}, "entity-provider": {"kinds": ["Group"]}}),
            json!({"entity-processor": {"kinds": ["user", "group"]}}),
            json!({"entity-processor": {"kinds": ["User"]}}),
        );
        check(
            json!({"scaffolder-actions": {"actions": ["a:b", "a:c"]}, "workspace": true}),
            json!({"scaffolder-actions": {"actions": ["A:B", "a:c", "a:d"]}, "workspace": true}),
            json!({"scaffolder-actions": {"actions": ["a:c"]}, "workspace": true}),
        );
        check(json!({"workspace": true}), json!({}), json!({}));
        check(json!({}), json!({"workspace": true, "scaffolder-actions": {"actions": ["a:b"]}}), json!({}));
        check(
            json!({"event-subscriber": {"topics": ["github", "gitlab"]}}),
            json!({"event-subscriber": {"topics": ["gitlab", "catalog.entity", "GitHub"]}}),
            json!({"event-subscriber": {"topics": ["gitlab"]}}),
        );
    }

    #[test]
    fn refusals() {
        fn check(declared: &[&str], granted: &[&str], expected: Option<(Side, &str)>) {
            let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<HttpRight>>();
            let url = Url::parse("https://a.example.com:8443/x?y").unwrap();
            let found = refusal(&parse(declared), &parse(granted), "GET", &url);
            let found = found.as_ref().map(|found| (found.side, found.line_to_add.as_str()));
            assert_eq!(found, expected);
        }
        let line = "- \"GET https://a.example.com:8443\"";
        let right: &[&str] = &["GET https://*.example.com:8443"];
        check(right, right, None);
        check(right, &[], Some((Side::Granted, line)));
        check(&[], right, Some((Side::Declared, line)));
        check(&[], &[], Some((Side::Declared, line)));
        let shown = Refusal { side: Side::Granted, line_to_add: line.to_owned() }.to_string();
        assert_eq!(
            shown,
            format!(
                "app-config does not grant it; the operator can add this under plugins.<id>.grant.http in \
                 app-config.yaml: {line}"
            )
        );
    }
}
