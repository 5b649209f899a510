//! Who a request comes from.

use std::fmt;

use callboard_model::entity_ref::EntityRef;

use crate::policy::Scope;

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// Nobody who said so.
    Anonymous,
    /// Somebody who is signed in, or whose token it is.
    User(User),
    /// A program that app-config's `backend.auth.externalAccess` knows.
    Service(Service),
    /// Whoever has the token of this push source.
    Source(String),
    /// A plugin that works for nobody in particular: while it provides or processes entities. No request comes from one.
    Plugin(String),
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Who it is.
    pub entity_ref: EntityRef,
    /// For people.
    pub display_name: String,
    /// The refs that a policy may name to mean this user: their own, and those of their groups.
    pub ownership: Vec<EntityRef>,
    /// What the credential that they use is limited to.
    pub scope: Scope,
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `external:<subject>`, as Backstage names it.
    pub subject: String,
    /// What app-config's `accessRestrictions` leave it.
    pub scope: Scope,
}

impl Principal {
    /// The user, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Principal::User(user) => Some(user),
            Principal::Anonymous | Principal::Service(_) | Principal::Source(_) | Principal::Plugin(_) => None,
        }
    }

    /// What the credential is limited to; none where there is no credential that could be.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Principal::User(user) => Some(&user.scope),
            Principal::Service(service) => Some(&service.scope),
            Principal::Anonymous | Principal::Source(_) | Principal::Plugin(_) => None,
        }
    }
}

/// As the log names them.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Anonymous => f.write_str("anonymous"),
            Principal::User(user) => user.entity_ref.fmt(f),
            Principal::Service(service) => write!(f, "service:{}", service.subject),
            Principal::Source(source) => write!(f, "push:{source}"),
            Principal::Plugin(id) => write!(f, "plugin:{id}"),
        }
    }
}
