//! What is kept for how long.

use chrono::{DateTime, Utc};

use super::{Outbox, millis};
use crate::limits::{DEAD, RECEIVED, UPKEEP_ROWS, WAITING};
use crate::{Error, Sql};

impl Outbox {
    /// Gives up what has waited for too long, and removes what nobody looked at. Any replica may do it, at any time.
    ///
    /// # Errors
    /// The database fails; what was done by then stays.
    pub async fn upkeep(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let now = now.timestamp_millis();
        let reason = format!("it waited for {} days, and its plugin did not take it", WAITING.as_secs() / 86_400);
        self.while_any(|sql| {
            sql.push("UPDATE delivery SET dead = 1, tried = 1, claimed_by = NULL, claimed_until = NULL, due_at = ");
            sql.bind(now).push(", error = COALESCE(error, ").bind(reason.as_str());
            sql.push(") WHERE id IN (SELECT id FROM delivery WHERE dead = 0 AND waits_since <= ");
            sql.bind(now.saturating_sub(millis(WAITING)));
            some(sql);
        })
        .await?;
        self.while_any(|sql| {
            sql.push("DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE dead = 1 AND due_at <= ");
            sql.bind(now.saturating_sub(millis(DEAD)));
            some(sql);
        })
        .await?;
        self.while_any(|sql| {
            sql.push(
                "DELETE FROM received WHERE (source, mark) IN (SELECT source, mark FROM received WHERE received_at <= ",
            );
            sql.bind(now.saturating_sub(millis(RECEIVED))).push(" ORDER BY received_at").limit(UPKEEP_ROWS);
            sql.push_on("", " FOR UPDATE SKIP LOCKED").push(")");
        })
        .await
    }

    /// Carries a statement out until it finds less than it may touch at once.
    async fn while_any(&self, write: impl Fn(&mut Sql)) -> Result<(), Error> {
        loop {
            let mut sql = Sql::new();
            write(&mut sql);
            let mut tx = self.db.beside().await?;
            let count = tx.execute(sql).await?;
            tx.commit().await?;
            if count < UPKEEP_ROWS {
                return Ok(());
            }
        }
    }
}

/// The end of a list of deliveries: some of them, and none that somebody is at.
fn some(sql: &mut Sql) {
    sql.push(" ORDER BY id").limit(UPKEEP_ROWS).push_on("", " FOR UPDATE SKIP LOCKED").push(")");
}
