//! Who may sign in, and who may do what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::schedule::parse_duration;

use super::{Build, texts};
use crate::config::check::nearest;
use crate::config::model::{
    Audience, Auth, DEFAULT_ENVIRONMENT, DevelopmentUser, Guest, Permission, PolicyRule, SessionLifetimes,
};
use crate::config::node::{Data, Node};
use crate::policy;

/// The environment in which somebody may sign in without a proof.
pub(super) const DEVELOPMENT: &str = "development";

/// A session that is shorter ends between two clicks: a slip of the unit.
const SHORTEST_SESSION: Duration = Duration::from_secs(60);

impl Build<'_> {
    pub(super) fn permission(&mut self) -> Permission {
        let enabled = self.root.at("permission.enabled").is_none_or(|enabled| enabled.data != Data::Bool(false));
        let roles = self.roles();
        let Some(policy) = self.root.at("permission.policy") else {
            return Permission { enabled, policy: None, roles };
        };
        let rules = policy.items().iter().enumerate().map(|(index, rule)| self.rule(index, rule, &roles)).collect();
        Permission { enabled, policy: Some(rules), roles }
    }

    fn roles(&mut self) -> BTreeMap<String, Vec<Audience>> {
        let mut roles = BTreeMap::new();
        for (name, members) in self.root.at("permission.roles").map(Node::entries).unwrap_or_default() {
            let path = format!("permission.roles.{name}");
            roles.insert(name.clone(), self.audiences(members, &path, &BTreeMap::new()));
        }
        roles
    }

    fn rule(&mut self, index: usize, rule: &Node, roles: &BTreeMap<String, Vec<Audience>>) -> PolicyRule {
        let path = format!("permission.policy[{index}]");
        let allow: Vec<String> = texts(rule.get("allow"));
        for (at, node) in rule.get("allow").map(Node::items).unwrap_or_default().iter().enumerate() {
            let (place, pattern) = (format!("{path}.allow[{at}]"), node.text().unwrap_or_default());
            if let Some(fix) = self.not_a_permission(pattern) {
                self.fail(&place, node, "stands for no permission", &fix);
            } else if rule.get("where").is_some() && is_about_no_entity(pattern) {
                let message = "is not about entities, so that a rule with `where` does not give it";
                self.warn(&place, node, message, "Move it to a rule without `where`.");
            }
        }
        let to = rule.get("to").map(|to| self.audiences(to, &format!("{path}.to"), roles)).unwrap_or_default();
        let condition = rule.get("where").and_then(|node| self.condition(node, &format!("{path}.where")));
        let name = rule.get("name").and_then(Node::text).unwrap_or(&path);
        PolicyRule { name: Arc::from(name), origin: Some(rule.origin.clone()), allow, to, condition }
    }

    fn condition(&mut self, node: &Node, path: &str) -> Option<Predicate> {
        let fix = "Write a predicate as the catalog's queries take it.";
        let condition = self.typed::<Predicate>(node, path, fix)?;
        // What begins so stands for something else; a word that is not known would quietly stand for itself.
        let unknown = condition.values().into_iter().find(|value| value.starts_with('$') && *value != policy::ME);
        if let Some(unknown) = unknown {
            let message = format!("names `{unknown}`, which stands for nothing");
            let fix = format!("There is `{}`: the caller's own ref and those of their groups.", policy::ME);
            self.fail(path, node, &message, &fix);
            return None;
        }
        Some(condition)
    }

    fn audiences(&mut self, list: &Node, path: &str, roles: &BTreeMap<String, Vec<Audience>>) -> Vec<Audience> {
        let mut audiences = Vec::new();
        for (at, who) in list.items().iter().enumerate() {
            match who.text().map(|text| self.audience(text, roles)) {
                Some(Ok(audience)) => audiences.push(audience),
                Some(Err(fix)) => {
                    self.fail(&format!("{path}[{at}]"), who, "does not say who is meant", &fix);
                }
                None => {}
            }
        }
        audiences
    }

    fn audience(&self, text: &str, roles: &BTreeMap<String, Vec<Audience>>) -> Result<Audience, String> {
        const WORDS: &[&str] = &["anyone", "signed-in"];
        if let Some(role) = text.strip_prefix("role:") {
            if roles.contains_key(role) {
                return Ok(Audience::Role(role.to_owned()));
            }
            let names: Vec<&str> = roles.keys().map(String::as_str).collect();
            return Err(match (nearest(role, &names), names.is_empty()) {
                (Some(nearest), _) => format!("Did you mean `role:{nearest}`?"),
                (None, true) => {
                    "No role may stand here: `permission.roles` has none, and a role is not a member of another."
                        .to_owned()
                }
                (None, false) => format!("`permission.roles` has {}.", names.join(", ")),
            });
        }
        if let Some(id) = text.strip_prefix("plugin:") {
            return self.plugin(id);
        }
        match text {
            "anyone" => Ok(Audience::Anyone),
            "signed-in" => Ok(Audience::SignedIn),
            text => match EntityRef::parse(text, None, None) {
                Ok(entity_ref) if ["user", "group"].contains(&entity_ref.kind()) => Ok(Audience::Entity(entity_ref)),
                Ok(_) => Err("Only refs of users and groups may stand here.".to_owned()),
                Err(_) => Err(match nearest(text, WORDS) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None => {
                        "Write `anyone`, `signed-in`, `role:` and a role's name, `plugin:` and a plugin's id, or a ref such \
                         as `user:default/ada` or `group:default/team-a`."
                            .to_owned()
                    }
                }),
            },
        }
    }

    /// A plugin that is not in app-config is a slip of the pen.
    fn plugin(&self, id: &str) -> Result<Audience, String> {
        let plugins = self.root.get("plugins").map(Node::entries).unwrap_or_default();
        let ids: Vec<&str> = plugins.iter().map(|(id, _)| id.as_str()).collect();
        if ids.contains(&id) {
            return Ok(Audience::Plugin(id.to_owned()));
        }
        Err(match (nearest(id, &ids), ids.is_empty()) {
            (Some(nearest), _) => format!("Did you mean `plugin:{nearest}`?"),
            (None, true) => "There is no such plugin: `plugins` has none.".to_owned(),
            (None, false) => format!("`plugins` has {}.", ids.join(", ")),
        })
    }

    /// What to write instead of a name that stands for no permission. What plugins and the proxy's endpoints name is only
    /// known to begin with their names.
    fn not_a_permission(&self, pattern: &str) -> Option<String> {
        let start = pattern.split_once('.').map_or("", |(start, _)| start);
        let is_named = start == "proxy" || self.root.get("plugins").is_some_and(|plugins| plugins.get(start).is_some());
        if is_named || policy::Permission::BUILT_IN.iter().any(|permission| permission.matches(pattern)) {
            return None;
        }
        let built_in = policy::Permission::BUILT_IN;
        let names: Vec<&str> = built_in.iter().map(policy::Permission::name).collect();
        Some(match nearest(pattern, &names) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => format!("There are {}; `*` stands for a segment.", names.join(", ")),
        })
    }

    pub(super) fn auth(&mut self) -> Auth {
        let environment = self.text("auth.environment");
        let development = environment.as_deref() == Some(DEVELOPMENT);
        let providers = self.sign_in_providers(environment.as_deref().unwrap_or(DEFAULT_ENVIRONMENT));
        let session = self.session_lifetimes();
        let mut auth = Auth { environment, providers, session, ..Auth::default() };
        if let Some(guest) = self.root.at("auth.providers.guest") {
            let anywhere =
                guest.get("dangerouslyAllowOutsideDevelopment").is_some_and(|node| node.data == Data::Bool(true));
            if development || anywhere {
                let user = guest.get("userEntityRef").and_then(entity_ref);
                auth.guest = Some(Guest {
                    user_entity_ref: user.unwrap_or_else(|| EntityRef::new("user", DEVELOPMENT, "guest")),
                    ownership_entity_refs: self
                        .refs(guest.get("ownershipEntityRefs"), "auth.providers.guest.ownershipEntityRefs"),
                });
            } else {
                auth.is_guest_refused = true;
                self.warn(
                    "auth.providers.guest",
                    guest,
                    "no guest may sign in, since this is not a development environment",
                    "Set `auth.environment: development` where everybody who reaches the portal may look around.",
                );
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

    fn session_lifetimes(&mut self) -> SessionLifetimes {
        let usual = SessionLifetimes::default();
        SessionLifetimes {
            idle: self.lifetime("auth.session.idleTimeout").unwrap_or(usual.idle),
            absolute: self.lifetime("auth.session.lifetime").unwrap_or(usual.absolute),
        }
    }

    fn lifetime(&mut self, path: &str) -> Option<Duration> {
        let node = self.root.at(path)?;
        let duration = parse_duration(&node.to_json()).ok()?;
        if duration < SHORTEST_SESSION {
            self.fail(path, node, "would sign people out while they look", "Make it a minute or more.");
        }
        Some(duration)
    }

    fn refs(&mut self, node: Option<&Node>, path: &str) -> Vec<EntityRef> {
        let mut refs = Vec::new();
        for item in node.map(Node::items).unwrap_or_default() {
            match entity_ref(item) {
                Some(entity_ref) => refs.push(entity_ref),
                None => self.fail(
                    path,
                    item,
                    "holds something that is not an entity ref",
                    "Write refs such as `group:default/team-a`.",
                ),
            }
        }
        refs
    }
}

/// Whether none of the permissions that a pattern stands for is about entities. Of those that plugins name, nobody knows.
fn is_about_no_entity(pattern: &str) -> bool {
    let mut matched = policy::Permission::BUILT_IN.iter().filter(|permission| permission.matches(pattern)).peekable();
    match matched.peek() {
        Some(_) => matched.all(|permission| permission.subject() == policy::Subject::Whole),
        None => pattern.starts_with("proxy."),
    }
}

fn entity_ref(node: &Node) -> Option<EntityRef> {
    node.text().and_then(|text| EntityRef::parse(text, None, None).ok())
}
