//! How somebody said who they are.

use std::fmt;

/// How somebody said who they are: for the audit log, and for what only a person at the portal's pages may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Not at all.
    None,
    /// A session of the portal's pages, by its id. It is not the cookie's secret.
    Session(String),
    /// A token that the portal signed for a user.
    UserToken,
    /// A token that a user made, by its id.
    PersonalToken(String),
    /// A token of `backend.auth.externalAccess`.
    External,
    /// The token of a push source.
    Push,
}

impl Credential {
    /// Whether somebody is signed in at the portal's pages.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(self, Credential::Session(_))
    }
}

/// As the audit log has it.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::None => f.write_str("none"),
            Credential::Session(id) => write!(f, "session:{id}"),
            Credential::UserToken => f.write_str("user-token"),
            Credential::PersonalToken(id) => write!(f, "personal-token:{id}"),
            Credential::External => f.write_str("external"),
            Credential::Push => f.write_str("push"),
        }
    }
}
