//! What the catalog answers when it does not do what was asked.

/// Why the catalog did not do what was asked. The names are those of the HTTP API.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself makes no sense: 400, `InputError`.
    #[error("{0}")]
    Input(String),
    /// There is no such thing, or the caller may not see it: 404, `NotFoundError`.
    #[error("{0}")]
    NotFound(String),
    /// There is one already: 409, `ConflictError`.
    #[error("{0}")]
    Conflict(String),
    /// This catalog does not allow it: 403, `NotAllowedError`.
    #[error("{0}")]
    NotAllowed(String),
    /// The database cannot be reached or is overloaded: 503, `ServiceUnavailableError`. Or it failed, or holds what this
    /// program did not write: 500.
    #[error(transparent)]
    Store(#[from] callboard_store::Error),
}

impl Error {
    /// The name in the error envelope.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Error::Input(_) => "InputError",
            Error::NotFound(_) => "NotFoundError",
            Error::Conflict(_) => "ConflictError",
            Error::NotAllowed(_) => "NotAllowedError",
            Error::Store(error) if error.is_retryable() => "ServiceUnavailableError",
            Error::Store(_) => "Error",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Error::Input(_) => 400,
            Error::NotFound(_) => 404,
            Error::Conflict(_) => 409,
            Error::NotAllowed(_) => 403,
            Error::Store(error) if error.is_retryable() => 503,
            Error::Store(_) => 500,
        }
    }
}
