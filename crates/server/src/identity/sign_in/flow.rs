//! Flows: who has gone to a service to sign in, and may come back once.

use std::time::Duration;

use callboard_store::{Db, Error, args, query};
use rand::Rng as _;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::landing::Landing;
use crate::identity::clock::Clock;

/// How long somebody may be away: as long as Backstage's cookie lasts. Typing a password and a second factor takes one
/// minute.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Flows that are kept. Anybody can begin one, so there must be an end; the oldest goes first.
const MOST: u64 = 20_000;

/// Where flows are kept. Cheap to clone.
#[derive(Clone)]
pub struct Flows {
    db: Db,
    clock: Clock,
}

/// What the portal remembers while somebody is away.
#[derive(Clone, PartialEq, Eq)]
pub struct Flow {
    /// The provider's key in `auth.providers`.
    pub provider: String,
    /// What proves to the service that whoever has the code is who began (RFC 7636).
    pub verifier: String,
    /// What the ID token must repeat, where the service has one.
    pub nonce: String,
    /// Where the browser goes afterwards.
    pub landing: Landing,
}

/// What binds a flow to a browser: a random value in a cookie, which no other browser has.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser(String);

impl Browser {
    /// A new one.
    #[must_use]
    pub fn new() -> Browser {
        Browser(random())
    }

    /// The one of a cookie. Somebody who begins twice, in two windows, may come back to both.
    #[must_use]
    pub fn of_cookie(value: &str) -> Option<Browser> {
        let is_ours = value.len() == 64 && value.chars().all(|c| c.is_ascii_hexdigit());
        is_ours.then(|| Browser(value.to_owned()))
    }

    /// For the cookie.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Browser {
    fn default() -> Self {
        Browser::new()
    }
}

impl Flows {
    /// In the tables that [`Sessions`](crate::identity::Sessions) made.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Flows {
        Flows { db, clock }
    }

    /// Keeps a flow under a state, for one browser.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep(&self, state: &str, browser: &Browser, flow: &Flow) -> Result<(), Error> {
        let now = self.clock.millis();
        let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let mut tx = self.db.begin().await?;
        tx.execute(query("DELETE FROM sign_in_flow WHERE expires_at <= $1", args![now])).await?;
        let mut oldest = query(
            "DELETE FROM sign_in_flow WHERE state_sha256 IN (SELECT state_sha256 FROM sign_in_flow \
             ORDER BY expires_at DESC",
            args![],
        );
        oldest.limit(MOST).push(" OFFSET ").bind(i64::try_from(MOST).unwrap_or(i64::MAX)).push(")");
        tx.execute(oldest).await?;
        tx.execute(query(
            "INSERT INTO sign_in_flow(state_sha256, browser_sha256, provider, verifier, nonce, landing, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                hash(state),
                hash(&browser.0),
                &flow.provider,
                &flow.verifier,
                &flow.nonce,
                flow.landing.as_str(),
                now.saturating_add(lifetime)
            ],
        ))
        .await?;
        tx.commit().await
    }

    /// The flow of somebody who comes back to a provider's address. It is gone by that, whoever it was.
    ///
    /// # Errors
    /// There is none, it is over, or it is another browser's or another provider's.
    pub async fn take(&self, state: &str, browser: Option<&Browser>, provider: &str) -> Result<Flow, Failure> {
        let state = hash(state);
        let mut tx = self.db.begin().await?;
        let select = "SELECT browser_sha256, provider, verifier, nonce, landing, expires_at FROM sign_in_flow \
                      WHERE state_sha256 = $1";
        let rows = tx.fetch_all(query(select, args![&state])).await?;
        let Some(row) = rows.first() else { return Err(Failure::Expired) };
        tx.execute(query("DELETE FROM sign_in_flow WHERE state_sha256 = $1", args![&state])).await?;
        tx.commit().await?;
        let (of_browser, expires_at): (String, i64) = (row.get("browser_sha256")?, row.get("expires_at")?);
        let (landing, of_provider): (String, String) = (row.get("landing")?, row.get("provider")?);
        if browser.is_none_or(|browser| hash(&browser.0) != of_browser) {
            return Err(Failure::Mismatch("another browser began to sign in, or this one keeps no cookies"));
        }
        if of_provider != provider {
            return Err(Failure::Mismatch("the flow began with another provider"));
        }
        if self.clock.millis() >= expires_at {
            return Err(Failure::Expired);
        }
        let landing = Landing::kept(landing);
        Ok(Flow { provider: of_provider, verifier: row.get("verifier")?, nonce: row.get("nonce")?, landing })
    }
}

/// 256 random bits, in hexadecimal.
#[must_use]
pub fn random() -> String {
    hex::encode(rand::rng().random::<[u8; 32]>())
}

/// They are 256 random bits, so one round of a plain hash is enough: there is nothing to guess.
fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("provider", &self.provider).field("landing", &self.landing).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser")
    }
}
