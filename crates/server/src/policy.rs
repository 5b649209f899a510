//! What somebody may do: the one place that decides it.
//!
//! A policy is a list of rules that allow; what none allows is denied. It comes from app-config's `permission`, and where
//! that has no rules, from [`defaults`]. [`Live`] holds the one that is in force.

mod defaults;
mod explain;
mod live;
pub mod permission;
mod scope;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;

use crate::config::{self, Audience, PolicyRule};
use crate::identity::Principal;

pub use explain::{Explanation, Outcome, Weighed};
pub use live::{Live, watch};
pub use permission::{Action, Denied, Permission, Subject};
pub use scope::{Limit, Part, Scope};

/// What stands in a rule's `where` for the refs that count as the caller's: their own, and those of their groups.
pub const ME: &str = "$me";

/// The role whose members may do everything, under any policy.
pub const ADMIN: &str = "admin";

/// Decides what somebody may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    rules: Vec<PolicyRule>,
    roles: BTreeMap<String, Vec<Audience>>,
}

/// What somebody may do with one permission, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// For a permission that is not about single entities it is everything or nothing.
    pub access: Access,
    /// What decided it.
    pub reason: Reason,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// These rules, by their names; more than one where each gives it for some entities.
    Rules(Vec<Arc<str>>),
    /// Something that no policy changes.
    BuiltIn(&'static str),
}

impl Policy {
    /// The policy of app-config.
    #[must_use]
    pub fn new(config: &config::Permission) -> Policy {
        let mut rules = match (&config.policy, config.enabled) {
            (_, false) => vec![defaults::everything()],
            (None, true) => defaults::rules(),
            (Some(rules), true) => rules.clone(),
        };
        if config.roles.contains_key(ADMIN) {
            rules.insert(0, defaults::admins());
        }
        Policy { rules, roles: config.roles.clone() }
    }

    /// All rules, in the order in which they are weighed.
    #[must_use]
    pub fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }

    /// What somebody may do with a permission.
    #[must_use]
    pub fn decide(&self, principal: &Principal, permission: &Permission) -> Decision {
        match settled(principal, permission) {
            Some(decision) => decision,
            None => self.weigh(principal, permission),
        }
    }

    /// Whether it names users or groups, so that it matters whose member somebody is.
    #[must_use]
    pub fn names_entities(&self) -> bool {
        let is_entity = |audience: &Audience| matches!(audience, Audience::Entity(_));
        self.roles.values().flatten().any(is_entity)
            || self.rules.iter().any(|rule| {
                rule.to.iter().any(is_entity) || rule.condition.as_ref().is_some_and(|condition| condition.names(ME))
            })
    }

    fn weigh(&self, principal: &Principal, permission: &Permission) -> Decision {
        let mut conditions = Vec::new();
        let mut names = Vec::new();
        for rule in &self.rules {
            if !rule.gives(permission) || !self.is_for(rule, principal) {
                continue;
            }
            match (&rule.condition, permission.subject()) {
                (None, _) => {
                    return Decision { access: Access::All, reason: Reason::Rules(vec![rule.name.clone()]) };
                }
                (Some(condition), Subject::Entities) => {
                    conditions.push(for_caller(condition, principal));
                    names.push(rule.name.clone());
                }
                // A condition on entities says nothing about the whole, and a rule only ever allows what it says.
                (Some(_), Subject::Whole) => {}
            }
        }
        let access = match conditions.len() {
            0 => return denied("no rule gives it"),
            1 => conditions.pop().map_or(Access::None, Access::Where),
            _ => Access::Where(Predicate::Any(conditions)),
        };
        Decision { access, reason: Reason::Rules(names) }
    }

    fn is_for(&self, rule: &PolicyRule, principal: &Principal) -> bool {
        rule.to.iter().any(|audience| match audience {
            Audience::Role(role) => {
                self.roles.get(role).is_some_and(|members| members.iter().any(|member| includes(member, principal)))
            }
            audience => includes(audience, principal),
        })
    }
}

impl PolicyRule {
    /// Whether it is about a permission.
    #[must_use]
    pub fn gives(&self, permission: &Permission) -> bool {
        self.allow.iter().any(|pattern| permission.matches(pattern))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Rules(names) => f.write_str(&names.join(", ")),
            Reason::BuiltIn(reason) => f.write_str(reason),
        }
    }
}

