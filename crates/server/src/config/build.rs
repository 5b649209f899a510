//! The typed configuration out of a checked tree.
//!
//! What is of the wrong kind was reported before and reads as absent here; only what the kinds cannot express is
//! checked here.

use std::path::PathBuf;

use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::rights::Rights;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::check::nearest;
use super::finding::{Finding, Report, Unhonoured};
use super::model::{
    Apis, App, Audience, Auth, Backend, Config, Database, DevelopmentUser, Guest, HostSettings, Listen, Organization,
    Permission, PluginConfig, PolicyRule, TryAllow, TryItOut,
};
use super::node::{Data, Node, Step};

/// The environment in which somebody may sign in without a proof.
const DEVELOPMENT: &str = "development";

pub(super) fn build(root: &Node, base_dir: PathBuf, report: &mut Report) -> Config {
    let mut build = Build { root, report };
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
        host: HostSettings { limits: build.json("host.limits") },
        permission: build.permission(),
        auth: build.auth(),
        apis: build.apis(),
        raw: root.to_json(),
        base_dir,
    }
}

struct Build<'a> {
    root: &'a Node,
    report: &'a mut Report,
}

impl Build<'_> {
    fn backend(&mut self, base_dir: &std::path::Path) -> Backend {
        Backend {
            listen: self.listen(),
            base_url: self.url("backend.baseUrl"),
            database: self.database(base_dir),
            reading: self.json("backend.reading"),
        }
    }

    fn listen(&mut self) -> Listen {
        let Some(node) = self.root.at("backend.listen") else { return Listen::default() };
        let listen = match node.text() {
            Some(text) => Listen::parse(text),
            None => {
                let port = node.get("port").map_or(Some(u64::from(Listen::default().port)), |port| port.to_json().as_u64());
                let host = node.get("host").and_then(Node::text).and_then(Listen::host);
                port.and_then(|port| u16::try_from(port).ok()).map(|port| Listen { host, port })
            }
        };
        listen.unwrap_or_else(|| {
            self.fail("backend.listen", node, "has no port between 0 and 65535", "Write `:7007` or `host:7007`.");
            Listen::default()
        })
    }

    fn database(&mut self, base_dir: &std::path::Path) -> Database {
        if let Some(node) = self.root.at("backend.database.client").filter(|node| node.text() == Some("pg")) {
            self.report.unhonoured.push(Unhonoured {
                path: "backend.database.client".to_owned(),
                origin: node.origin.clone(),
                would: "would keep the data in PostgreSQL; it is kept in SQLite, in the data folder".to_owned(),
            });
            return Database::DataDir;
        }
        let Some(connection) = self.root.at("backend.database.connection") else { return Database::DataDir };
        match &connection.data {
            Data::Text(text) if text == ":memory:" => Database::Memory,
            Data::Mapping(_) => match self.text("backend.database.connection.directory") {
                Some(directory) => Database::Directory(base_dir.join(directory)),
                None => Database::DataDir,
            },
            _ => {
                let fix = "For SQLite write `:memory:` or `{ directory: … }`.";
                self.fail("backend.database.connection", connection, "is not a place for a SQLite database", fix);
                Database::DataDir
            }
        }
    }

    fn plugins(&mut self, base_dir: &std::path::Path) -> Vec<PluginConfig> {
        let mut plugins = Vec::new();
        for (id, node) in self.root.get("plugins").map(Node::entries).unwrap_or_default() {
            let path = format!("plugins.{id}");
            if !is_plugin_id(id) {
                let fix = "Use lower-case letters, digits and `-`, beginning with a letter, at most 63 in all.";
                self.fail(&path, node, "is not a plugin's id", fix);
            }
            let source = node.get("source").and_then(Node::text).unwrap_or_default().to_owned();
            let grant = match node.get("grant") {
                Some(grant) => self.typed::<Rights>(grant, &format!("{path}.grant"), "Correct it").unwrap_or_default(),
                None => Rights::default(),
            };
            plugins.push(PluginConfig {
                id: id.clone(),
                path: base_dir.join(&source),
                source,
                grant,
                enabled: node.get("enabled").is_none_or(|enabled| enabled.data != Data::Bool(false)),
                limits: node.get("limits").map_or(Value::Null, Node::to_json),
            });
        }
        plugins
    }

    fn permission(&mut self) -> Permission {
        let enabled = self.root.at("permission.enabled").is_none_or(|enabled| enabled.data != Data::Bool(false));
        let Some(policy) = self.root.at("permission.policy") else { return Permission { enabled, policy: None } };
        let mut rules = Vec::new();
        for (index, rule) in policy.items().iter().enumerate() {
            let path = format!("permission.policy[{index}]");
            let allow: Vec<String> = texts(rule.get("allow"));
            for (at, name) in allow.iter().enumerate().filter(|(_, name)| !is_permission(name)) {
                let message = format!("`{name}` is not a permission's name");
                let fix = "Write names such as `catalog.entity.read` or `catalog.*`.";
                self.fail(&format!("{path}.allow[{at}]"), rule, &message, fix);
            }
            let mut to = Vec::new();
            for (at, audience) in rule.get("to").map(Node::items).unwrap_or_default().iter().enumerate() {
                match audience.text().map(self::audience) {
                    Some(Ok(audience)) => to.push(audience),
                    Some(Err(fix)) => {
                        self.fail(&format!("{path}.to[{at}]"), audience, "does not say for whom the rule is", &fix);
                    }
                    None => {}
                }
            }
            let condition = rule.get("where").and_then(|node| {
                self.typed::<Predicate>(node, &format!("{path}.where"), "Write a predicate as the catalog's queries take it")
            });
            rules.push(PolicyRule { allow, to, condition });
        }
        Permission { enabled, policy: Some(rules) }
    }

    fn auth(&mut self) -> Auth {
        let environment = self.text("auth.environment");
        let development = environment.as_deref() == Some(DEVELOPMENT);
        let mut auth = Auth { environment, guest: None, development_users: Vec::new() };
        if let Some(guest) = self.root.at("auth.providers.guest") {
            let anywhere = guest.get("dangerouslyAllowOutsideDevelopment").is_some_and(|node| node.data == Data::Bool(true));
            if development || anywhere {
                let user = guest.get("userEntityRef").and_then(entity_ref);
                auth.guest = Some(Guest {
                    user_entity_ref: user.unwrap_or_else(|| EntityRef::new("user", DEVELOPMENT, "guest")),
                    ownership_entity_refs: self.refs(guest.get("ownershipEntityRefs"), "auth.providers.guest.ownershipEntityRefs"),
                });
            } else {
                self.report.findings.push(Finding::warning(
                    "auth.providers.guest",
                    Some(guest.origin.clone()),
                    "no guest may sign in, since this is not a development environment",
                    "Set `auth.environment: development` where everybody who reaches the portal may look around.",
                ));
            }
        }
        if let Some(users) = self.root.at("auth.providers.development") {
            if !development {
                let fix = "Set `auth.environment: development`, or remove the block.";
                let message = "lets anybody sign in as anybody, and this is not a development environment";
                self.fail("auth.providers.development", users, message, fix);
            }
            auth.development_users = users
                .get("users")
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .filter_map(|user| {
                    let display_name = user.get("displayName").and_then(Node::text).map(str::to_owned);
                    Some(DevelopmentUser { entity_ref: user.get("entityRef").and_then(entity_ref)?, display_name })
                })
                .collect();
        }
        auth
    }

    fn apis(&mut self) -> Apis {
        let mut allow = Vec::new();
        for item in self.root.at("apis.tryItOut.allow").map(Node::items).unwrap_or_default() {
            let methods = texts(item.get("methods")).iter().map(|method| method.to_uppercase()).collect();
            allow.push(TryAllow { host: item.get("host").and_then(Node::text).unwrap_or_default().to_owned(), methods });
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

    fn refs(&mut self, node: Option<&Node>, path: &str) -> Vec<EntityRef> {
        let mut refs = Vec::new();
        for item in node.map(Node::items).unwrap_or_default() {
            match entity_ref(item) {
                Some(entity_ref) => refs.push(entity_ref),
                None => self.fail(path, item, "holds something that is not an entity ref", "Write refs such as `group:default/team-a`."),
            }
        }
        refs
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
                self.fail(&path, place, &message, &format!("{fix}."));
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

    fn fail(&mut self, path: &str, node: &Node, message: &str, fix: &str) {
        self.report.findings.push(Finding::error(path, Some(node.origin.clone()), message, fix));
    }
}

/// The methods that may be allowed beyond those that always are.
const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

fn entity_ref(node: &Node) -> Option<EntityRef> {
    node.text().and_then(|text| EntityRef::parse(text, None, None).ok())
}

fn audience(text: &str) -> Result<Audience, String> {
    const WORDS: &[&str] = &["anyone", "signed-in"];
    match text {
        "anyone" => Ok(Audience::Anyone),
        "signed-in" => Ok(Audience::SignedIn),
        text => match EntityRef::parse(text, None, None) {
            Ok(entity_ref) if ["user", "group"].contains(&entity_ref.kind()) => Ok(Audience::Entity(entity_ref)),
            Ok(_) => Err("Only refs of users and groups may stand here.".to_owned()),
            Err(_) => Err(match nearest(text, WORDS) {
                Some(nearest) => format!("Did you mean `{nearest}`?"),
                None => "Write `anyone`, `signed-in`, or a ref such as `user:default/ada` or `group:default/team-a`.".to_owned(),
            }),
        },
    }
}

fn is_plugin_id(id: &str) -> bool {
    id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_permission(name: &str) -> bool {
    name.split('.').all(|segment| {
        segment == "*"
            || (!segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
    })
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
