//! The audit log: every change and every denied attempt, as a chain of hashes that is only ever added to.
//!
//! A change has its row before it begins, and a second one where it then fails. Denied attempts are written in the
//! background, those that are alike as one. `chain.rs` has what a row is, `verify.rs` how somebody finds out whether all of
//! them are as they were written.

mod attempts;
mod chain;
mod filter;
mod recorder;
mod verify;

use std::sync::Arc;

use callboard_model::api::{AuditDecision, AuditEntry};
use callboard_store::{Db, Error, Migration, args, migrate, query};
use chrono::Utc;

pub use attempts::{ACTORS, KINDS, SEVERAL, WINDOW};
pub use chain::{ANNOUNCED, Head, TEXT_BYTES};
pub use filter::Filter;
pub use recorder::Recorder;
pub use verify::{Break, Fault};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "the chain of changes and denied attempts",
    sqlite: include_str!("../migrations/audit/0001.sqlite.sql"),
    postgres: include_str!("../migrations/audit/0001.postgres.sql"),
}];

const OWNER: &str = "audit";

/// The status of a change whose answer was cut off, as proxies write it: who asked went away, or the change's code broke.
/// Nobody knows whether the change was made.
pub const CUT_OFF: u16 = 499;

/// What is recorded of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// As the log names principals: `user:default/ada`, `service:external:ci`, `push:ci` or `anonymous`.
    pub actor: String,
    /// What said who it is: `session`, `token:<id>`, `none`. Never a secret.
    pub credential: String,
    /// The permission's name.
    pub permission: String,
    /// `POST` …
    pub method: String,
    /// Without a query, which may hold what is not for the log.
    pub path: String,
    /// An entity's ref, or another id of what the request is about.
    pub resource: Option<String>,
    /// The address that it came from.
    pub remote: Option<String>,
    /// The name of the rule that allowed or denied it.
    pub rule: String,
    /// As the log names the request.
    pub request_id: String,
}

/// Why nothing could be recorded or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// Somebody removed it.
    #[error("the audit log has no note of its newest row any more. Run `callboard audit verify`, and restore a backup")]
    Headless,
    /// There are rows behind the one that should be the newest.
    #[error(
        "the audit log has rows after row {0}, which was the newest. Run `callboard audit verify`, and restore a backup"
    )]
    BehindHead(u64),
    /// A row holds what was never written.
    #[error("row {0} of the audit log cannot be read: it was changed. Run `callboard audit verify`")]
    Unreadable(i64),
    /// The database has none.
    #[error("there is no audit log in this database: no portal with one has run on it")]
    Absent,
}

/// The audit log of a database. Cheap to clone.
#[derive(Clone)]
pub struct AuditLog {
    db: Db,
    waiting: Arc<recorder::Waiting>,
}

impl AuditLog {
    /// Brings the log's tables up to date.
    ///
    /// # Errors
    /// The database fails, or is newer than this program.
    pub async fn open(db: Db) -> Result<AuditLog, AuditError> {
        migrate(&db, OWNER, MIGRATIONS).await?;
        Ok(AuditLog::over(db))
    }

    /// The log of a database that a portal has run on, which is left as it is.
    ///
    /// # Errors
    /// There is none, it is newer than this program, or the database fails.
    pub async fn existing(db: Db) -> Result<AuditLog, AuditError> {
        let found = query("SELECT coalesce(max(version), 0) FROM migration WHERE owner = $1", args![OWNER]);
        let found: i64 = db.fetch_optional(found).await?.map_or(Ok(0), |row| row.get(0))?;
        let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
        match found {
            0 => Err(AuditError::Absent),
            found if found > known => Err(Error::Newer { owner: OWNER.to_owned(), found, known }.into()),
            _ => Ok(AuditLog::over(db)),
        }
    }

    fn over(db: Db) -> AuditLog {
        AuditLog { db, waiting: Arc::default() }
    }

    /// Writes what waits from now on, in the background. One for each log that [`AuditLog::denied`] is called of.
    #[must_use]
    pub fn start(&self) -> Recorder {
        Recorder::start(self.clone())
    }

    /// Records a change that is permitted. It must not begin unless this succeeds, and how it ends goes to what is
    /// returned.
    ///
    /// # Errors
    /// The row could not be written.
    pub async fn allowed(&self, entry: Entry) -> Result<Begun, AuditError> {
        let record = chain::Record {
            entry: entry.clone(),
            at: Utc::now(),
            decision: AuditDecision::Allowed,
            count: 1,
            follows: None,
            status: None,
        };
        let head = chain::append(&self.db, &[record]).await?;
        Ok(Begun { log: self.clone(), seq: head.seq, entry: Some(entry) })
    }

    /// Records an attempt that was refused: soon, and together with others that are alike.
    pub fn denied(&self, entry: Entry) {
        self.waiting.deny(entry);
    }

    /// The newest rows, those before the row `before` if one is named.
    ///
    /// # Errors
    /// A row cannot be read, or the database fails.
    pub async fn newest(
        &self,
        filter: &Filter,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, AuditError> {
        filter::before(&self.db, filter, before, limit).await
    }

    /// The oldest rows after the row `after`, up to the row `last`.
    ///
    /// # Errors
    /// A row cannot be read, or the database fails.
    pub async fn oldest(
        &self,
        filter: &Filter,
        after: u64,
        last: u64,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, AuditError> {
        filter::between(&self.db, filter, after, last, limit).await
    }

    /// The newest row.
    ///
    /// # Errors
    /// Somebody removed the note of it, or the database fails.
    pub async fn head(&self) -> Result<Head, AuditError> {
        let mut tx = self.db.read().await?;
        chain::head(&mut tx).await?.ok_or(AuditError::Headless)
    }

    /// Whether all rows are as they were written: the newest one if so, and else the first that does not fit. With
    /// `expected`, a head that was noted elsewhere, its row must be there with the same hash.
    ///
    /// # Errors
    /// The database fails.
    pub async fn verify(&self, expected: Option<&Head>) -> Result<Result<Head, Break>, AuditError> {
        verify::verify(&self.db, expected).await
    }
}

/// Entries as an export has them: one JSON object a line.
#[must_use]
pub fn ndjson(entries: &[AuditEntry]) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in entries {
        // Texts and whole numbers: there is nothing in it that JSON could not say.
        lines.extend(serde_json::to_vec(entry).unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}

/// A change that has its row and is under way. Dropped before it ended, it is recorded as [`CUT_OFF`].
pub struct Begun {
    log: AuditLog,
    seq: u64,
    entry: Option<Entry>,
}

impl Begun {
    /// The row.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The change was answered with this status. One below 400 needs no second row.
    pub fn ended(mut self, status: u16) {
        if status < 400 {
            self.entry = None;
        } else {
            self.end(status, AuditDecision::Allowed);
        }
    }

    /// It was none of the things for which somebody has the permission, which shows only once it is looked at.
    pub fn denied(mut self, status: u16, why: &str) {
        if let Some(entry) = &mut self.entry {
            why.clone_into(&mut entry.rule);
        }
        self.end(status, AuditDecision::Denied);
    }

    fn end(&mut self, status: u16, decision: AuditDecision) {
        if let Some(entry) = self.entry.take() {
            self.log.waiting.end(entry, self.seq, status, decision);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.end(CUT_OFF, AuditDecision::Allowed);
    }
}