/// What is so under any policy.
fn settled(principal: &Principal, permission: &Permission) -> Option<Decision> {
    if principal.scope().is_some_and(|scope| !scope.allows(permission)) {
        return Some(denied("the token is limited to other things"));
    }
    match (permission, principal) {
        (Permission::Public, _) => Some(allowed("open to everybody")),
        (Permission::Own | Permission::OwnSettings, Principal::User(_)) => Some(allowed("their own")),
        (Permission::Own | Permission::OwnSettings, _) => Some(denied("only for people who are signed in")),
        (Permission::EntityPush, Principal::Source(_)) => Some(allowed("the token of a push source")),
        (Permission::EntityPush, _) => Some(denied("only with the token of a push source")),
        (_, Principal::Source(_)) => Some(denied("the token of a push source is for pushing only")),
        (permission, Principal::Anonymous | Principal::Service(_) | Principal::Plugin(_))
            if permission.needs_a_user() =>
        {
            Some(denied("only for people who are signed in"))
        }
        // As in Backstage: what a service may do is what its token's restrictions leave it.
        (_, Principal::Service(_)) => Some(allowed("backend.auth.externalAccess")),
        (_, Principal::Anonymous | Principal::User(_) | Principal::Plugin(_)) => None,
    }
}

fn allowed(reason: &'static str) -> Decision {
    Decision { access: Access::All, reason: Reason::BuiltIn(reason) }
}

fn denied(reason: &'static str) -> Decision {
    Decision { access: Access::None, reason: Reason::BuiltIn(reason) }
}

/// A condition as it is for somebody.
fn for_caller(condition: &Predicate, principal: &Principal) -> Predicate {
    let refs: Vec<String> = match principal.user() {
        Some(user) => user.ownership.iter().map(EntityRef::to_string).collect(),
        None => Vec::new(),
    };
    condition.with(ME, &refs)
}

