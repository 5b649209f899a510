//! The rules that hold where app-config has none: everybody who is signed in reads, and whoever owns something changes it.

use std::sync::Arc;

use callboard_model::filter::Predicate;

use super::{ADMIN, ME};
use crate::config::{Audience, PolicyRule};

/// What holds without `permission.policy`.
pub(super) fn rules() -> Vec<PolicyRule> {
    let mut owners =
        rule("default: owners change what they own", &["catalog.entity.delete", "plugin.act"], Audience::SignedIn);
    owners.condition = Some(Predicate::equals("relations.ownedBy", ME));
    let reads = [
        "catalog.entity.read",
        "catalog.entity.refresh",
        "catalog.location.read",
        "plugin.read",
        "plugin.log.read",
        "plugin.use",
        "plugin.run",
        "api.try",
        "proxy.**.read",
    ];
    vec![rule("default: people who are signed in read", &reads, Audience::SignedIn), owners]
}

/// The role `admin` may do everything.
pub(super) fn admins() -> PolicyRule {
    rule("permission.roles.admin", &["*"], Audience::Role(ADMIN.to_owned()))
}

/// `permission.enabled: false`.
pub(super) fn everything() -> PolicyRule {
    rule("permission.enabled: false", &["*"], Audience::SignedIn)
}

fn rule(name: &str, allow: &[&str], to: Audience) -> PolicyRule {
    PolicyRule {
        name: Arc::from(name),
        origin: None,
        allow: allow.iter().map(ToString::to_string).collect(),
        to: vec![to],
        condition: None,
    }
}
