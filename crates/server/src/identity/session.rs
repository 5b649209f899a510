//! Sessions: a random secret in a cookie, and what the database knows of it.

pub mod cookie;
pub mod secret;

pub use cookie::NAME;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Error, Memo, Migration, Row, Seen, Tx, Value, args, migrate, query};
use chrono::{DateTime, Utc};

use self::secret::{OFFER_EVERY, OFFERS, State, Verdict, hash, millis, verdict};
use super::clock::Clock;
use crate::config::SessionLifetimes;

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "sessions",
        sqlite: include_str!("../../migrations/0001.sqlite.sql"),
        postgres: include_str!("../../migrations/0001.postgres.sql"),
    },
    Migration {
        version: 2,
        name: "sessions with several secrets, and flows of sign-in",
        sqlite: include_str!("../../migrations/0002.sqlite.sql"),
        postgres: include_str!("../../migrations/0002.postgres.sql"),
    },
];

/// How exactly it is known when a session was last used: so seldom it costs a write.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);

/// How long a request waits for what is written beside it. It can be written with the next request as well, and nobody
/// shall wait for a page because the catalog is written to at the same time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sessions that are remembered, in bytes: those of some thousand people.
const REMEMBERED: u64 = 1024 * 1024;

/// What is kept of a browser's own name. The rest of a longer one tells nobody anything.
const USER_AGENT: usize = 300;

/// Everybody who is signed in. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    lifetimes: SessionLifetimes,
    clock: Clock,
    /// By the hash of the secret.
    found: Arc<Memo<String, Kept>>,
}

/// Somebody who is signed in, in one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it; no secret.
    pub id: String,
    /// Who it is.
    pub user: EntityRef,
    /// The key in `auth.providers` of the way to sign in.
    pub provider: String,
    /// For people, as the provider said when the session began.
    pub display_name: String,
    /// The browser, as it named itself when the session began.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to [`SEEN_EVERY`].
    pub seen_at: DateTime<Utc>,
    /// When it ends whatever is done with it.
    pub expires_at: DateTime<Utc>,
}

/// Somebody who signs in.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// Who it is.
    pub user: &'a EntityRef,
    /// The key in `auth.providers`.
    pub provider: &'a str,
    /// For people.
    pub display_name: &'a str,
    /// What the browser says that it is.
    pub user_agent: Option<&'a str>,
    /// How long it may last, where that is less than for others.
    pub lifetime: Option<Duration>,
    /// The secret of the session that the browser had before. It ends: whoever knew it must not be signed in by this.
    pub instead_of: Option<&'a str>,
}

/// A secret for the browser's cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct Handed {
    /// The session's id.
    pub session: String,
    /// Hexadecimal.
    pub secret: String,
    /// How long it may be good, at most.
    pub seconds: u64,
}

/// The session of a request.
#[derive(Clone, Debug)]
pub struct Found {
    /// The session.
    pub session: Session,
    /// A new secret, to be sent along with the answer.
    pub offer: Option<Handed>,
}

/// A session as one of its secrets leads to it.
#[derive(Clone)]
struct Kept {
    session: Session,
    offered_at: Option<i64>,
    state: State,
    since: i64,
}

impl Sessions {
    /// Brings the server's tables up to date.
    ///
    /// # Errors
    /// The database fails, or is newer than this program.
    pub async fn open(db: Db, lifetimes: SessionLifetimes, clock: Clock) -> Result<Sessions, Error> {
        migrate(&db, "server", MIGRATIONS).await?;
        let weigh = |hash: &String, kept: &Kept| {
            let Session { display_name, user_agent, .. } = &kept.session;
            hash.len() + display_name.len() + user_agent.as_ref().map_or(0, String::len) + 400
        };
        Ok(Sessions { db, lifetimes, clock, found: Arc::new(Memo::new(REMEMBERED, weigh)) })
    }

