//! What can go wrong with a request.

use std::net::IpAddr;

use crate::{Cut, Refused, address::Forbidden};

/// Why a request failed.
///
/// Messages name the URL without its query, because a query may carry a signature or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL itself cannot be requested.
    #[error("{url} cannot be requested: {reason}")]
    Url {
        /// The URL as it was given, without userinfo and query.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The policy refused the request, or a redirect.
    #[error("{refused}{}", if *.redirected { " (a redirect led there)" } else { "" })]
    Refused {
        /// The URL that was refused.
        url: String,
        /// Whether the refused URL came from a redirect.
        redirected: bool,
        /// The rule and what would permit it.
        refused: Refused,
    },
    /// The host's address is out of reach.
    #[error("{url} was refused: {} {reason}", Found { host, addr, literal: *literal })]
    Address {
        /// The URL that was refused.
        url: String,
        /// Its host.
        host: String,
        /// The address.
        addr: IpAddr,
        /// Why the address is out of reach, and what would permit it where something can.
        reason: Forbidden,
        /// Whether the host was written as an address.
        literal: bool,
    },
    /// A header may not be set on this request.
    #[error("the header {name} {reason}")]
    Header {
        /// The header.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// The host's name could not be resolved.
    #[error("{host} could not be resolved: {reason}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection could be opened.
    #[error("no connection to {origin}: {reason}")]
    Connect {
        /// Where to.
        origin: String,
        /// What the system said.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("no secure connection to {origin}: {reason}")]
    Tls {
        /// Where to.
        origin: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The request's time ran out.
    #[error("{url} did not answer within {}", Seconds(*.after))]
    Timeout {
        /// The URL.
        url: String,
        /// The time that it had.
        after: std::time::Duration,
    },
    /// The response is larger than permitted.
    #[error("{url} is larger than {limit} bytes{}", .length.map(|length| format!(" (it says {length})")).unwrap_or_default())]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit.
        limit: u64,
        /// What the upstream said the size is, if it did.
        length: Option<u64>,
    },
    /// A redirect could not be followed.
    #[error("{url} redirects {reason}")]
    Redirect {
        /// The URL that answered with the redirect.
        url: String,
        /// What is wrong: `to … , which …` or `more than 5 times`.
        reason: String,
    },
    /// The credential is bound to another origin; the request was not sent.
    #[error("the credential for {scope} was not sent to {url}: it is only valid there")]
    CredentialNotForOrigin {
        /// The URL of the request.
        url: String,
        /// Where the credential belongs.
        scope: String,
    },
    /// The credential could not be obtained or used.
    #[error("{0}")]
    Credential(String),
    /// The request is not sent, and no answer to it was recorded.
    #[error("{0}")]
    NotRecorded(String),
    /// The connection broke.
    #[error("{url} did not answer properly: {reason}")]
    Broken {
        /// The URL.
        url: String,
        /// What happened.
        reason: String,
    },
    /// What came back is not HTTP.
    #[error("{url} did not answer properly: {reason}")]
    Malformed {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The body that was being sent on ended early or is too large. That is not the upstream's doing.
    #[error("the body for {url} could not be sent: {cut}")]
    Upload {
        /// The URL.
        url: String,
        /// What happened.
        cut: Cut,
    },
}

impl Error {
    /// Whether to try again later may help, without anyone changing anything on this side.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Resolve { .. }
                | Self::Connect { .. }
                | Self::Timeout { .. }
                | Self::Broken { .. }
                | Self::Malformed { .. }
                | Self::Tls { .. }
        )
    }

    /// One word for it, for statistics: there is a fixed number of them.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Header { .. } => "invalid",
            Self::Refused { .. } | Self::Address { .. } => "refused",
            Self::CredentialNotForOrigin { .. } | Self::Credential(_) => "credential",
            Self::Resolve { .. } => "resolve",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too-large",
            Self::Redirect { .. } => "redirect",
            Self::Broken { .. } | Self::Malformed { .. } => "broken",
            Self::Upload { .. } => "upload",
            Self::NotRecorded(_) => "not-recorded",
        }
    }

    /// Whether the request was refused by a rule of this side.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Url { .. }
                | Self::Refused { .. }
                | Self::Address { .. }
                | Self::Header { .. }
                | Self::CredentialNotForOrigin { .. }
        )
    }
}

struct Found<'a> {
    host: &'a str,
    addr: &'a IpAddr,
    literal: bool,
}

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.literal { write!(f, "{} is", self.addr) } else { write!(f, "{} resolves to {},", self.host, self.addr) }
    }
}

struct Seconds(std::time::Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.as_millis().is_multiple_of(1000) {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}
