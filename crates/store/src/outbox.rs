//! The outbox: what happened, for those who want to be told of it, kept with what it tells of.
//!
//! Whoever writes something in a transaction says so with [`Tx::publish`]; the same transaction then holds one row for each
//! subscriber that wants it, and none where nobody does. Whoever delivers claims rows with [`Outbox::claim`], tells the
//! subscriber, and says with [`Outbox::settle`] what came of it. A claim ends by itself, so what a process had claimed that
//! died is delivered by another: at least once, each time under the same name ([`Delivery::name`]).
//!
//! Events of one lane go to a subscriber one after the other: as long as one waits, those behind it do. What has no lane
//! goes in any order.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Db, Error, Notifications, Row};

mod dead;
mod publish;
mod upkeep;
mod work;

pub use dead::{Backlog, DeadLetter, Which};
pub use publish::{NewEvent, Subscription};
pub(crate) use publish::{Subscribed, load};
pub use work::{Settled, Tried};

/// What transactions tell when there is something to deliver, followed by nothing but the subscriber's name.
pub const CHANNEL: &str = "outbox";

/// What waits to be delivered, for whoever delivers it. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    db: Db,
    /// Another one at each start: what a process leaves that was killed is not its successor's.
    holder: Arc<str>,
}

impl Outbox {
    /// The outbox of a database, for one who delivers.
    #[must_use]
    pub fn new(db: Db) -> Outbox {
        Outbox { db, holder: Arc::from(Uuid::new_v4().to_string()) }
    }

    /// Hears the names of subscribers for whom there is something, here and from other processes.
    ///
    /// # Panics
    /// As [`Db::notifications`].
    #[must_use]
    pub fn notifications(&self) -> Notifications {
        self.db.notifications(CHANNEL)
    }
}

/// The name of a delivery: the same each time that it is tried, and never that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryName {
    id: i64,
    nonce: i64,
}

impl fmt::Display for DeliveryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.id, self.nonce)
    }
}

/// A text that is the name of no delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a delivery, such as 17-00000000deadbeef")]
pub struct DeliveryNameError;

impl FromStr for DeliveryName {
    type Err = DeliveryNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, nonce) = text.split_once('-').ok_or(DeliveryNameError)?;
        let name = DeliveryName {
            id: id.parse().map_err(|_| DeliveryNameError)?,
            nonce: i64::from_str_radix(nonce, 16).map_err(|_| DeliveryNameError)?,
        };
        // As it is written, and in no other way: `+17-1` is nobody's name.
        if name.to_string() == text { Ok(name) } else { Err(DeliveryNameError) }
    }
}

/// An event on its way to one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Stays the same however often it is tried.
    pub name: DeliveryName,
    /// Who is told.
    pub subscriber: String,
    /// What it is about.
    pub topic: String,
    /// Those of one lane go one after the other.
    pub lane: Option<String>,
    /// JSON text, of what came along with the payload.
    pub headers: Option<String>,
    /// JSON text.
    pub payload: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// The columns of a [`Delivery`].
const COLUMNS: &str =
    "SELECT id, nonce, subscriber, topic, lane, headers, payload, created_at, attempts FROM delivery WHERE ";

fn delivery(row: &Row) -> Result<Delivery, Error> {
    Ok(Delivery {
        name: DeliveryName { id: row.get("id")?, nonce: row.get("nonce")? },
        subscriber: row.get("subscriber")?,
        topic: row.get("topic")?,
        lane: row.get("lane")?,
        headers: row.get("headers")?,
        payload: row.get("payload")?,
        created_at: time(row.get("created_at")?),
        attempts: u32::try_from(row.get::<i64>("attempts")?).unwrap_or(u32::MAX),
    })
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Milliseconds of a duration, as the tables have times.
fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |text: &str, is_name: bool| assert_eq!(text.parse::<DeliveryName>().is_ok(), is_name, "{text}");
        let name = DeliveryName { id: 17, nonce: 0xdead_beef };
        assert_eq!(name.to_string(), "17-00000000deadbeef");
        assert_eq!(name.to_string().parse(), Ok(name));
        for text in
            ["", "17", "17-", "-1", "17-deadbeef", "+17-00000000deadbeef", "17-00000000DEADBEEF", "a-0000000000000001"]
        {
            check(text, false);
        }
        check("0-0000000000000000", true);
    }
}
