//! Why somebody may or may not do something.

use callboard_model::filter::SearchRows;

use super::{Policy, Reason, Subject, for_caller, settled};
use crate::config::PolicyRule;
use crate::identity::Principal;
use crate::policy::Permission;
use callboard_model::access::Access;

/// A decision about one thing, with each rule that had a say.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What came of it.
    pub allowed: bool,
    /// What decided.
    pub reason: Reason,
    /// The rules about the permission, in the order in which they were weighed; none where no rule was asked.
    pub rules: Vec<Weighed>,
}

/// A rule, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The rule.
    pub rule: PolicyRule,
    /// What it came to.
    pub outcome: Outcome,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It gives the permission.
    Gives,
    /// It is for others.
    ForOthers,
    /// It is for them, and its condition does not hold for the entity.
    OtherEntities,
    /// It is for them and some entities, and no entity was asked about.
    SomeEntities,
    /// It has a condition on entities, and the permission is not about entities.
    NotAboutEntities,
}

impl Policy {
    /// Whether somebody may, for the entity with these rows or, without one, at all; and why.
    #[must_use]
    pub fn explain(&self, principal: &Principal, permission: &Permission, entity: Option<&SearchRows>) -> Explanation {
        if let Some(decision) = settled(principal, permission) {
            return Explanation {
                allowed: decision.access != Access::None,
                reason: decision.reason,
                rules: Vec::new(),
            };
        }
        let rules: Vec<Weighed> = self
            .rules()
            .iter()
            .filter(|rule| rule.gives(permission))
            .map(|rule| Weighed { rule: rule.clone(), outcome: self.outcome(rule, principal, permission, entity) })
            .collect();
        let gives: Vec<_> = rules
            .iter()
            .filter(|weighed| weighed.outcome == Outcome::Gives)
            .map(|weighed| weighed.rule.name.clone())
            .collect();
        let allowed = !gives.is_empty();
        let reason = if allowed { Reason::Rules(gives) } else { Reason::BuiltIn("no rule gives it") };
        Explanation { allowed, reason, rules }
    }

    fn outcome(
        &self,
        rule: &PolicyRule,
        principal: &Principal,
        permission: &Permission,
        entity: Option<&SearchRows>,
    ) -> Outcome {
        if !self.is_for(rule, principal) {
            return Outcome::ForOthers;
        }
        match (&rule.condition, permission.subject(), entity) {
            (None, _, _) => Outcome::Gives,
            (Some(_), Subject::Whole, _) => Outcome::NotAboutEntities,
            (Some(_), Subject::Entities, None) => Outcome::SomeEntities,
            (Some(condition), Subject::Entities, Some(rows)) => {
                if for_caller(condition, principal).matches(rows) {
                    Outcome::Gives
                } else {
                    Outcome::OtherEntities
                }
            }
        }
    }
}
