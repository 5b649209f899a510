//! What can go wrong with a registry.

use http::StatusCode;

use crate::{Digest, oci::LayoutError};

/// Why a registry did not give or take something.
///
/// What a registry says itself is shortened and shown without control characters, because it may be hostile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The request itself failed, or a rule of this side refused it.
    #[error("{0}")]
    Request(#[from] callboard_egress::Error),
    /// An entry of `plugins.registries` cannot be used.
    #[error("plugins.registries: {0}")]
    Settings(String),
    /// It does not let anybody in without a name.
    #[error(
        "{host} asks who we are before it shows {what}: add it to plugins.registries in app-config, as \
         {{ host: \"{host}\", username: …, password: … }}{}", said(.message)
    )]
    LoginNeeded {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// What the registry says.
        message: String,
    },
    /// It does not take the password.
    #[error(
        "{host} does not accept the name and password of plugins.registries for {what}: check that they are still \
         valid and may do that{}", said(.message)
    )]
    LoginRefused {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// What the registry says.
        message: String,
    },
    /// Its challenge is not one that we know.
    #[error("{host} asks for a login in a way that is not known here: {reason}")]
    Challenge {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// It wants its password to be sent elsewhere.
    #[error(
        "{host} sends us to {realm} for a token, and its password was not sent there. If that server belongs to the \
         registry, add `origins: [\"{realm}\"]` to its entry in plugins.registries of app-config"
    )]
    RealmElsewhere {
        /// The registry.
        host: String,
        /// The origin of the token server.
        realm: String,
    },
    /// It is not there.
    #[error("{what} is not there: check the name{}", said(.message))]
    NotFound {
        /// What was asked for.
        what: String,
        /// What the registry says.
        message: String,
    },
    /// Another answer than the specification has.
    #[error("{what} was answered with {status}{}", said(.message))]
    Status {
        /// What was asked for.
        what: String,
        /// The status.
        status: StatusCode,
        /// What the registry says.
        message: String,
    },
    /// An answer that cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Other bytes than were asked for.
    #[error(
        "{what} is not what it should be: it has the digest {got}, and {expected} was asked for. It was changed on its \
         way or in the registry; do not use it"
    )]
    OtherDigest {
        /// What was asked for.
        what: String,
        /// The digest that was asked for.
        expected: Digest,
        /// The one that came.
        got: Digest,
    },
    /// Fewer bytes than announced.
    #[error("{what} broke off after {received} of {expected} bytes: try again")]
    BrokenOff {
        /// What was asked for.
        what: String,
        /// What was announced.
        expected: u64,
        /// What came.
        received: u64,
    },
    /// More than is taken.
    #[error("{what} has {size} bytes, and no more than {limit} are taken")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A list without an end.
    #[error("{what} has more than {limit} entries or pages; no more are looked at")]
    TooMany {
        /// What was asked for.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// Something else than a plugin.
    #[error("{what} is no plugin: {reason}")]
    Layout {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: LayoutError,
    },
    /// A version that is there already is not overwritten.
    #[error(
        "{what} is there already, with another digest ({there}). A version that was published does not change: raise \
         the version"
    )]
    Published {
        /// Repository and tag.
        what: String,
        /// What is there.
        there: Digest,
    },
}

/// The longest message of a registry that is shown.
const LONGEST_MESSAGE: usize = 300;

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" (the registry says: {message})") }
}

/// A registry's own words, so that they can stand in a message: short, in one line, and without what a terminal obeys.
pub(crate) fn tame(text: &str) -> String {
    let mut tame = String::new();
    for char in text.chars().take(LONGEST_MESSAGE) {
        let is_bidi = matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        tame.push(if char.is_control() || is_bidi { ' ' } else { char });
    }
    tame.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_registry() {
        assert_eq!(tame(" a\r\nb\u{1b}[31m\u{202e}c "), "a  b [31m c");
        assert_eq!(tame(&"x".repeat(1000)).len(), LONGEST_MESSAGE);
    }
}
