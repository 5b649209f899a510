//! Why something was not carried out.

use std::fmt;

use crate::bindings::host::types;

/// What the host answers, and what a plugin answers to the host. The cases are those of `callboard:host/types.error`;
/// the texts are for people, and end up on the portal's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The plugin may not do this: which side refused, and what would allow it.
    Denied(String),
    /// The request itself makes no sense.
    Invalid(String),
    /// The thing asked for does not exist.
    NotFound(String),
    /// The other side could not be reached or did not answer in time; trying again may help.
    Unavailable(String),
    /// The other side asks to slow down.
    Throttled(String),
    /// More than the limit that the text names.
    TooLarge(String),
    /// An error of the upstream's own.
    Other {
        /// For machines, such as `NoSuchBucket`.
        code: String,
        /// For people.
        message: String,
    },
}

impl Error {
    /// An error of the upstream's own.
    pub fn other(code: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Other { code: code.into(), message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Denied(message)
            | Error::Invalid(message)
            | Error::NotFound(message)
            | Error::Unavailable(message)
            | Error::Throttled(message)
            | Error::TooLarge(message) => formatter.write_str(message),
            Error::Other { code, message } => write!(formatter, "{message} ({code})"),
        }
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Error {
        match error {
            types::Error::Denied(message) => Error::Denied(message),
            types::Error::Invalid(message) => Error::Invalid(message),
            types::Error::NotFound(message) => Error::NotFound(message),
            types::Error::Unavailable(message) => Error::Unavailable(message),
            types::Error::Throttled(message) => Error::Throttled(message),
            types::Error::TooLarge(message) => Error::TooLarge(message),
            types::Error::Other(types::Failure { code, message }) => Error::Other { code, message },
        }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        match error {
            Error::Denied(message) => types::Error::Denied(message),
            Error::Invalid(message) => types::Error::Invalid(message),
            Error::NotFound(message) => types::Error::NotFound(message),
            Error::Unavailable(message) => types::Error::Unavailable(message),
            Error::Throttled(message) => types::Error::Throttled(message),
            Error::TooLarge(message) => types::Error::TooLarge(message),
            Error::Other { code, message } => types::Error::Other(types::Failure { code, message }),
        }
    }
}
