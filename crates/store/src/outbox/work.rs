//! Delivering: taking what is due, and saying what came of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{COLUMNS, Delivery, DeliveryName, Outbox, delivery, millis, time};
use crate::limits::{DELIVERIES_CLAIMED, DELIVERY_ERROR_CHARACTERS};
use crate::{Engine, Error, Row, Sql, Value, args, query};

/// Which deliveries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Those that have not been tried, as many as fit.
    Not,
    /// One that has: it goes alone, so that it fails for nothing but itself.
    Before,
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The subscriber has it.
    Delivered,
    /// It was in vain, and is tried again from `due` on.
    Again {
        /// When.
        due: DateTime<Utc>,
        /// Why it was in vain.
        error: String,
    },
    /// It was not its turn after all: nothing is counted.
    Back {
        /// When it may be tried.
        due: DateTime<Utc>,
        /// Whether it goes alone from now on, because others may have been the reason.
        alone: bool,
    },
    /// It is given up.
    Dead {
        /// Why.
        error: String,
    },
}

impl Outbox {
    /// Claims what is due for a subscriber, of a size of at most `bytes`, or one that is larger. Nobody else gets these for
    /// `duration`; whoever has not settled them by then may find that another one has.
    ///
    /// They come in the order in which they happened, and of a lane only the first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn claim(
        &self,
        subscriber: &str,
        tried: Tried,
        bytes: usize,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<Delivery>, Error> {
        let now = now.timestamp_millis();
        let most = match tried {
            Tried::Not => DELIVERIES_CLAIMED,
            Tried::Before => 1,
        };
        let mut tx = self.db.beside().await?;
        let mut sql = Sql::new();
        sql.push("WITH due AS (SELECT d.id FROM delivery d WHERE ");
        free(&mut sql, subscriber, tried, now);
        sql.push(" AND d.due_at <= ").bind(now).push(" ORDER BY d.due_at, d.id").limit(most);
        // Whoever is at a row has it: nobody waits.
        sql.push_on("", " FOR UPDATE OF d SKIP LOCKED");
        sql.push(") UPDATE delivery SET claimed_by = ").bind(&*self.holder).push(", claimed_until = ");
        sql.bind(now.saturating_add(millis(duration)));
        sql.push(" FROM due WHERE delivery.id = due.id RETURNING delivery.id, delivery.bytes");
        let pair = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        let mut claimed: Vec<(i64, i64)> = tx.fetch_all(sql).await?.iter().map(pair).collect::<Result<_, Error>>()?;
        claimed.sort_unstable();
        let (kept, rest) = claimed.split_at(fitting(&claimed, bytes).min(claimed.len()));
        if !rest.is_empty() {
            let mut sql = Sql::new();
            sql.push("UPDATE delivery SET claimed_by = NULL, claimed_until = NULL WHERE id IN ");
            sql.ids(rest.iter().map(|(id, _)| *id));
            tx.execute(sql).await?;
        }
        let mut found = Vec::new();
        if !kept.is_empty() {
            let mut sql = Sql::new();
            sql.push(COLUMNS).push("id IN ").ids(kept.iter().map(|(id, _)| *id)).push(" ORDER BY id");
            found = tx.fetch_all(sql).await?.iter().map(delivery).collect::<Result<_, Error>>()?;
        }
        tx.commit().await?;
        Ok(found)
    }

