//! Holds a configuration against the description of its keys.

use callboard_model::entity_ref::EntityRef;
use callboard_model::schedule::parse_duration;
use serde_json::{Number, Value};
use url::Url;

use super::finding::{Finding, Unhonoured};
use super::keys::{Branch, Key, Kind, OWN_BLOCKS, State, tree};
use super::node::{Data, Node};

/// Checks every key and value. Values that may be written in several ways, such as a boolean in words, are brought
/// into one form.
pub(super) fn check(root: &mut Node) -> (Vec<Finding>, Vec<Unhonoured>) {
    let mut check = Check { granted: granted_paths(root), findings: Vec::new(), unhonoured: Vec::new() };
    check.entries(root, tree(), "", false);
    (check.findings, check.unhonoured)
}

/// The parts of the configuration that plugins may read: what is there is theirs to describe.
fn granted_paths(root: &Node) -> Vec<String> {
    let plugins = root.get("plugins").map(Node::entries).unwrap_or_default();
    plugins
        .iter()
        .filter_map(|(_, plugin)| plugin.at("grant.config"))
        .flat_map(Node::items)
        .filter_map(|item| item.text().map(str::to_owned))
        .collect()
}

struct Check {
    granted: Vec<String>,
    findings: Vec<Finding>,
    unhonoured: Vec<Unhonoured>,
}

impl Check {
    fn value(&mut self, node: &mut Node, branch: &Branch, path: &str, own: bool) {
        let own = own || OWN_BLOCKS.contains(&path);
        if let Some(key) = branch.key {
            match key.state {
                State::Later => return self.later(node, path, key.text),
                State::Plugin(id) => return self.for_plugin(node, path, id, key.text),
                State::Removed => {
                    let message = "Backstage no longer knows this key";
                    return self.findings.push(Finding::error(path, Some(node.origin.clone()), message, key.text));
                }
                State::Honoured => {}
            }
            if let Err(expected) = conform(node, key) {
                let message = format!("expected {expected}, found {}", found(node, key));
                self.findings.push(Finding::error(path, Some(node.origin.clone()), message, ""));
                return;
            }
        } else if !matches!(node.data, Data::Mapping(_)) {
            // A mapping that has no line of its own in the description, such as `catalog.processors`.
            let message = format!("expected a mapping, found {}", node.kind());
            self.findings.push(Finding::error(path, Some(node.origin.clone()), message, ""));
            return;
        }
        self.below(node, branch, path, own);
    }

    fn below(&mut self, node: &mut Node, branch: &Branch, path: &str, own: bool) {
        // Below any other kind there is nothing to describe: `{ minutes: 30 }` is a duration, whole.
        let described = [Kind::Mapping, Kind::List, Kind::MappingOrList, Kind::TextOrMapping, Kind::BooleanOrMapping];
        if branch.key.is_some_and(|key| !described.contains(&key.kind)) {
            return;
        }
        match &mut node.data {
            Data::Mapping(_) => {
                let single =
                    branch.item.as_deref().filter(|_| branch.key.is_some_and(|key| key.kind == Kind::MappingOrList));
                self.entries(node, single.unwrap_or(branch), path, own);
            }
            Data::List(items) => {
                let Some(item_branch) = &branch.item else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(item, item_branch, &format!("{path}[{index}]"), own);
                }
            }
            _ => {}
        }
    }

    fn entries(&mut self, node: &mut Node, branch: &Branch, path: &str, own: bool) {
        for (name, child) in &branch.children {
            if child.key.is_some_and(|key| key.required) && node.get(name).is_none() {
                let kind = child.key.map(|key| words(key.kind)).unwrap_or_default();
                let message = format!("`{name}` is missing");
                self.findings.push(Finding::error(path, Some(node.origin.clone()), message, format!("It is {kind}.")));
            }
        }
        let Data::Mapping(entries) = &mut node.data else { return };
        for (name, child) in entries {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            // Where any name may stand for a mapping, one that has no mapping is a setting that is misspelt.
            let is_other = !branch.children.is_empty() && !branch.children.contains_key(name.as_str());
            let is_misspelt = is_other
                && !child.is_mapping()
                && branch.any.as_ref().is_some_and(|any| any.key.is_some_and(|key| key.kind == Kind::Mapping));
            match branch.entry(name).filter(|_| !is_misspelt) {
                Some(known) => self.value(child, known, &below, own),
                None if self.is_granted(&below) => {}
                None => {
                    let known: Vec<&str> = branch.children.keys().copied().collect();
                    self.unknown(child, &below, name, &known, own);
                }
            }
        }
    }

    fn unknown(&mut self, node: &Node, path: &str, name: &str, known: &[&str], own: bool) {
        let origin = Some(node.origin.clone());
        if name == "<<" {
            let message = "merge keys are not expanded in a configuration";
            return self.findings.push(Finding::warning(path, origin, message, "Write the keys out."));
        }
        let fix = match nearest(name, known) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None if own && !known.is_empty() => format!("There may be {}.", known.join(", ")),
            None if own => "Remove it.".to_owned(),
            None => "It has no effect, unless a plugin is granted to read it.".to_owned(),
        };
        self.findings.push(match own {
            true => Finding::error(path, origin, "unknown key", fix),
            false => Finding::warning(path, origin, "unknown key", fix),
        });
    }

    fn later(&mut self, node: &Node, path: &str, would: &str) {
        if !self.is_granted(path) {
            let origin = node.origin.clone();
            self.unhonoured.push(Unhonoured { path: path.to_owned(), origin, would: would.to_owned() });
        }
    }

    fn for_plugin(&mut self, node: &Node, path: &str, id: &str, what: &str) {
        self.later(node, path, &format!("would name {what}; add the plugin `{id}` and grant it `config: [{path}]`"));
    }

    /// Whether a plugin may read this, something above it, or something in it.
    fn is_granted(&self, path: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.granted.iter().any(|granted| within(path, granted) || within(granted, path))
    }
}

