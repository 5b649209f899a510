//! The typed configuration out of a checked tree.
//!
//! What is of the wrong kind was reported before and reads as absent here; only what the kinds cannot express is
//! checked here.

mod access;
mod database;
pub(crate) mod external;
mod parts;
mod proxy;
mod sign_in;
mod telemetry;

use std::path::{Path, PathBuf};

use callboard_artifact::Source;
use callboard_host::Limits;
use callboard_model::rights::Rights;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::check::nearest;
use super::finding::{Finding, Report};
use super::model::{
    Apis, App, Artifacts, Backend, Config, HostSettings, Listen, Organization, PluginConfig, TrustedProxies, TryAllow,
    TryItOut,
};
use super::node::{Data, Node, Step};
use crate::policy::Permission;

pub(super) fn build(root: &Node, base_dir: PathBuf, report: &mut Report) -> Config {
    let mut build = Build { root, report };
    build.check_parts();
    Config {
        app: App {
            title: build.text("app.title").unwrap_or_else(|| "Callboard".to_owned()),
            base_url: build.url("app.baseUrl"),
        },
        organization: Organization { name: build.text("organization.name") },
        backend: build.backend(&base_dir),
        integrations: build.json("integrations"),
        aws: build.json("aws"),
        catalog: build.json("catalog"),
        plugins: build.plugins(&base_dir),
        artifacts: build.artifacts(),
        host: HostSettings { limits: build.json("host.limits") },
        permission: build.permission(),
        auth: build.auth(),
        apis: build.apis(),
        proxy: build.proxy(),
        raw: root.to_json(),
        base_dir,
    }
}

struct Build<'a> {
    root: &'a Node,
    report: &'a mut Report,
}

