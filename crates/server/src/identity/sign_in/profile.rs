//! What a service says of somebody.

/// What a service says of somebody, after it was proven that the service says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Who says so.
    pub issuer: String,
    /// Who it is, for good: nobody else is ever called so by the issuer. Never empty.
    pub subject: String,
    /// The id that the service's directory has for them.
    pub user_id: Option<String>,
    /// The name that they have there.
    pub username: Option<String>,
    /// Their addresses, the one first that they use.
    pub emails: Vec<Email>,
    /// For people.
    pub display_name: Option<String>,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Such as `ada@example.com`.
    pub address: String,
    /// Whether the service made sure that it is theirs.
    pub is_verified: bool,
}

impl Profile {
    /// As the log names them.
    #[must_use]
    pub fn shown(&self) -> String {
        super::failure::quoted(&self.subject)
    }
}
