//! Which layers there are: files by name and environment, then the environment's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::finding::Finding;
use super::node::{Data, Node, Origin};

/// What every environment variable that sets a key starts with.
pub const ENV_PREFIX: &str = "APP_CONFIG_";

/// Where the configuration is looked for.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `--config`, in order; empty for the files of `dir`.
    pub files: Vec<PathBuf>,
    /// The folder that the portal is started from.
    pub dir: PathBuf,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

impl Sources {
    /// This process's folder and environment. A variable that is not Unicode cannot be part of a configuration.
    pub fn of_process(files: Vec<PathBuf>) -> std::io::Result<Self> {
        let env =
            std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self { files, dir: std::env::current_dir()?, env: env.collect() })
    }

    /// The files to read, lowest first, each with whether it may be missing.
    pub(super) fn candidates(&self) -> Vec<(PathBuf, bool)> {
        if !self.files.is_empty() {
            return self.files.iter().map(|file| (file.clone(), false)).collect();
        }
        let names: Vec<&str> = self
            .env
            .get("BACKSTAGE_ENV")
            .map(|names| names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
            .unwrap_or_default();
        let mut files = vec![(PathBuf::from("app-config.yaml"), false)];
        files.extend(names.iter().map(|name| (PathBuf::from(format!("app-config.{name}.yaml")), true)));
        files.push((PathBuf::from("app-config.local.yaml"), true));
        files.extend(names.iter().map(|name| (PathBuf::from(format!("app-config.{name}.local.yaml")), true)));
        files
    }

    /// The files that there are, lowest first.
    pub(crate) fn files_there(&self) -> Vec<PathBuf> {
        let all = self.candidates().into_iter().map(|(file, _)| self.dir.join(file));
        all.filter(|file| file.is_file()).collect()
    }

    /// Where relative paths of the configuration start: the folder of the first file.
    pub(super) fn base_dir(&self) -> PathBuf {
        let first = self.files.first().and_then(|file| file.parent()).unwrap_or_else(|| Path::new(""));
        self.dir.join(first)
    }
}

/// The keys that `APP_CONFIG_…` variables set, as the highest layer.
pub(super) fn environment(env: &BTreeMap<String, String>, findings: &mut Vec<Finding>) -> Vec<Node> {
    let mut layers: Vec<(Vec<&str>, Node)> = Vec::new();
    for (variable, text) in env {
        let Some(name) = variable.strip_prefix(ENV_PREFIX) else { continue };
        let origin = Origin { layer: Arc::from(format!("environment variable {variable}")), line: None };
        let path: Vec<&str> = name.split('_').collect();
        let mut fail = |message: &str, fix: &str| {
            findings.push(Finding::error(&path.join("."), Some(origin.clone()), message, fix));
        };
        if let Some(segment) = path.iter().find(|segment| !is_key(segment)) {
            let message = if segment.is_empty() {
                "a part of the name is empty".to_owned()
            } else {
                format!("`{segment}` is not a key")
            };
            fail(&message, "After APP_CONFIG_ come keys of letters, digits, `-` and `:`, joined by single `_`.");
            continue;
        }
        if let Some(message) = layers.iter().find_map(|(above, node)| conflict(above, node, &path)) {
            fail(&message, "Remove one of the two variables.");
            continue;
        }
        let value = match serde_json::from_str::<Value>(text) {
            Ok(Value::Null) => {
                fail("is null", "Give it a value, or leave the variable away.");
                continue;
            }
            Ok(value) => value,
            Err(_) => Value::String(text.clone()),
        };
        // What an environment variable says may be a secret.
        let mut node = Node { substituted: true, ..Node::from_json(value, &origin) };
        for key in path.iter().rev() {
            node = Node::of(Data::Mapping(vec![((*key).to_owned(), node)]), origin.clone());
        }
        layers.push((path, node));
    }
    layers.into_iter().map(|(_, node)| node).collect()
}

