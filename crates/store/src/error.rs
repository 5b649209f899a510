//! What can go wrong with the database.

/// Why the database did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// It could not be opened or created.
    #[error("the database {name} could not be opened: {reason}. Check that its folder exists and may be written to")]
    Open {
        /// The file.
        name: String,
        /// What the engine said.
        reason: String,
    },
    /// PostgreSQL could not be used, when the portal started.
    #[error("PostgreSQL at {place} cannot be used: {reason}. {fix}")]
    Connect {
        /// The server, the database and the user.
        place: String,
        /// What the server or the system said.
        reason: String,
        /// What to do.
        fix: &'static str,
    },
    /// The connection was lost, or none can be made. What was under way is rolled back; where it happens in
    /// [`Tx::commit`](crate::Tx::commit), nobody knows whether it was kept. The next call tries again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Somebody else's transaction got in the way. What was under way is rolled back, and may be tried again.
    #[error("the database could not do this beside other work: {0}")]
    Conflict(String),
    /// A text holds a NUL, which PostgreSQL cannot keep and after which SQLite's own functions stop reading. It is
    /// refused on both, so that both answer alike.
    #[error("a text holds the character NUL (U+0000), which no database keeps; remove it")]
    Nul,
    /// A mistake in the program, found before anything was done.
    #[error("a statement cannot be carried out: {0}")]
    Statement(String),
    /// The migrations failed on a copy of the database, which itself is as it was.
    #[error("the database was not touched, because on a copy of it {source}")]
    Copy {
        /// What happened there.
        source: Box<Error>,
    },
    /// It was written by a newer version of Callboard.
    #[error(
        "the database is newer than this version of Callboard: its {owner} tables have version {found}, and this version \
         knows up to {known}. Start the newer version again, or restore a backup from before it was started"
    )]
    Newer {
        /// Whose tables.
        owner: String,
        /// What the database has.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// It went through another history than this program's.
    #[error(
        "the database comes from a different build of Callboard: version {version} of its {owner} tables is called \
         \"{found}\" there and \"{known}\" here. Start the build that wrote it, or restore a backup"
    )]
    Foreign {
        /// Whose tables.
        owner: String,
        /// The version that both have.
        version: i64,
        /// Its name in the database.
        found: String,
        /// Its name here.
        known: String,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("migration {version} ({name}) of the {owner} tables failed: {source}")]
    Migration {
        /// Whose tables.
        owner: String,
        /// Which migration.
        version: i64,
        /// Its name.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// Another row has this key already.
    #[error("the database has such a row already: {0}")]
    Duplicate(String),
    /// Somebody else held the database for too long.
    #[error("the database was busy for too long: {0}. If another program has it open, close that program")]
    Busy(String),
    /// A row does not have what was asked of it: a mistake in the program.
    #[error("column {column} of a row: {reason}")]
    Column {
        /// Its name or number.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Everything else.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl Error {
    /// Whether the same may work a moment later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Busy(_) | Error::Unavailable(_) | Error::Conflict(_))
    }
}

/// SQLite's errors; those of PostgreSQL are told apart in `db/postgres/failure.rs`.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Error::Busy("no connection became free".to_owned()),
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Error::Duplicate(database.message().to_owned())
            }
            sqlx::Error::Database(database) if is_busy(&error) => Error::Busy(database.message().to_owned()),
            sqlx::Error::Database(database) => Error::Failed(database.message().to_owned()),
            _ => Error::Failed(error.to_string()),
        }
    }
}

/// Whether SQLite says that somebody else has the file: `SQLITE_BUSY`, whose extended codes have 5 in their low byte.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code());
    code.and_then(|code| code.parse::<i64>().ok()).is_some_and(|code| code & 0xff == 5)
}
