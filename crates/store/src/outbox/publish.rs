//! Saying that something happened.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{CHANNEL, Outbox, millis};
use crate::limits::RECEIVED;
use crate::{Db, Error, Row, Sql, Tx, Value, args, query};

/// Who wants to be told of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription {
    /// Who.
    pub subscriber: String,
    /// Of what.
    pub topic: String,
    /// Of which groups of it, in lower case; of all where there are none.
    pub groups: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewEvent {
    /// What of its topic it belongs to, in lower case.
    pub group: String,
    /// Those of one lane go one after the other to each subscriber.
    pub lane: Option<String>,
    /// JSON text, of what came along with it.
    pub headers: Option<String>,
    /// JSON text.
    pub payload: String,
}

/// The subscriptions in force, in memory: whether anybody wants to know is asked in each transaction.
#[derive(Default)]
pub(crate) struct Subscribed(RwLock<Arc<Vec<Subscription>>>);

impl Subscribed {
    fn get(&self) -> Arc<Vec<Subscription>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, subscriptions: Vec<Subscription>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(subscriptions);
    }
}

impl Db {
    /// Who is told of what.
    #[must_use]
    pub fn subscriptions(&self) -> Arc<Vec<Subscription>> {
        self.subscribed().get()
    }

    /// Has exactly these be told from now on, in this process and in those that start later. What waits for others goes
    /// on waiting.
    ///
    /// # Errors
    /// The database fails; then nothing is changed.
    pub async fn subscribe(&self, mut subscriptions: Vec<Subscription>) -> Result<(), Error> {
        subscriptions.sort();
        subscriptions.dedup_by(|one, other| one.subscriber == other.subscriber && one.topic == other.topic);
        let mut tx = self.begin().await?;
        if load(&mut tx).await? != subscriptions {
            tx.execute(query("DELETE FROM subscription", args![])).await?;
            let rows: Vec<Vec<Value>> = subscriptions
                .iter()
                .map(|one| {
                    let groups = serde_json::Value::from(one.groups.clone()).to_string();
                    args![&one.subscriber, &one.topic, groups]
                })
                .collect();
            tx.insert("INSERT INTO subscription(subscriber, topic, only_groups) VALUES ", rows, "").await?;
        }
        tx.commit().await?;
        self.subscribed().set(subscriptions);
        Ok(())
    }
}

/// The subscriptions that the database has, in order.
pub(crate) async fn load(tx: &mut Tx) -> Result<Vec<Subscription>, Error> {
    let select = "SELECT subscriber, topic, only_groups FROM subscription ORDER BY subscriber, topic";
    let subscription = |row: &Row| {
        let groups: String = row.get(2)?;
        let groups = serde_json::from_str(&groups).map_err(|error| Error::Failed(format!("subscription: {error}")))?;
        Ok(Subscription { subscriber: row.get(0)?, topic: row.get(1)?, groups })
    };
    tx.fetch_all(query(select, args![])).await?.iter().map(subscription).collect()
}

impl Tx {
    /// Whether anybody wants to be told of a topic. It asks nobody: where nobody does, saying what happened costs nothing.
    #[must_use]
    pub fn is_wanted(&self, topic: &str) -> bool {
        self.subscribed().get().iter().any(|one| one.topic == topic)
    }

    /// Says what happened, to be told to those who want to know once the transaction is kept. It writes nothing where
    /// nobody does.
    ///
    /// # Errors
    /// The database fails.
    pub async fn publish(&mut self, topic: &str, events: &[NewEvent], now: DateTime<Utc>) -> Result<(), Error> {
        let subscribed = self.subscribed().get();
        let mut rows = Vec::new();
        let mut told = BTreeSet::new();
        for event in events {
            for one in subscribed.iter().filter(|one| one.topic == topic) {
                if one.groups.is_empty() || one.groups.contains(&event.group) {
                    rows.push(row(&one.subscriber, topic, event, now));
                    told.insert(one.subscriber.as_str());
                }
            }
        }
        insert(self, rows, told).await
    }
}

impl Outbox {
    /// Takes what came from outside for a subscriber, once: false where any of its `marks` came before, for the same
    /// subscriber and topic. True once it is kept.
    ///
    /// # Errors
    /// The database fails. It may have been kept all the same, where the connection was lost at the very end; whoever sent
    /// it then sends it again, and it is known.
    pub async fn receive(
        &self,
        subscriber: &str,
        topic: &str,
        marks: &BTreeSet<String>,
        event: &NewEvent,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        // Beside the writer: a sender does not wait for somebody's long transaction. The marks come first and in order, so
        // that nothing is held while another one with the same is waited for.
        let mut tx = self.db.beside().await?;
        if !marks.is_empty() {
            let (source, at) = (format!("{subscriber}/{topic}"), now.timestamp_millis());
            let mut sql = Sql::new();
            sql.push("INSERT INTO received(source, mark, received_at) VALUES ");
            sql.rows(marks.iter().map(|mark| args![&source, mark.as_str(), at]));
            sql.push(" ON CONFLICT(source, mark) DO UPDATE SET received_at = excluded.received_at WHERE received.received_at <= ");
            sql.bind(at.saturating_sub(millis(RECEIVED)));
            let new = tx.execute(sql).await?;
            if new < u64::try_from(marks.len()).unwrap_or(u64::MAX) {
                return Ok(false);
            }
        }
        insert(&mut tx, vec![row(subscriber, topic, event, now)], BTreeSet::from([subscriber])).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn row(subscriber: &str, topic: &str, event: &NewEvent, now: DateTime<Utc>) -> Vec<Value> {
    let bytes = event.payload.len() + event.headers.as_ref().map_or(0, String::len);
    let now = now.timestamp_millis();
    args![
        nonce(),
        subscriber,
        topic,
        event.lane.clone(),
        event.headers.clone(),
        &event.payload,
        i64::try_from(bytes).unwrap_or(i64::MAX),
        now,
        now,
        now
    ]
}

/// 63 random bits, so that it is written without a sign.
fn nonce() -> i64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    i64::try_from(high >> 1).unwrap_or(i64::MAX)
}

async fn insert(tx: &mut Tx, rows: Vec<Vec<Value>>, told: BTreeSet<&str>) -> Result<(), Error> {
    let into = "INSERT INTO delivery(nonce, subscriber, topic, lane, headers, payload, bytes, created_at, waits_since, \
                due_at) VALUES ";
    tx.insert(into, rows, "").await?;
    for subscriber in told {
        tx.notify(CHANNEL, subscriber).await?;
    }
    Ok(())
}