/// The known name that was most likely meant.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let name = plain(name);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&name, &plain(known)), *known))
        .filter(|(distance, known)| *distance <= 1.max(known.len().min(name.len()) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Brings a value into the form of its kind, or says what was expected.
fn conform(node: &mut Node, key: &Key) -> Result<(), String> {
    let is = |fits: bool| if fits { Ok(()) } else { Err(words(key.kind).to_owned()) };
    let is_text = |node: &Node| node.text().is_some_and(|text| !text.is_empty());
    match key.kind {
        Kind::Any => Ok(()),
        Kind::Text | Kind::Secret if matches!(node.data, Data::Number(_)) => {
            Err(format!("{}; put the number in quotes", words(key.kind)))
        }
        Kind::Text | Kind::Secret => is(is_text(node)),
        Kind::Mapping => is(matches!(node.data, Data::Mapping(_))),
        Kind::List => is(matches!(node.data, Data::List(_))),
        Kind::MappingOrList => is(matches!(node.data, Data::Mapping(_) | Data::List(_))),
        Kind::TextOrMapping => is(is_text(node) || matches!(node.data, Data::Mapping(_))),
        Kind::Texts => is(matches!(node.data, Data::List(_)) && node.items().iter().all(is_text)),
        Kind::Url => is(node
            .text()
            .and_then(|text| Url::parse(text).ok())
            .is_some_and(|url| ["http", "https"].contains(&url.scheme()))),
        Kind::BooleanOrMapping if matches!(node.data, Data::Mapping(_)) => Ok(()),
        Kind::Boolean | Kind::BooleanOrMapping => {
            node.data = Data::Bool(boolean(&node.data).ok_or_else(|| words(key.kind).to_owned())?);
            Ok(())
        }
        Kind::Number => {
            node.data = Data::Number(number(&node.data).ok_or_else(|| words(key.kind).to_owned())?);
            Ok(())
        }
        Kind::Choice(choices) => match node.text() {
            Some(text) if choices.contains(&text) => Ok(()),
            _ => Err(format!("one of {}", choices.join(", "))),
        },
        Kind::EntityRef => is(node.text().is_some_and(|text| EntityRef::parse(text, None, None).is_ok())),
        Kind::DurationOrFalse if matches!(node.data, Data::Bool(false)) => Ok(()),
        Kind::Duration | Kind::DurationOrFalse => is(parse_duration(&node.to_json()).is_ok()),
    }
}

/// What was found instead: the value itself where that helps and it cannot be a secret.
fn found(node: &Node, key: &Key) -> String {
    let harmless =
        matches!(key.kind, Kind::Choice(_) | Kind::Boolean | Kind::Number | Kind::Duration | Kind::DurationOrFalse);
    match node.to_json() {
        value @ (Value::String(_) | Value::Number(_) | Value::Bool(_)) if harmless && !node.substituted => {
            format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }
        _ => node.kind().to_owned(),
    }
}

/// A kind, in words, for "expected …".
pub(super) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret => "a text that is not empty",
        Kind::Url => "an http or https URL",
        Kind::Boolean => "true or false",
        Kind::Number => "a number",
        Kind::Duration => "a duration such as `30 minutes`, `PT30M` or `{ minutes: 30 }`",
        Kind::DurationOrFalse => "a duration such as `30 minutes`, `PT30M` or `{ minutes: 30 }`, or false",
        Kind::Choice(_) => "one of a few words",
        Kind::EntityRef => "an entity ref such as `user:default/ada`",
        Kind::Texts => "a list of texts",
        Kind::Mapping => "a mapping",
        Kind::List => "a list",
        Kind::MappingOrList => "a mapping or a list",
        Kind::TextOrMapping => "a text or a mapping",
        Kind::BooleanOrMapping => "true, false or a mapping",
        Kind::Any => "anything",
    }
}

