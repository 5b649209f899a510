//! What a credential is limited to, whatever its bearer may do otherwise.

use std::collections::BTreeSet;

use super::permission::{Action, Permission};

/// The limits of a credential. All of them hold, and none is ever taken away: a credential that was made with another one
/// is at most as strong as that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    limits: Vec<Limit>,
}

/// One limit: at least one of these must include the permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Nothing at all where there is none.
    pub any: Vec<Part>,
}

/// Some of the permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those that a pattern stands for, as policies write it.
    Pattern(String),
    /// Those of one API, as Backstage restricts a service's access.
    Api {
        /// The beginning of their names, such as `catalog`.
        api: String,
        /// Only those with one of these names; all where absent.
        names: Option<BTreeSet<String>>,
        /// Only those that let somebody do one of these; all where absent.
        actions: Option<BTreeSet<Action>>,
    },
}

impl Scope {
    /// No limit.
    #[must_use]
    pub fn unlimited() -> Scope {
        Scope::default()
    }

    /// These limits and one more.
    #[must_use]
    pub fn and(mut self, limit: Limit) -> Scope {
        self.limits.push(limit);
        self
    }

    /// Whether every limit includes the permission. What needs no permission is never limited.
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        *permission == Permission::Public || self.limits.iter().all(|limit| limit.includes(permission))
    }

    /// Whether there is any limit.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.limits.is_empty()
    }
}

impl Limit {
    /// The permissions that one of these patterns stands for.
    pub fn patterns<T: Into<String>>(patterns: impl IntoIterator<Item = T>) -> Limit {
        Limit { any: patterns.into_iter().map(|pattern| Part::Pattern(pattern.into())).collect() }
    }

    fn includes(&self, permission: &Permission) -> bool {
        self.any.iter().any(|part| part.includes(permission))
    }
}

impl Part {
    fn includes(&self, permission: &Permission) -> bool {
        match self {
            // Somebody's own affairs are not given away by a pattern: a stolen token must not make others.
            Part::Pattern(pattern) => permission.api() != Permission::Own.api() && permission.matches(pattern),
            Part::Api { api, names, actions } => {
                permission.api() == api
                    && names.as_ref().is_none_or(|names| names.contains(permission.name()))
                    && actions
                        .as_ref()
                        .is_none_or(|actions| permission.action().is_some_and(|action| actions.contains(&action)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(api: &str, names: Option<&[&str]>, actions: Option<&[Action]>) -> Part {
        Part::Api {
            api: api.to_owned(),
            names: names.map(|names| names.iter().map(ToString::to_string).collect()),
            actions: actions.map(|actions| actions.iter().copied().collect()),
        }
    }

    #[test]
    fn limits() {
        fn check(limits: Vec<Limit>, permission: Permission, expected: bool) {
            let scope = limits.iter().cloned().fold(Scope::unlimited(), Scope::and);
            assert_eq!(scope.allows(&permission), expected, "{limits:?} {}", permission.name());
        }
        let reads = || Limit::patterns(["catalog.*.read"]);
        check(vec![], Permission::EntityDelete, true);
        check(vec![Limit::default()], Permission::EntityRead, false);
        check(vec![Limit::default()], Permission::Public, true);
        check(vec![reads()], Permission::EntityRead, true);
        check(vec![reads()], Permission::EntityDelete, false);
        check(vec![reads(), Limit::patterns(["*"])], Permission::EntityDelete, false);
        check(vec![Limit::patterns(["*"])], Permission::Own, false);
        check(vec![Limit::patterns(["*", "own.*"])], Permission::OwnSettings, false);
        let catalog = || Limit { any: vec![api("catalog", None, None)] };
        check(vec![catalog()], Permission::EntityDelete, true);
        check(vec![catalog()], Permission::EntityValidate, true);
        check(vec![catalog()], Permission::PluginRead, false);
        check(vec![catalog(), reads()], Permission::EntityDelete, false);
        let named = Limit { any: vec![api("catalog", Some(&["catalog.entity.read"]), None)] };
        check(vec![named.clone()], Permission::EntityRead, true);
        check(vec![named], Permission::LocationRead, false);
        let acts = Limit { any: vec![api("catalog", None, Some(&[Action::Read])), api("plugin", None, None)] };
        check(vec![acts.clone()], Permission::LocationRead, true);
        check(vec![acts.clone()], Permission::LocationDelete, false);
        check(vec![acts.clone()], Permission::EntityValidate, false);
        check(vec![acts], Permission::PluginAct, true);
    }

    /// CVE-2026-106492: a restricted token regained power by being handed on.
    #[test]
    fn handing_on_never_adds() {
        let limits = [
            Limit::default(),
            Limit::patterns(["*"]),
            Limit::patterns(["catalog.entity.*"]),
            Limit::patterns(["*.read", "catalog.*.read"]),
            Limit { any: vec![api("catalog", None, Some(&[Action::Update, Action::Delete]))] },
            Limit { any: vec![api("plugin", Some(&["plugin.act"]), None), api("audit", None, None)] },
        ];
        for first in &limits {
            let original = Scope::unlimited().and(first.clone());
            for second in &limits {
                let handed_on = original.clone().and(second.clone());
                for permission in Permission::BUILT_IN {
                    assert!(
                        !handed_on.allows(&permission) || original.allows(&permission),
                        "{first:?} {second:?} {}",
                        permission.name()
                    );
                }
            }
        }
    }
}
