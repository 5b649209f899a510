//! The policy: rules that allow, in app-config's `permission.policy`. What none allows is denied.

use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;

use super::permission::{Permission, Subject};
use super::principal::Principal;
use crate::config::{self, Audience, PolicyRule};

/// Decides what somebody may do.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Rules,
}

#[derive(Clone, Debug)]
enum Rules {
    /// `permission.enabled: false`: whoever is signed in may do everything.
    Everything,
    /// No policy: whoever is signed in may read and refresh.
    Default,
    /// What the operator wrote.
    Written(Vec<PolicyRule>),
}

impl Policy {
    /// The policy of app-config.
    #[must_use]
    pub fn new(config: &config::Permission) -> Policy {
        let rules = match (&config.policy, config.enabled) {
            (_, false) => Rules::Everything,
            (None, true) => Rules::Default,
            (Some(rules), true) => Rules::Written(rules.clone()),
        };
        Policy { rules }
    }

    /// What somebody may do with a permission. For a permission that is not about single entities the answer is
    /// everything or nothing.
    #[must_use]
    pub fn decide(&self, principal: &Principal, permission: Permission) -> Access {
        if permission == Permission::Public {
            return Access::All;
        }
        if let Principal::Source(_) = principal {
            return all_or_none(permission == Permission::EntityPush);
        }
        if permission == Permission::EntityPush {
            return Access::None;
        }
        let signed_in = principal.user().is_some();
        if permission.needs_a_user() && !signed_in {
            return Access::None;
        }
        match &self.rules {
            Rules::Everything => all_or_none(signed_in),
            Rules::Default => all_or_none(signed_in && permission.by_default()),
            Rules::Written(rules) => written(rules, principal, permission),
        }
    }

    /// Whether it names users or groups, so that it matters whose member somebody is.
    #[must_use]
    pub fn names_entities(&self) -> bool {
        match &self.rules {
            Rules::Everything | Rules::Default => false,
            Rules::Written(rules) => {
                rules.iter().flat_map(|rule| &rule.to).any(|audience| matches!(audience, Audience::Entity(_)))
            }
        }
    }
}

fn all_or_none(allowed: bool) -> Access {
    if allowed { Access::All } else { Access::None }
}

fn written(rules: &[PolicyRule], principal: &Principal, permission: Permission) -> Access {
    let mut conditions = Vec::new();
    for rule in rules {
        let named = rule.allow.iter().any(|pattern| permission.matches(pattern));
        if !named || !rule.to.iter().any(|audience| includes(audience, principal)) {
            continue;
        }
        match (&rule.condition, permission.subject()) {
            (None, _) => return Access::All,
            (Some(condition), Subject::Entities) => conditions.push(condition.clone()),
            // A condition on entities says nothing about the whole, and a rule only ever allows what it says.
            (Some(_), Subject::Whole) => {}
        }
    }
    match conditions.len() {
        0 => Access::None,
        1 => conditions.pop().map_or(Access::None, Access::Where),
        _ => Access::Where(Predicate::Any(conditions)),
    }
}

