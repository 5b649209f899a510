//! `backend.auth.externalAccess`: the programs that may call.

use std::fmt;

use url::Url;

use crate::policy::Limit;

/// A way in for programs.
#[derive(Clone, PartialEq)]
pub struct ExternalAccess {
    /// What they show.
    pub kind: ExternalKind,
    /// What `accessRestrictions` leave them; everything where there are none.
    pub restrictions: Option<Limit>,
}

/// What a program shows.
#[derive(Clone, PartialEq)]
pub enum ExternalKind {
    /// A fixed token.
    Static {
        /// The token.
        token: String,
        /// Whose it is, without `external:`.
        subject: String,
    },
    /// A token that was signed with a shared secret, as Backstage's services once did.
    Legacy {
        /// The secret, decoded.
        secret: Vec<u8>,
        /// Whose it is, without `external:`.
        subject: String,
    },
    /// A token that somebody else signed, whose public keys are at a URL.
    Jwks {
        /// Where the keys are.
        url: Url,
        /// Which algorithms are accepted; none stands for all that have a public key.
        algorithms: Vec<String>,
        /// Who must have signed it; anybody with those keys where there is none.
        issuers: Vec<String>,
        /// For whom it must be; for anybody where there is none.
        audiences: Vec<String>,
        /// What stands before the token's subject.
        prefix: Option<String>,
    },
}

/// Without what is secret.
impl fmt::Debug for ExternalAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match &self.kind {
            ExternalKind::Static { subject, .. } => ("static", subject.as_str()),
            ExternalKind::Legacy { subject, .. } => ("legacy", subject.as_str()),
            ExternalKind::Jwks { url, .. } => ("jwks", url.as_str()),
        };
        f.debug_struct("ExternalAccess").field(kind, &name).field("restrictions", &self.restrictions).finish()
    }
}
