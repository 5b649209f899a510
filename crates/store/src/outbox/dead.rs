//! What could not be delivered.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{CHANNEL, DeliveryName, Outbox, time};
use crate::limits::DEAD_PAYLOAD_CHARACTERS;
use crate::{Error, Row, Sql};

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its name.
    pub name: DeliveryName,
    /// Who was to be told.
    pub subscriber: String,
    /// What it is about.
    pub topic: String,
    /// JSON text, of what came along with the payload.
    pub headers: Option<String>,
    /// JSON text, of which a long one is cut off.
    pub payload: String,
    /// How long the payload and what came along with it are.
    pub bytes: u64,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub error: String,
    /// When.
    pub died_at: DateTime<Utc>,
}

/// Which dead letters are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(DeliveryName),
    /// All of a subscriber.
    Of(String),
}

/// What there is for a subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that wait.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub dead: u64,
}

impl Outbox {
    /// Dead letters, the newest events first: those before `before`, of one subscriber or of all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dead_letters(
        &self,
        subscriber: Option<&str>,
        before: Option<DeliveryName>,
        limit: u64,
    ) -> Result<Vec<DeadLetter>, Error> {
        let mut sql = Sql::new();
        // Of a payload, what somebody reads: a page of whole ones may be any size.
        sql.push("SELECT id, nonce, subscriber, topic, headers, substr(payload, 1, CAST(")
            .bind(DEAD_PAYLOAD_CHARACTERS);
        sql.push(" AS INTEGER)) AS payload, bytes, created_at, attempts, error, due_at FROM delivery WHERE dead = 1");
        if let Some(subscriber) = subscriber {
            sql.push(" AND subscriber = ").bind(subscriber);
        }
        if let Some(before) = before {
            sql.push(" AND id < ").bind(before.id);
        }
        sql.push(" ORDER BY id DESC").limit(limit);
        let letter = |row: &Row| {
            let error: Option<String> = row.get("error")?;
            Ok(DeadLetter {
                name: DeliveryName { id: row.get("id")?, nonce: row.get("nonce")? },
                subscriber: row.get("subscriber")?,
                topic: row.get("topic")?,
                headers: row.get("headers")?,
                payload: row.get("payload")?,
                bytes: row.get("bytes")?,
                created_at: time(row.get("created_at")?),
                attempts: u32::try_from(row.get::<i64>("attempts")?).unwrap_or(u32::MAX),
                error: error.unwrap_or_default(),
                died_at: time(row.get("due_at")?),
            })
        };
        self.db.fetch_all(sql).await?.iter().map(letter).collect()
    }

    /// Has dead letters tried again, as if they had never been. Says how many there were.
    ///
    /// # Errors
    /// The database fails.
    pub async fn revive(&self, which: &Which, now: DateTime<Utc>) -> Result<u64, Error> {
        let now = now.timestamp_millis();
        let mut tx = self.db.beside().await?;
        let mut sql = Sql::new();
        sql.push("UPDATE delivery SET dead = 0, tried = 1, attempts = 0, waits_since = ").bind(now);
        sql.push(", due_at = ").bind(now).push(" WHERE dead = 1");
        meant(&mut sql, which);
        sql.push(" RETURNING subscriber");
        let rows = tx.fetch_all(sql).await?;
        let told: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
        for subscriber in told {
            tx.notify(CHANNEL, &subscriber).await?;
        }
        tx.commit().await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Removes dead letters for good. Says how many there were.
    ///
    /// # Errors
    /// The database fails.
    pub async fn discard(&self, which: &Which) -> Result<u64, Error> {
        let mut tx = self.db.beside().await?;
        let mut sql = Sql::new();
        sql.push("DELETE FROM delivery WHERE dead = 1");
        meant(&mut sql, which);
        let count = tx.execute(sql).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// What there is for a subscriber.
    ///
    /// # Errors
    /// The database fails.
    pub async fn backlog(&self, subscriber: &str) -> Result<Backlog, Error> {
        let mut sql = Sql::new();
        sql.push("SELECT 0, count(*) FROM delivery WHERE dead = 0 AND subscriber = ").bind(subscriber);
        sql.push(" UNION ALL SELECT 1, count(*) FROM delivery WHERE dead = 1 AND subscriber = ").bind(subscriber);
        let mut backlog = Backlog::default();
        for row in self.db.fetch_all(sql).await? {
            let count = if row.get(0)? { &mut backlog.dead } else { &mut backlog.waiting };
            *count = row.get(1)?;
        }
        Ok(backlog)
    }
}

fn meant(sql: &mut Sql, which: &Which) {
    match which {
        Which::One(name) => sql.push(" AND id = ").bind(name.id).push(" AND nonce = ").bind(name.nonce),
        Which::Of(subscriber) => sql.push(" AND subscriber = ").bind(subscriber.as_str()),
    };
}