fn boolean(data: &Data) -> Option<bool> {
    let word = match data {
        Data::Bool(value) => return Some(*value),
        Data::Number(number) => number.to_string(),
        Data::Text(text) => text.trim().to_lowercase(),
        _ => return None,
    };
    match word.as_str() {
        "y" | "yes" | "true" | "1" | "on" => Some(true),
        "n" | "no" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

fn number(data: &Data) -> Option<Number> {
    match data {
        Data::Number(number) => Some(number.clone()),
        Data::Text(text) => {
            let text = text.trim();
            text.parse::<i64>().ok().map(Number::from).or_else(|| text.parse().ok().and_then(Number::from_f64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn check_one(yaml: &str, expected: &[&str]) {
        let mut node = Node::parse(yaml, &Arc::from("app-config.yaml")).expect("YAML");
        let (findings, unhonoured) = check(&mut node);
        let mut found: Vec<String> =
            findings.iter().map(|finding| format!("{:?} {finding}", finding.severity)).collect();
        found.extend(unhonoured.iter().map(|key| format!("Unhonoured {key}")));
        assert_eq!(found.len(), expected.len(), "{yaml}\n{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{yaml}\n  found    {found}\n  expected {expected}");
        }
    }

    #[test]
    fn keys_that_are_not_known() {
        check_one("app: {title: A}", &[]);
        check_one(
            "plugins:\n  s3:\n    source: a.wasm\n    grnt: {}",
            &["Error app-config.yaml:4: plugins.s3.grnt: unknown key. Did you mean `grant`?"],
        );
        check_one(
            "plugins: {s3: {source: a.wasm, zzzzzz: 1}}",
            &[
                "Error app-config.yaml:1: plugins.s3.zzzzzz: unknown key. There may be enabled, grant, limits, source, version.",
            ],
        );
        check_one("plugins: {s3: {}}", &["Error app-config.yaml:1: plugins.s3: `source` is missing. It is a text"]);
        check_one(
            "plugins: {s3: {source: a, grant: {entity_provider: {}}}}",
            &[
                "Error app-config.yaml:1: plugins.s3.grant.entity_provider: unknown key. Did you mean `entity-provider`?",
            ],
        );
        check_one(
            "permission: {policy: [{allow: [a], too: [anyone]}]}",
            &[
                "Error app-config.yaml:1: permission.policy[0]: `to` is missing",
                "Error app-config.yaml:1: permission.policy[0].too: unknown key. Did you mean `to`?",
            ],
        );
        check_one(
            "organisation: {name: A}",
            &["Warning app-config.yaml:1: organisation: unknown key. Did you mean `organization`?"],
        );
        check_one("app:\n  titel: A", &["Warning app-config.yaml:2: app.titel: unknown key. Did you mean `title`?"]);
        check_one("acme: {x: 1}", &["Warning app-config.yaml:1: acme: unknown key. It has no effect, unless"]);
        check_one("acme: {x: 1}\nplugins: {a: {source: a, grant: {config: [acme.x]}}}", &[]);
        check_one("app: {<<: {title: A}}", &["Warning app-config.yaml:1: app.<<: merge keys are not expanded"]);
    }

    #[test]
    fn keys_without_effect() {
        check_one(
            "backend:\n  cors: {origin: x}\n  csp: {}",
            &[
                "Unhonoured app-config.yaml:2: backend.cors: would let pages",
                "Unhonoured app-config.yaml:3: backend.csp: would change",
            ],
        );
        check_one(
            "proxy: {endpoints: {/x: {target: a, secure: false}}}",
            &["Unhonoured app-config.yaml:1: proxy.endpoints./x.secure: would take any certificate"],
        );
        check_one(
            "proxy: {/x: {target: a}, reviveConsumedRequestBodies: true}",
            &["Unhonoured app-config.yaml:1: proxy.revive"],
        );
        check_one(
            "proxy: {/x: {taget: a}}",
            &["Warning app-config.yaml:1: proxy./x.taget: unknown key. Did you mean `target`?"],
        );
        check_one(
            "proxy: {endpoint: {}}",
            &["Warning app-config.yaml:1: proxy.endpoint: unknown key. Did you mean `endpoints`?"],
        );
        check_one("kubernetes: {x: 1}\nplugins: {a: {source: a, grant: {config: [kubernetes.x]}}}", &[]);
        check_one(
            "catalog: {providers: {awsS3: {bucketName: a}}}",
            &[
                "Unhonoured app-config.yaml:1: catalog.providers.awsS3: would name the objects of an S3 bucket, each as a \
             Location; add the plugin `s3` and grant it `config: [catalog.providers.awsS3]`",
            ],
        );
        check_one(
            "catalog: {processors: {github: {}}}",
            &["Error app-config.yaml:1: catalog.processors.github: Backstage no longer knows this key. Move it to"],
        );
        check_one("catalog: {processors: []}", &["Error app-config.yaml:1: catalog.processors: expected a mapping"]);
    }

    #[test]
    fn values_of_the_wrong_kind() {
        for (yaml, expected) in [
            ("app: {title: ''}", "app.title: expected a text that is not empty, found an empty text"),
            ("app: {title: [a]}", "app.title: expected a text that is not empty, found a list"),
            ("app: x", "app: expected a mapping, found a text"),
            ("app: {baseUrl: localhost}", "app.baseUrl: expected an http or https URL, found a text"),
            ("app: {baseUrl: 'ftp://x'}", "app.baseUrl: expected an http or https URL, found a text"),
            ("backend: {listen: {port: many}}", "backend.listen.port: expected a number, found `many`"),
            ("backend: {listen: [1]}", "backend.listen: expected a text or a mapping, found a list"),
            (
                "backend: {reading: {allow: [{host: 5}]}}",
                "backend.reading.allow[0].host: expected a text that is not empty; put the number in quotes, found a number",
            ),
            (
                "aws: {accounts: [{accountId: 123456789012}]}",
                "aws.accounts[0].accountId: expected a text that is not empty; put the number in quotes",
            ),
            ("catalog: {orphanStrategy: burn}", "catalog.orphanStrategy: expected one of delete, keep, found `burn`"),
            ("catalog: {processingInterval: '5'}", "catalog.processingInterval: expected a duration"),
            ("catalog: {processingInterval: {minuets: 5}}", "catalog.processingInterval: expected a duration"),
            ("catalog: {readonly: perhaps}", "catalog.readonly: expected true or false, found `perhaps`"),
            ("integrations: {awsS3: 5}", "integrations.awsS3: expected a mapping or a list, found a number"),
            ("integrations: {awsS3: [x]}", "integrations.awsS3[0]: expected a mapping, found a text"),
            (
                "auth: {providers: {guest: {userEntityRef: ada}}}",
                "auth.providers.guest.userEntityRef: expected an entity ref",
            ),
            (
                "proxy: {endpoints: {/x: {credentials: none}}}",
                "proxy.endpoints./x.credentials: expected one of require, forward, dangerously-allow-unauthenticated",
            ),
            (
                "plugins: {a: {source: a, grant: {http: GET}}}",
                "plugins.a.grant.http: expected a list of texts, found a text",
            ),
        ] {
            check_one(yaml, &[&format!("Error app-config.yaml:1: {expected}")]);
        }
    }

    #[test]
    fn values_in_several_forms() {
        for (written, expected) in [
            ("true", true),
            ("'yes'", true),
            ("on", true),
            ("1", true),
            ("' TRUE '", true),
            ("Y", true),
            ("false", false),
            ("'No'", false),
            ("off", false),
            ("0", false),
            ("n", false),
        ] {
            let mut node = Node::parse(&format!("catalog: {{readonly: {written}}}"), &Arc::from("x")).expect("YAML");
            assert_eq!(check(&mut node).0, [], "{written}");
            assert_eq!(node.at("catalog.readonly").map(Node::to_json), Some(expected.into()), "{written}");
        }
        check_one("catalog: {processingInterval: false}", &[]);
        check_one("catalog: {processingInterval: 30 minutes}", &[]);
        check_one("catalog: {processingInterval: PT30M}", &[]);
        check_one("integrations: {awsS3: {s3ForcePathStyle: 'true'}}", &[]);
        check_one("integrations: {awsS3: [{endpoint: 'http://localhost:9000'}]}", &[]);
        check_one("catalog: {rules: [{allow: [API, {kind: Component, spec.type: service}]}]}", &[]);
    }
}
