//! What can go wrong with the database.

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be opened or created.
    #[error("the database {name} could not be opened: {reason}. Check that its folder exists and may be written to")]
    Open {
        /// The file.
        name: String,
        /// What the engine said.
        reason: String,
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

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Error::Busy("no connection became free".to_owned()),
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Error::Duplicate(database.message().to_owned())
            }
            // SQLITE_BUSY and its extended codes have 5 in their low byte.
            sqlx::Error::Database(database)
                if database.code().and_then(|code| code.parse::<i64>().ok()).is_some_and(|code| code & 0xff == 5) =>
            {
                Error::Busy(database.message().to_owned())
            }
            sqlx::Error::Database(database) => Error::Failed(database.message().to_owned()),
            _ => Error::Failed(error.to_string()),
        }
    }
}