/// Why a key cannot be set when an earlier variable set the one above it. Variables come in the order of their names,
/// so that a shorter path is always the earlier one.
fn conflict(above: &[&str], layer: &Node, path: &[&str]) -> Option<String> {
    if !path.starts_with(above) {
        return None;
    }
    let variable = format!("{ENV_PREFIX}{}", above.join("_"));
    let mut node = layer;
    for (depth, key) in path.iter().enumerate() {
        if depth >= above.len() && !matches!(node.data, Data::Mapping(_)) {
            return Some(format!("{variable} already gives what is above it {}", node.kind()));
        }
        match node.get(key) {
            Some(next) => node = next,
            None => return None,
        }
    }
    Some(format!("{variable} sets it as well"))
}

/// `^[a-z][a-z0-9]*(?:[-_:][a-z0-9]+)*$`, in any case; `_` cannot occur here.
fn is_key(segment: &str) -> bool {
    let mut parts = segment.split(['-', ':']);
    let alphanumeric = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    parts.next().is_some_and(|first| alphanumeric(first) && first.starts_with(|c: char| c.is_ascii_alphabetic()))
        && parts.all(alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(env: &[(&str, &str)], files: &[&str]) -> Vec<String> {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { files: files.iter().map(PathBuf::from).collect(), dir: PathBuf::from("/srv"), env };
        sources.candidates().into_iter().map(|(file, _)| file.display().to_string()).collect()
    }

    #[test]
    fn which_files_are_read() {
        assert_eq!(names(&[], &[]), ["app-config.yaml", "app-config.local.yaml"]);
        assert_eq!(
            names(&[("BACKSTAGE_ENV", "production, eu"), ("NODE_ENV", "test")], &[]),
            [
                "app-config.yaml",
                "app-config.production.yaml",
                "app-config.eu.yaml",
                "app-config.local.yaml",
                "app-config.production.local.yaml",
                "app-config.eu.local.yaml"
            ]
        );
        assert_eq!(names(&[("BACKSTAGE_ENV", "production")], &["b.yaml", "a.yaml"]), ["b.yaml", "a.yaml"]);
    }

    /// The merged value, or the messages.
    fn check(env: &[(&str, &str)], expected: Result<Value, &[&str]>) {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut findings = Vec::new();
        let mut merged = Node::empty(&Arc::from("test"));
        environment(&env, &mut findings).into_iter().for_each(|layer| merged.merge(layer));
        let messages: Vec<_> = findings.iter().map(ToString::to_string).collect();
        match expected {
            Ok(value) => {
                assert_eq!(messages, [""; 0]);
                assert_eq!(merged.to_json(), value);
            }
            Err(expected) => {
                assert_eq!(messages.len(), expected.len(), "{messages:?}");
                for (message, expected) in messages.iter().zip(expected) {
                    assert!(message.contains(expected), "{message} should contain {expected}");
                }
            }
        }
    }

    #[test]
    fn keys_from_the_environment() {
        check(&[("APP_CONFIG_app_baseUrl", "http://x")], Ok(json!({"app": {"baseUrl": "http://x"}})));
        check(&[("APP_CONFIG_backend_listen", "{\"port\": 80}")], Ok(json!({"backend": {"listen": {"port": 80}}})));
        check(&[("APP_CONFIG_a_n", "5"), ("APP_CONFIG_a_t", "\"5\"")], Ok(json!({"a": {"n": 5, "t": "5"}})));
        check(&[("APP_CONFIG_a", "{\"b\": 1}"), ("APP_CONFIG_a_c", "2")], Ok(json!({"a": {"b": 1, "c": 2}})));
        check(&[("APP_CONFIG_awsS3_x-y", "1"), ("OTHER", "x")], Ok(json!({"awsS3": {"x-y": 1}})));
        check(
            &[("APP_CONFIG_a", "1"), ("APP_CONFIG_a_b", "hunter2")],
            Err(&["APP_CONFIG_a already gives what is above it a number"]),
        );
        check(&[("APP_CONFIG_a", "{\"b\": 1}"), ("APP_CONFIG_a_b", "2")], Err(&["APP_CONFIG_a sets it as well"]));
        check(&[("APP_CONFIG_a", "null")], Err(&["environment variable APP_CONFIG_a: a: is null"]));
        check(&[("APP_CONFIG_a__b", "1")], Err(&["a part of the name is empty"]));
        check(&[("APP_CONFIG_1a", "1")], Err(&["`1a` is not a key"]));
    }
}