fn includes(audience: &Audience, principal: &Principal) -> bool {
    match (audience, principal) {
        // What has a token of its own is not just anyone.
        (_, Principal::Source(_)) => false,
        (Audience::Anyone, _) | (Audience::SignedIn, Principal::User(_)) => true,
        (Audience::SignedIn | Audience::Entity(_), Principal::Anonymous) => false,
        (Audience::Entity(entity_ref), Principal::User(user)) => {
            user.ownership.iter().any(|owned: &EntityRef| owned == entity_ref)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::User;

    fn predicate(json: &str) -> Predicate {
        serde_json::from_str(json).unwrap()
    }

    fn entity_ref(text: &str) -> EntityRef {
        EntityRef::parse(text, None, None).unwrap()
    }

    fn rule(allow: &[&str], to: &[Audience], condition: Option<&str>) -> PolicyRule {
        PolicyRule {
            allow: allow.iter().map(ToString::to_string).collect(),
            to: to.to_vec(),
            condition: condition.map(predicate),
        }
    }

    fn ada() -> Principal {
        Principal::User(User {
            entity_ref: entity_ref("user:default/ada"),
            display_name: "Ada".to_owned(),
            ownership: vec![entity_ref("user:default/ada"), entity_ref("group:default/engines")],
        })
    }

    fn written(rules: Vec<PolicyRule>) -> Policy {
        Policy::new(&config::Permission { enabled: true, policy: Some(rules) })
    }

    #[test]
    fn without_rules() {
        fn check(enabled: bool, principal: &Principal, permission: Permission, expected: &Access) {
            let policy = Policy::new(&config::Permission { enabled, policy: None });
            assert_eq!(&policy.decide(principal, permission), expected, "{enabled} {principal} {}", permission.name());
        }
        check(true, &Principal::Anonymous, Permission::Public, &Access::All);
        let source = Principal::Source("ci".to_owned());
        for enabled in [true, false] {
            check(enabled, &source, Permission::EntityPush, &Access::All);
            check(enabled, &source, Permission::EntityRead, &Access::None);
            check(enabled, &source, Permission::EntityDelete, &Access::None);
            check(enabled, &ada(), Permission::EntityPush, &Access::None);
            check(enabled, &Principal::Anonymous, Permission::EntityPush, &Access::None);
        }
        check(true, &Principal::Anonymous, Permission::EntityRead, &Access::None);
        check(true, &ada(), Permission::EntityRead, &Access::All);
        check(true, &ada(), Permission::EntityRefresh, &Access::All);
        check(true, &ada(), Permission::EntityDelete, &Access::None);
        check(true, &ada(), Permission::LocationCreate, &Access::None);
        check(true, &ada(), Permission::PluginAct, &Access::None);
        check(false, &ada(), Permission::EntityDelete, &Access::All);
        check(false, &Principal::Anonymous, Permission::EntityRead, &Access::None);
    }

    #[test]
    fn rules_allow() {
        let apis = r#"{"kind": "API"}"#;
        let engines = r#"{"spec.owner": "group:default/engines"}"#;
        let policy = written(vec![
            rule(&["catalog.entity.read"], &[Audience::Anyone], Some(apis)),
            rule(&["catalog.entity.*"], &[Audience::Entity(entity_ref("group:default/engines"))], Some(engines)),
            rule(&["catalog.location.*"], &[Audience::SignedIn], Some(apis)),
            rule(&["plugin.read", "api.try"], &[Audience::Anyone], None),
        ]);
        let check = |principal: &Principal, permission: Permission, expected: &Access| {
            assert_eq!(&policy.decide(principal, permission), expected, "{principal} {}", permission.name());
        };
        check(&Principal::Anonymous, Permission::EntityRead, &Access::Where(predicate(apis)));
        check(
            &ada(),
            Permission::EntityRead,
            &Access::Where(Predicate::Any(vec![predicate(apis), predicate(engines)])),
        );
        check(&ada(), Permission::EntityDelete, &Access::Where(predicate(engines)));
        check(&Principal::Anonymous, Permission::EntityDelete, &Access::None);
        check(&Principal::Source("ci".to_owned()), Permission::EntityRead, &Access::None);
        check(&Principal::Source("ci".to_owned()), Permission::EntityPush, &Access::All);
        check(&ada(), Permission::EntityPush, &Access::None);
        // A condition on entities cannot hold for locations as a whole.
        check(&ada(), Permission::LocationRead, &Access::None);
        check(&Principal::Anonymous, Permission::PluginRead, &Access::All);
        // Nobody may try an API without being signed in, whatever the policy says.
        check(&Principal::Anonymous, Permission::ApiTry, &Access::None);
        check(&ada(), Permission::ApiTry, &Access::All);
        assert!(policy.names_entities());
    }
}
