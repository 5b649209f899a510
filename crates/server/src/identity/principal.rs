//! Who a request comes from.

use std::fmt;

use callboard_model::entity_ref::EntityRef;

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// Nobody who said so.
    Anonymous,
    /// Somebody who is signed in.
    User(User),
    /// Whoever has the token of this push source.
    Source(String),
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
}

impl Principal {
    /// The user, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Principal::Anonymous | Principal::Source(_) => None,
            Principal::User(user) => Some(user),
        }
    }
}

/// As the log names them.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Anonymous => f.write_str("anonymous"),
            Principal::User(user) => user.entity_ref.fmt(f),
            Principal::Source(source) => write!(f, "push:{source}"),
        }
    }
}