    /// Says what came of deliveries that this process has claimed. What another one has meanwhile is left to that one.
    ///
    /// # Errors
    /// The database fails; then all of them come again when their claim ends.
    pub async fn settle(&self, outcomes: &[(DeliveryName, Settled)], now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.db.beside().await?;
        let delivered = outcomes.iter().filter(|(_, settled)| *settled == Settled::Delivered).map(|(name, _)| name.id);
        let delivered: Vec<i64> = delivered.collect();
        if !delivered.is_empty() {
            let mut sql = Sql::new();
            sql.push("DELETE FROM delivery WHERE claimed_by = ").bind(&*self.holder);
            sql.push(" AND id IN ").ids(delivered);
            tx.execute(sql).await?;
        }
        let others: Vec<_> = outcomes.iter().filter_map(|(name, settled)| changed(*name, settled, now)).collect();
        if !others.is_empty() {
            let mut sql = Sql::new();
            sql.push("WITH v(id, dead, tried, counted, due_at, error) AS (VALUES ").rows(others).push(
                ") UPDATE delivery SET dead = v.dead, \
                 tried = CASE WHEN v.tried > delivery.tried THEN v.tried ELSE delivery.tried END, \
                 attempts = delivery.attempts + v.counted, due_at = v.due_at, \
                 error = COALESCE(v.error, delivery.error), claimed_by = NULL, claimed_until = NULL \
                 FROM v WHERE delivery.id = v.id AND delivery.claimed_by = ",
            );
            sql.bind(&*self.holder);
            tx.execute(sql).await?;
        }
        tx.commit().await
    }

    /// When something may be claimed for a subscriber, if nothing else happens; none where nothing waits that is neither
    /// claimed nor behind another one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_due(&self, subscriber: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let mut first: Option<i64> = None;
        for tried in [Tried::Not, Tried::Before] {
            let mut sql = Sql::new();
            sql.push("SELECT d.due_at FROM delivery d WHERE ");
            free(&mut sql, subscriber, tried, now.timestamp_millis());
            sql.push(" ORDER BY d.due_at, d.id").limit(1);
            let due: Option<i64> = self.db.fetch_optional(sql).await?.map(|row| row.get(0)).transpose()?;
            first = first.into_iter().chain(due).min();
        }
        Ok(first.map(time))
    }

    /// Gives up all claims of this process, which is about to end.
    ///
    /// # Errors
    /// The database fails; the claims then end by themselves.
    pub async fn let_go(&self) -> Result<(), Error> {
        let mut tx = self.db.beside().await?;
        let mut sql = Sql::new();
        sql.push("UPDATE delivery SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = ").bind(&*self.holder);
        tx.execute(sql).await?;
        tx.commit().await
    }

    /// Takes over what an earlier process had claimed, where the database belongs to one process at a time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take_over(&self) -> Result<(), Error> {
        if self.db.engine() == Engine::Sqlite {
            let update = "UPDATE delivery SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by IS NOT NULL";
            self.db.execute(query(update, args![])).await?;
        }
        Ok(())
    }
}

/// What nobody works on, and of a lane the first.
fn free(sql: &mut Sql, subscriber: &str, tried: Tried, now: i64) {
    sql.push("d.dead = 0 AND d.subscriber = ").bind(subscriber);
    sql.push(" AND d.tried = ").bind(tried == Tried::Before);
    sql.push(" AND (d.claimed_until IS NULL OR d.claimed_until <= ").bind(now).push(")");
    sql.push(
        " AND (d.lane IS NULL OR NOT EXISTS (SELECT 1 FROM delivery e WHERE e.dead = 0 \
         AND e.subscriber = d.subscriber AND e.lane = d.lane AND e.id < d.id))",
    );
}

/// How many of the first have no more than these bytes together. The first one always fits.
fn fitting(claimed: &[(i64, i64)], bytes: usize) -> usize {
    let mut sum = 0_usize;
    let fits = |(_, size): &&(i64, i64)| {
        sum = sum.saturating_add(usize::try_from(*size).unwrap_or(usize::MAX));
        sum <= bytes
    };
    claimed.iter().take_while(fits).count().max(1)
}

/// What becomes of the row of a delivery that is not done.
fn changed(name: DeliveryName, settled: &Settled, now: DateTime<Utc>) -> Option<Vec<Value>> {
    let short = |error: &str| {
        let short: String = error.chars().take(DELIVERY_ERROR_CHARACTERS).collect();
        Some(short.replace('\0', "\u{fffd}"))
    };
    let (dead, tried, counted, due, error) = match settled {
        Settled::Delivered => return None,
        Settled::Again { due, error } => (0, 1, 1, *due, short(error)),
        Settled::Back { due, alone } => (0, i64::from(*alone), 0, *due, None),
        Settled::Dead { error } => (1, 1, 1, now, short(error)),
    };
    Some(args![name.id, dead, tried, counted, due.timestamp_millis(), error])
}
