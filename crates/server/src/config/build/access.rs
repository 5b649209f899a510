//! Who may sign in, and who may do what.

use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;

use super::{Build, texts};
use crate::config::check::nearest;
use crate::config::finding::Finding;
use crate::config::model::{Audience, Auth, DevelopmentUser, Guest, Permission, PolicyRule};
use crate::config::node::{Data, Node};
use crate::identity;

/// The environment in which somebody may sign in without a proof.
const DEVELOPMENT: &str = "development";

impl Build<'_> {
    pub(super) fn permission(&mut self) -> Permission {
        let enabled = self.root.at("permission.enabled").is_none_or(|enabled| enabled.data != Data::Bool(false));
        let Some(policy) = self.root.at("permission.policy") else { return Permission { enabled, policy: None } };
        let mut rules = Vec::new();
        for (index, rule) in policy.items().iter().enumerate() {
            let path = format!("permission.policy[{index}]");
            let allow: Vec<String> = texts(rule.get("allow"));
            for (at, node) in rule.get("allow").map(Node::items).unwrap_or_default().iter().enumerate() {
                if let Some(fix) = node.text().and_then(not_a_permission) {
                    self.fail(&format!("{path}.allow[{at}]"), node, "stands for no permission", &fix);
                }
            }
            let mut to = Vec::new();
            for (at, who) in rule.get("to").map(Node::items).unwrap_or_default().iter().enumerate() {
                match who.text().map(audience) {
                    Some(Ok(audience)) => to.push(audience),
                    Some(Err(fix)) => {
                        self.fail(&format!("{path}.to[{at}]"), who, "does not say for whom the rule is", &fix);
                    }
                    None => {}
                }
            }
            let condition = rule.get("where").and_then(|node| {
                self.typed::<Predicate>(
                    node,
                    &format!("{path}.where"),
                    "Write a predicate as the catalog's queries take it.",
                )
            });
            rules.push(PolicyRule { allow, to, condition });
        }
        Permission { enabled, policy: Some(rules) }
    }

    pub(super) fn auth(&mut self) -> Auth {
        let environment = self.text("auth.environment");
        let development = environment.as_deref() == Some(DEVELOPMENT);
        let mut auth = Auth { environment, guest: None, development_users: Vec::new() };
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
                None => "Write `anyone`, `signed-in`, or a ref such as `user:default/ada` or `group:default/team-a`."
                    .to_owned(),
            }),
        },
    }
}

/// What to write instead of a name that stands for no permission.
fn not_a_permission(pattern: &str) -> Option<String> {
    if identity::Permission::NAMED.iter().any(|permission| permission.matches(pattern)) {
        return None;
    }
    let names: Vec<&str> = identity::Permission::NAMED.iter().map(|permission| permission.name()).collect();
    Some(match nearest(pattern, &names) {
        Some(nearest) => format!("Did you mean `{nearest}`?"),
        None => format!("There are {}; `*` stands for a segment.", names.join(", ")),
    })
}