    /// Begins a session, and forgets those that are over. Returns the secret for the cookie.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start(&self, begin: Begin<'_>) -> Result<Handed, Error> {
        let id = uuid::Uuid::new_v4().to_string();
        let secret = secret::new();
        let now = self.clock.millis();
        let lifetime = begin.lifetime.map_or(self.lifetimes.absolute, |lifetime| lifetime.min(self.lifetimes.absolute));
        let user_agent = begin.user_agent.map(|text| text.chars().take(USER_AGENT).collect::<String>());
        let mut tx = self.db.begin().await?;
        let idle = now.saturating_sub(millis(self.lifetimes.idle));
        remove(&mut tx, "expires_at <= $1 OR seen_at <= $2", || args![now, idle]).await?;
        if let Some(old) = begin.instead_of {
            remove_with(&mut tx, old).await?;
        }
        tx.execute(query(
            "INSERT INTO session(id, user_ref, provider, display_name, user_agent, created_at, seen_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
            args![
                &id,
                begin.user.to_string(),
                begin.provider,
                begin.display_name,
                user_agent,
                now,
                now.saturating_add(millis(lifetime))
            ],
        ))
        .await?;
        add_secret(&mut tx, &secret, &id, State::Current, now).await?;
        tx.commit().await?;
        Ok(Handed { session: id, secret, seconds: lifetime.as_secs() })
    }

    /// The session that a secret belongs to; none where it is over or never was. It is as in the state `seen`, which is of
    /// this very moment.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find(&self, secret: &str, seen: Seen) -> Result<Option<Found>, Error> {
        let hash = hash(secret);
        let Some(kept) = self.read(&hash, seen).await? else { return Ok(None) };
        let now = self.clock.millis();
        if self.is_over(&kept.session, now) {
            return Ok(None);
        }
        let Kept { session, offered_at, state, since } = kept;
        let offer = match verdict(state, since, offered_at, now) {
            Verdict::Good => None,
            Verdict::Taken => {
                beside("take a session's new secret", self.take(&session.id, &hash, now)).await;
                None
            }
            Verdict::Due => beside("offer a session's new secret", self.offer(&session, now)).await.flatten(),
            Verdict::Stolen => {
                tracing::warn!(
                    session = session.id,
                    user = %session.user,
                    "an old secret of a session was used, so somebody copied it; the session has ended"
                );
                self.end_where("id = $1", || args![&session.id]).await?;
                return Ok(None);
            }
        };
        if now.saturating_sub(session.seen_at.timestamp_millis()) >= millis(self.seen_every()) {
            beside("note that a session is used", self.touch(&session.id, now)).await;
        }
        Ok(Some(Found { session, offer }))
    }

    /// The sessions of somebody, the last used first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn of_user(&self, user: &EntityRef) -> Result<Vec<Session>, Error> {
        let mut select = query(SELECT, args![user.to_string()]);
        select.push("FROM session WHERE user_ref = $1 ORDER BY seen_at DESC, created_at DESC, id");
        let rows = self.db.fetch_all(select).await?;
        let now = self.clock.millis();
        let mut sessions = rows.iter().filter_map(|row| session(row).transpose()).collect::<Result<Vec<_>, Error>>()?;
        sessions.retain(|session| !self.is_over(session, now));
        Ok(sessions)
    }

    /// The session with this id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn by_id(&self, id: &str) -> Result<Option<Session>, Error> {
        let mut select = query(SELECT, args![id]);
        select.push("FROM session WHERE id = $1");
        let Some(row) = self.db.fetch_optional(select).await? else { return Ok(None) };
        let now = self.clock.millis();
        Ok(session(&row)?.filter(|session| !self.is_over(session, now)))
    }

    /// Ends the session that a secret belongs to.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end(&self, secret: &str) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        remove_with(&mut tx, secret).await?;
        tx.commit().await
    }

    /// Ends one of somebody's sessions. Whether there was one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_by_id(&self, user: &EntityRef, id: &str) -> Result<bool, Error> {
        let ended = self.end_where("user_ref = $1 AND id = $2", || args![user.to_string(), id]).await?;
        Ok(ended > 0)
    }

    /// Ends all sessions of somebody. How many there were.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_all(&self, user: &EntityRef) -> Result<u64, Error> {
        self.end_where("user_ref = $1", || args![user.to_string()]).await
    }

    async fn end_where(&self, condition: &'static str, args: impl Fn() -> Vec<Value>) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let ended = remove(&mut tx, condition, args).await?;
        tx.commit().await?;
        Ok(ended)
    }

    async fn read(&self, hash: &String, seen: Seen) -> Result<Option<Kept>, Error> {
        if let Some(kept) = self.found.at(&seen, hash) {
            return Ok(Some(kept));
        }
        let mut select = query(SELECT, args![hash]);
        select.push(", offered_at, state, since FROM session_secret JOIN session ON id = session_id WHERE sha256 = $1");
        let Some(row) = self.db.fetch_optional(select).await? else { return Ok(None) };
        let Some(session) = session(&row)? else { return Ok(None) };
        let state: String = row.get("state")?;
        let kept =
            Kept { session, offered_at: row.get("offered_at")?, state: State::named(&state), since: row.get("since")? };
        self.found.keep(hash.clone(), seen, kept.clone());
        Ok(Some(kept))
    }

    /// Whether a session has ended by itself. Where the lifetimes have become shorter, that is so for older sessions, too.
    fn is_over(&self, session: &Session, now: i64) -> bool {
        let ends = |from: DateTime<Utc>, after: Duration| from.timestamp_millis().saturating_add(millis(after));
        now >= session.expires_at.timestamp_millis()
            || now >= ends(session.created_at, self.lifetimes.absolute)
            || now >= ends(session.seen_at, self.lifetimes.idle)
    }

    /// Somebody who does something all the time must not be idle in between.
    fn seen_every(&self) -> Duration {
        SEEN_EVERY.min(self.lifetimes.idle / 4)
    }

    async fn touch(&self, id: &str, now: i64) -> Result<(), Error> {
        let mut tx = self.db.beside().await?;
        tx.execute(query("UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2", args![id, now])).await?;
        tx.commit().await
    }

    /// From now on this secret is the current one. Of several requests that come with it at once the first one does it.
    async fn take(&self, id: &str, hash: &str, now: i64) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        tx.execute(query(
            "UPDATE session_secret SET state = 'retired', since = $3 WHERE session_id = $1 AND state = 'current' \
             AND EXISTS (SELECT 1 FROM session_secret WHERE sha256 = $2 AND state = 'offered')",
            args![id, hash, now],
        ))
        .await?;
        tx.execute(query(
            "UPDATE session_secret SET state = 'current', since = $2 WHERE sha256 = $1 AND state = 'offered'",
            args![hash, now],
        ))
        .await?;
        tx.commit().await
    }

    /// Makes a new secret. Of several requests that come at once one gets it.
    async fn offer(&self, session: &Session, now: i64) -> Result<Option<Handed>, Error> {
        let mut tx = self.db.begin().await?;
        let due = tx
            .execute(query(
                "UPDATE session SET offered_at = $2 WHERE id = $1 AND (offered_at IS NULL OR offered_at <= $3)",
                args![&session.id, now, now.saturating_sub(millis(OFFER_EVERY))],
            ))
            .await?;
        if due == 0 {
            return Ok(None);
        }
        let secret = secret::new();
        add_secret(&mut tx, &secret, &session.id, State::Offered, now).await?;
        let mut forget = query(
            "DELETE FROM session_secret WHERE session_id = $1 AND state = 'offered' AND sha256 NOT IN \
             (SELECT sha256 FROM session_secret WHERE session_id = $1 AND state = 'offered' \
              ORDER BY since DESC, sha256",
            args![&session.id],
        );
        forget.limit(OFFERS).push(")");
        tx.execute(forget).await?;
        tx.commit().await?;
        let left = session.expires_at.timestamp_millis().saturating_sub(now) / 1000;
        let session = session.id.clone();
        Ok(Some(Handed { session, secret, seconds: u64::try_from(left).unwrap_or(0) }))
    }
}