fn includes(audience: &Audience, principal: &Principal) -> bool {
    match (audience, principal) {
        // What has a token of its own is not just anyone, and roles are not members of roles.
        (_, Principal::Source(_) | Principal::Service(_)) | (Audience::Role(_), _) => false,
        // A plugin neither, and it is meant by nothing but its id.
        (Audience::Plugin(id), Principal::Plugin(plugin)) => id == plugin,
        (Audience::Plugin(_), _) | (_, Principal::Plugin(_)) => false,
        (Audience::Anyone, _) | (Audience::SignedIn, Principal::User(_)) => true,
        (Audience::SignedIn | Audience::Entity(_), Principal::Anonymous) => false,
        (Audience::Entity(entity_ref), Principal::User(user)) => user.ownership.contains(entity_ref),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Service, User};

    fn predicate(json: &str) -> Predicate {
        serde_json::from_str(json).unwrap()
    }

    fn entity_ref(text: &str) -> EntityRef {
        EntityRef::parse(text, None, None).unwrap()
    }

    fn rule(name: &str, allow: &[&str], to: &[Audience], condition: Option<&str>) -> PolicyRule {
        PolicyRule {
            name: Arc::from(name),
            origin: None,
            allow: allow.iter().map(ToString::to_string).collect(),
            to: to.to_vec(),
            condition: condition.map(predicate),
        }
    }

    fn user(name: &str, ownership: &[&str]) -> Principal {
        let entity_ref = entity_ref(name);
        let groups = ownership.iter().map(|group| self::entity_ref(group));
        Principal::User(User {
            ownership: std::iter::once(entity_ref.clone()).chain(groups).collect(),
            entity_ref,
            display_name: name.to_owned(),
            scope: Scope::unlimited(),
        })
    }

    fn ada() -> Principal {
        user("user:default/ada", &["group:default/engines"])
    }

    fn limited(patterns: &[&str]) -> Principal {
        let Principal::User(user) = ada() else { unreachable!() };
        Principal::User(User { scope: user.scope.and(Limit::patterns(patterns.iter().copied())), ..user })
    }

    fn service(scope: Scope) -> Principal {
        Principal::Service(Service { subject: "external:ci".to_owned(), scope })
    }

    fn source() -> Principal {
        Principal::Source("ci".to_owned())
    }

    fn plugin(id: &str) -> Principal {
        Principal::Plugin(id.to_owned())
    }

    fn permission(policy: Option<Vec<PolicyRule>>, admins: &[Audience]) -> config::Permission {
        let roles = if admins.is_empty() { vec![] } else { vec![(ADMIN.to_owned(), admins.to_vec())] };
        config::Permission { enabled: true, policy, roles: roles.into_iter().collect() }
    }

    const OWNED: &str = r#"{"relations.ownedBy": {"$in": ["user:default/ada", "group:default/engines"]}}"#;

    #[test]
    fn without_rules() {
        fn check(enabled: bool, principal: &Principal, permission: Permission, expected: &Access) {
            let policy = Policy::new(&config::Permission { enabled, ..config::Permission::default() });
            let found = policy.decide(principal, &permission).access;
            assert_eq!(&found, expected, "{enabled} {principal} {}", permission.name());
        }
        check(true, &Principal::Anonymous, Permission::Public, &Access::All);
        for enabled in [true, false] {
            for permission in Permission::BUILT_IN {
                check(enabled, &plugin("s3"), permission, &Access::None);
            }
            for permission in [Permission::EntityPush, Permission::Own, Permission::OwnSettings] {
                check(enabled, &plugin("s3"), permission, &Access::None);
            }
            check(enabled, &source(), Permission::EntityPush, &Access::All);
            check(enabled, &source(), Permission::EntityRead, &Access::None);
            check(enabled, &source(), Permission::EntityDelete, &Access::None);
            check(enabled, &source(), Permission::Own, &Access::None);
            check(enabled, &ada(), Permission::EntityPush, &Access::None);
            check(enabled, &ada(), Permission::Own, &Access::All);
            check(enabled, &Principal::Anonymous, Permission::EntityPush, &Access::None);
            check(enabled, &Principal::Anonymous, Permission::EntityRead, &Access::None);
            check(enabled, &Principal::Anonymous, Permission::Own, &Access::None);
            check(enabled, &service(Scope::unlimited()), Permission::EntityDelete, &Access::All);
            check(enabled, &service(Scope::unlimited()), Permission::EntityPush, &Access::None);
            check(enabled, &service(Scope::unlimited()), Permission::ApiTry, &Access::None);
            check(enabled, &service(Scope::unlimited()), Permission::Own, &Access::None);
            let reads = Scope::unlimited().and(Limit::patterns(["catalog.*.read"]));
            check(enabled, &service(reads.clone()), Permission::EntityRead, &Access::All);
            check(enabled, &service(reads), Permission::EntityDelete, &Access::None);
        }
        check(true, &ada(), Permission::EntityRead, &Access::All);
        check(true, &ada(), Permission::EntityRefresh, &Access::All);
        check(true, &ada(), Permission::EntityDelete, &Access::Where(predicate(OWNED)));
        check(true, &ada(), Permission::PluginAct, &Access::Where(predicate(OWNED)));
        check(true, &ada(), Permission::LocationCreate, &Access::None);
        check(true, &ada(), Permission::AuditRead, &Access::None);
        check(false, &ada(), Permission::EntityDelete, &Access::All);
    }

    #[test]
    fn admins_administer_under_any_policy() {
        let engines = [Audience::Entity(entity_ref("group:default/engines"))];
        for rules in [None, Some(vec![])] {
            let policy = Policy::new(&permission(rules, &engines));
            let other = user("user:default/bob", &[]);
            for permission in Permission::BUILT_IN {
                assert_eq!(policy.decide(&ada(), &permission).access, Access::All, "{}", permission.name());
                assert_ne!(policy.decide(&other, &Permission::AuditRead).access, Access::All);
            }
            assert!(policy.names_entities());
        }
    }

    #[test]
    fn rules_allow() {
        let apis = r#"{"kind": "API"}"#;
        let mine = r#"{"relations.ownedBy": "$me"}"#;
        let policy = Policy::new(&permission(
            Some(vec![
                rule("apis", &["catalog.entity.read"], &[Audience::Anyone], Some(apis)),
                rule(
                    "engines",
                    &["catalog.entity.*"],
                    &[Audience::Entity(entity_ref("group:default/engines"))],
                    Some(mine),
                ),
                rule("locations", &["catalog.location.*"], &[Audience::SignedIn], Some(apis)),
                rule("open", &["plugin.read", "api.try"], &[Audience::Anyone], None),
                rule("admins", &["s3.*"], &[Audience::Role(ADMIN.to_owned())], None),
                rule("nobody", &["*"], &[Audience::Role("unknown".to_owned())], None),
            ]),
            &[Audience::Entity(entity_ref("user:default/root"))],
        ));
        let check = |principal: &Principal, permission: Permission, expected: &Access, reason: &str| {
            let case = format!("{principal} {}", permission.name());
            let decision = policy.decide(principal, &permission);
            assert_eq!((&decision.access, decision.reason.to_string().as_str()), (expected, reason), "{case}");
            let explained = policy.explain(principal, &permission, None);
            assert_eq!(explained.allowed, decision.access == Access::All, "{case}");
        };
        let none = "no rule gives it";
        check(&Principal::Anonymous, Permission::EntityRead, &Access::Where(predicate(apis)), "apis");
        let both = Access::Where(Predicate::Any(vec![predicate(apis), predicate(OWNED)]));
        check(&ada(), Permission::EntityRead, &both, "apis, engines");
        check(&ada(), Permission::EntityDelete, &Access::Where(predicate(OWNED)), "engines");
        check(&Principal::Anonymous, Permission::EntityDelete, &Access::None, none);
        // A condition on entities cannot hold for locations as a whole.
        check(&ada(), Permission::LocationRead, &Access::None, none);
        check(&Principal::Anonymous, Permission::PluginRead, &Access::All, "open");
        // Nobody may try an API without being signed in, whatever the policy says.
        let people = "only for people who are signed in";
        check(&Principal::Anonymous, Permission::ApiTry, &Access::None, people);
        check(&ada(), Permission::ApiTry, &Access::All, "open");
        let root = user("user:default/root", &[]);
        check(&root, Permission::EntityDelete, &Access::All, "permission.roles.admin");
        let empty = || Permission::named("s3.bucket.empty", Action::Delete, Subject::Entities);
        check(&root, empty(), &Access::All, "permission.roles.admin");
        check(&ada(), empty(), &Access::None, none);
        // A token gives what its owner has and its limits include.
        let token = "the token is limited to other things";
        check(&limited(&["catalog.entity.delete"]), Permission::EntityRead, &Access::None, token);
        check(
            &limited(&["catalog.entity.delete"]),
            Permission::EntityDelete,
            &Access::Where(predicate(OWNED)),
            "engines",
        );
        check(&limited(&["*"]), Permission::LocationDelete, &Access::None, none);
        check(&limited(&["*"]), Permission::Own, &Access::None, token);
    }

    #[test]
    fn a_plugin_is_meant_by_its_id_alone() {
        fn check(to: &[Audience], condition: Option<&str>, id: &str, expected: &Access) {
            let rules = vec![rule("r", &["*"], to, condition)];
            let policy = Policy::new(&permission(Some(rules), &[Audience::Plugin("trusted".to_owned())]));
            let found = policy.decide(&plugin(id), &Permission::EntityRead).access;
            assert_eq!(&found, expected, "{to:?} {condition:?} {id}");
            let allowed = policy.explain(&plugin(id), &Permission::EntityRead, None).allowed;
            assert_eq!(allowed, found == Access::All, "{to:?} {condition:?} {id}");
            // Neither does naming a plugin mean anybody else.
            if to == [Audience::Plugin("s3".to_owned())] {
                for other in [Principal::Anonymous, user("user:default/s3", &["group:default/s3"]), source()] {
                    assert_eq!(policy.decide(&other, &Permission::EntityRead).access, Access::None, "{other}");
                }
            }
        }
        let s3 = [Audience::Plugin("s3".to_owned())];
        check(&s3, None, "s3", &Access::All);
        check(&s3, None, "S3", &Access::None);
        check(&s3, None, "s33", &Access::None);
        check(&s3, Some(r#"{"kind": "API"}"#), "s3", &Access::Where(predicate(r#"{"kind": "API"}"#)));
        // It is nobody, and owns nothing.
        let mine = predicate(r#"{"relations.ownedBy": {"$in": []}}"#);
        check(&s3, Some(r#"{"relations.ownedBy": "$me"}"#), "s3", &Access::Where(mine));
        check(&[Audience::Anyone, Audience::SignedIn], None, "s3", &Access::None);
        check(&[Audience::Entity(entity_ref("user:default/s3"))], None, "s3", &Access::None);
        check(&[Audience::Anyone], None, "trusted", &Access::All);
    }

    #[test]
    fn explanations() {
        let policy = Policy::new(&permission(None, &[]));
        let of = |owner: &str| {
            let relations = serde_json::json!([{ "type": "ownedBy", "targetRef": owner }]);
            let entity = serde_json::json!({ "kind": "API", "metadata": { "name": "a" }, "relations": relations });
            callboard_model::filter::SearchRows::of(&entity).unwrap()
        };
        let check = |permission: Permission, owner: Option<&str>, allowed: bool, outcomes: &[Outcome]| {
            let explained = policy.explain(&ada(), &permission, owner.map(of).as_ref());
            let found: Vec<Outcome> = explained.rules.iter().map(|weighed| weighed.outcome).collect();
            assert_eq!((explained.allowed, found.as_slice()), (allowed, outcomes), "{} {owner:?}", permission.name());
        };
        check(Permission::EntityRead, Some("group:default/wood"), true, &[Outcome::Gives]);
        check(Permission::EntityDelete, Some("group:default/wood"), false, &[Outcome::OtherEntities]);
        check(Permission::EntityDelete, Some("Group:default/Engines"), true, &[Outcome::Gives]);
        check(Permission::EntityDelete, None, false, &[Outcome::SomeEntities]);
        check(Permission::AuditRead, None, false, &[]);
        check(Permission::Own, None, true, &[]);
    }
}
