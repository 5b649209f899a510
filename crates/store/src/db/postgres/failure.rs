//! What the driver's errors mean.

use crate::Error;

/// An error, and whether the connection is of no more use.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) is_lost: bool,
}

/// Tells an error's class by its SQLSTATE. The message is the server's own, without the detail, which may quote rows.
pub(super) fn classify(error: &sqlx::Error) -> Failure {
    let lost = |reason: String| Failure { error: Error::Unavailable(reason), is_lost: true };
    let kept = |error| Failure { error, is_lost: false };
    let database = match error {
        sqlx::Error::Database(database) => database,
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => {
            return lost(format!("the connection was lost ({error})"));
        }
        _ => return kept(Error::Failed(error.to_string())),
    };
    let message = database.message().to_owned();
    let code = database.code().unwrap_or_default();
    match &*code {
        "23505" => kept(Error::Duplicate(message)),
        // Serialization failure, deadlock.
        "40001" | "40P01" => kept(Error::Conflict(message)),
        // A lock or a statement took too long.
        "55P03" | "57014" => kept(Error::Busy(message)),
        "22021" => kept(Error::Nul),
        // Another replica changed a table that a prepared statement reads: a new connection prepares it anew.
        "0A000" if message.contains("cached plan") => Failure { error: Error::Conflict(message), is_lost: true },
        // Connection exceptions, shutdown, crash, starting, idle in a transaction, idle, too many connections, out of
        // memory or disk; and a server that has become a standby.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "53300" => lost(message),
        "25006" => Failure { error: Error::Unavailable(format!("{message} (is it a standby?)")), is_lost: true },
        code if code.starts_with("08") => lost(message),
        _ => kept(Error::Failed(message)),
    }
}