const SELECT: &str = "SELECT id, user_ref, provider, display_name, user_agent, created_at, seen_at, expires_at ";

/// A session of a row; none where it is of somebody whose ref cannot be read.
fn session(row: &Row) -> Result<Option<Session>, Error> {
    let time = |column: &str| -> Result<DateTime<Utc>, Error> {
        Ok(DateTime::from_timestamp_millis(row.get(column)?).unwrap_or_default())
    };
    let user: String = row.get("user_ref")?;
    let Ok(user) = user.parse() else { return Ok(None) };
    Ok(Some(Session {
        id: row.get("id")?,
        user,
        provider: row.get("provider")?,
        display_name: row.get("display_name")?,
        user_agent: row.get("user_agent")?,
        created_at: time("created_at")?,
        seen_at: time("seen_at")?,
        expires_at: time("expires_at")?,
    }))
}

async fn add_secret(tx: &mut Tx, secret: &str, session: &str, state: State, now: i64) -> Result<(), Error> {
    let insert = "INSERT INTO session_secret(sha256, session_id, state, since) VALUES ($1, $2, $3, $4)";
    tx.execute(query(insert, args![hash(secret), session, state.name(), now])).await?;
    Ok(())
}

/// Removes the sessions that a condition holds for. How many there were.
async fn remove(tx: &mut Tx, condition: &'static str, args: impl Fn() -> Vec<Value>) -> Result<u64, Error> {
    let mut secrets = query("DELETE FROM session_secret WHERE session_id IN (SELECT id FROM session WHERE ", args());
    secrets.push(condition).push(")");
    tx.execute(secrets).await?;
    let mut sessions = query("DELETE FROM session WHERE ", args());
    sessions.push(condition);
    tx.execute(sessions).await
}

/// Removes the session that a secret belongs to, whichever of its secrets it is.
async fn remove_with(tx: &mut Tx, secret: &str) -> Result<(), Error> {
    let select = query("SELECT session_id FROM session_secret WHERE sha256 = $1", args![hash(secret)]);
    if let Some(row) = tx.fetch_all(select).await?.first() {
        let id: String = row.get(0)?;
        remove(tx, "id = $1", || args![&id]).await?;
    }
    Ok(())
}

/// Does what a request is not to fail by.
async fn beside<T>(what: &'static str, work: impl Future<Output = Result<T, Error>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::warn!(%error, "could not {what}; it is tried again with the next request");
            None
        }
        Err(_) => {
            tracing::warn!("could not {what} within {} s; it is tried again with the next request", PATIENCE.as_secs());
            None
        }
    }
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handed").field("session", &self.session).field("seconds", &self.seconds).finish_non_exhaustive()
    }
}
