//! Why nobody was signed in.

use callboard_model::api::SignInError;

/// Why nobody was signed in. What it says in full is for the log; the page is told the [code](Failure::code) alone, so
/// that nothing that a service or a stranger wrote is ever shown there.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The flow is over, was used before, or never was.
    #[error(
        "nobody went out to sign in with this state, or it was more than ten minutes ago, or they came back before"
    )]
    Expired,
    /// Another browser began it, or with another provider.
    #[error("{0}")]
    Mismatch(&'static str),
    /// The service said no.
    #[error("the service refused: {0}")]
    Refused(String),
    /// The service cannot be asked.
    #[error("the service cannot be asked: {0}")]
    Unreachable(String),
    /// The service's answer does not prove who somebody is.
    #[error("the service's answer is not accepted: {0}")]
    Unproven(String),
    /// `signIn.resolvers` has none.
    #[error("The {0} provider is not configured to support sign-in")]
    NotConfigured(String),
    /// Nobody in the catalog is meant.
    #[error("no user in the catalog is meant by {0}")]
    NoUser(String),
    /// Several users in the catalog are meant.
    #[error("more than one user in the catalog is meant by {0}")]
    Ambiguous(String),
    /// There is no address that somebody verified.
    #[error("the service does not say that an address of {0} was verified")]
    EmailNotVerified(String),
    /// The verified addresses are of other domains.
    #[error("no verified address of {0} is of a domain in allowedDomains")]
    DomainNotListed(String),
    /// The catalog or the database of the portal.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// What the page is told.
    #[must_use]
    pub fn code(&self) -> SignInError {
        match self {
            Failure::Expired => SignInError::Expired,
            Failure::Mismatch(_) => SignInError::FlowMismatch,
            Failure::Refused(_) => SignInError::ProviderRefused,
            Failure::Unreachable(_) => SignInError::ProviderUnreachable,
            Failure::Unproven(_) => SignInError::ProviderInvalid,
            Failure::NotConfigured(_) => SignInError::NotConfigured,
            Failure::NoUser(_) => SignInError::NoUser,
            Failure::Ambiguous(_) => SignInError::AmbiguousUser,
            Failure::EmailNotVerified(_) => SignInError::EmailNotVerified,
            Failure::DomainNotListed(_) => SignInError::DomainNotListed,
            Failure::Internal(_) => SignInError::PortalFailed,
        }
    }
}

impl From<callboard_store::Error> for Failure {
    fn from(error: callboard_store::Error) -> Failure {
        Failure::Internal(error.to_string())
    }
}

impl From<callboard_catalog::Error> for Failure {
    fn from(error: callboard_catalog::Error) -> Failure {
        Failure::Internal(error.to_string())
    }
}

/// What others wrote, as one short line.
pub(super) fn quoted(text: &str) -> String {
    /// More than this tells nobody more.
    const LONGEST: usize = 300;
    let short: String = text.chars().take(LONGEST).collect();
    format!("\"{}\"", crate::http::trace::escape(&short))
}