impl Build<'_> {
    fn backend(&mut self, base_dir: &Path) -> Backend {
        Backend {
            listen: self.listen(),
            base_url: self.url("backend.baseUrl"),
            database: self.database(base_dir),
            reading: self.json("backend.reading"),
            external_access: self.external_access(),
            trusted_proxies: self.trusted_proxies(),
            telemetry: self.telemetry(),
        }
    }

    fn trusted_proxies(&mut self) -> TrustedProxies {
        const PATH: &str = "backend.trustProxy";
        let Some(node) = self.root.at(PATH) else { return TrustedProxies::None };
        let fix = "Write how many proxies there are, or a list of addresses, networks, `loopback`, `linklocal` and \
                   `uniquelocal`.";
        let value = node.to_json();
        if let Some(count) = value.as_u64().and_then(|count| usize::try_from(count).ok()) {
            return TrustedProxies::Nearest(count);
        }
        let texts: Option<Vec<&str>> = match &value {
            Value::Bool(false) => return TrustedProxies::None,
            Value::Bool(true) => {
                self.warn(PATH, node, "believes whatever address a request says that it comes from", fix);
                return TrustedProxies::All;
            }
            Value::String(text) => Some(text.split(',').collect()),
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let Some(texts) = texts else {
            self.fail(PATH, node, "is neither a number nor a list of addresses", fix);
            return TrustedProxies::None;
        };
        TrustedProxies::parse(texts).unwrap_or_else(|text| {
            self.fail(PATH, node, &format!("has `{}`, which is no address or network", text.escape_default()), fix);
            TrustedProxies::None
        })
    }

    fn listen(&mut self) -> Listen {
        let Some(node) = self.root.at("backend.listen") else { return Listen::default() };
        let listen = match node.text() {
            Some(text) => Listen::parse(text),
            None => {
                let port =
                    node.get("port").map_or(Some(u64::from(Listen::default().port)), |port| port.to_json().as_u64());
                let host = node.get("host").and_then(Node::text).and_then(Listen::host);
                port.and_then(|port| u16::try_from(port).ok()).map(|port| Listen { host, port })
            }
        };
        listen.unwrap_or_else(|| {
            self.fail("backend.listen", node, "has no port between 0 and 65535", "Write `:7007` or `host:7007`.");
            Listen::default()
        })
    }

    fn plugins(&mut self, base_dir: &Path) -> Vec<PluginConfig> {
        let mut plugins = Vec::new();
        let host_limits = self.limits(self.root.at("host.limits"), "host.limits", Limits::default());
        for (id, node) in self.root.get("plugins").map(Node::entries).unwrap_or_default() {
            if ABOUT_ALL.contains(&id.as_str()) {
                continue;
            }
            let path = format!("plugins.{id}");
            if !is_plugin_id(id) {
                let fix = "Use lower-case letters, digits and `-`, beginning with a letter, at most 63 in all.";
                self.fail(&path, node, "is not a plugin's id", fix);
            }
            if is_reserved(id) {
                let fix = "The portal's own permissions begin with that word; a plugin needs another id.";
                self.fail(&path, node, "is an id that no plugin may have", fix);
            }
            self.limits(node.get("limits"), &format!("{path}.limits"), host_limits.clone());
            let source = node.get("source").and_then(Node::text).unwrap_or_default().to_owned();
            let grant = match node.get("grant") {
                Some(grant) => self
                    .typed::<Rights>(
                        grant,
                        &format!("{path}.grant"),
                        "`callboard plugin inspect` prints a grant to start from.",
                    )
                    .unwrap_or_default(),
                None => Rights::default(),
            };
            plugins.push(PluginConfig {
                id: id.clone(),
                path: base_dir.join(&source),
                from: self.source(node, &path, base_dir),
                source,
                grant,
                enabled: node.get("enabled").map(|enabled| enabled.data != Data::Bool(false)),
                limits: node.get("limits").map_or(Value::Null, Node::to_json),
            });
        }
        plugins
    }

    /// What a plugin's `source` and `version` stand for.
    fn source(&mut self, node: &Node, path: &str, base_dir: &Path) -> Source {
        let text = |key: &str| node.get(key).and_then(Node::text);
        match Source::parse(text("source").unwrap_or_default(), text("version")) {
            Ok(Source::File(file)) => Source::File(base_dir.join(file)),
            Ok(source) => source,
            Err(error) => {
                let place = node.get("source").unwrap_or(node);
                self.fail(&format!("{path}.source"), place, &error.to_string(), "");
                Source::File(base_dir.to_owned())
            }
        }
    }

    fn artifacts(&mut self) -> Artifacts {
        let part = |key: &str| self.root.at(&format!("plugins.{key}"));
        let (trust, registries) = (part("trust"), part("registries"));
        Artifacts {
            trust: trust.and_then(|node| self.typed(node, "plugins.trust", "")).unwrap_or_default(),
            registries: registries.and_then(|node| self.typed(node, "plugins.registries", "")).unwrap_or_default(),
        }
    }

    fn apis(&mut self) -> Apis {
        let mut allow = Vec::new();
        for item in self.root.at("apis.tryItOut.allow").map(Node::items).unwrap_or_default() {
            let methods = texts(item.get("methods")).iter().map(|method| method.to_uppercase()).collect();
            allow
                .push(TryAllow { host: item.get("host").and_then(Node::text).unwrap_or_default().to_owned(), methods });
        }
        for (index, rule) in allow.iter().enumerate() {
            for method in rule.methods.iter().filter(|method| !METHODS.contains(&method.as_str())) {
                let path = format!("apis.tryItOut.allow[{index}].methods");
                let node = self.root.nearest(&[
                    Step::Key("apis".into()),
                    Step::Key("tryItOut".into()),
                    Step::Key("allow".into()),
                    Step::Index(index),
                    Step::Key("methods".into()),
                ]);
                let fix = match nearest(method, METHODS) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None => format!("There may be {}.", METHODS.join(", ")),
                };
                self.fail(&path, node, "names a method that cannot be tried out", &fix);
            }
        }
        Apis { try_it_out: TryItOut { allow } }
    }

    /// What another crate reads out of a part of the tree. Its error is placed as exactly as it can be, and is not
    /// quoted where a value in it may be a secret.
    fn typed<T: DeserializeOwned>(&mut self, node: &Node, path: &str, fix: &str) -> Option<T> {
        match serde_path_to_error::deserialize::<_, T>(node.to_json()) {
            Ok(value) => Some(value),
            Err(error) => {
                let steps = steps(error.path());
                let place = node.nearest(&steps);
                let message = match place.holds_substituted() {
                    true => "has a value that does not fit".to_owned(),
                    false => error.inner().to_string(),
                };
                let below = error.path().to_string();
                let path = if below == "." { path.to_owned() } else { format!("{path}.{below}") };
                self.fail(&path, place, &message, fix);
                None
            }
        }
    }

    fn text(&self, path: &str) -> Option<String> {
        self.root.at(path).and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn url(&self, path: &str) -> Option<Url> {
        self.text(path).and_then(|text| Url::parse(&text).ok())
    }

    fn json(&self, path: &str) -> Value {
        self.root.at(path).map_or(Value::Null, Node::to_json)
    }

    /// Whether something in this block was found wrong already, so that another reader's verdict would repeat it.
    fn is_reported(&self, block: &str) -> bool {
        let within =
            |path: &str| path.strip_prefix(block).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.report.errors().any(|finding| within(&finding.path))
    }

    fn fail(&mut self, path: &str, node: &Node, message: &str, fix: &str) {
        self.report.findings.push(Finding::error(path, Some(node.origin.clone()), message, fix));
    }

    fn warn(&mut self, path: &str, node: &Node, message: &str, fix: &str) {
        self.report.findings.push(Finding::warning(path, Some(node.origin.clone()), message, fix));
    }
}

/// The methods that may be allowed beyond those that always are.
const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

fn is_plugin_id(id: &str) -> bool {
    id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The beginnings of the portal's own permissions. With such an id a plugin could name a permission like one of them.
/// What stands beside the plugins and is about all of them.
const ABOUT_ALL: [&str; 2] = ["trust", "registries"];

fn is_reserved(id: &str) -> bool {
    let others = [Permission::Own, Permission::Public];
    id == "proxy" || Permission::BUILT_IN.iter().chain(&others).any(|permission| permission.api() == id)
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    path.iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
            serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
            _ => None,
        })
        .collect()
}
