//! Which transactions a reader sees, as PostgreSQL names them: two statements that see the same ones read the same.
//!
//! That is how a replica knows that what it remembers is still true although others write to the same database. It has to
//! be asked each time, because who was told through one replica that something is kept reads it through another. But those
//! who ask while a question is under way share the next one, so that a busy server asks once for many requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::pool::Pool;
use crate::Error;

/// The snapshot's text: <https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>. It says
/// which transactions had not ended, of those that have a number, and every one that writes has one.
const ASK: &str = "SELECT pg_catalog.pg_current_snapshot()::text";

#[derive(Default)]
pub(super) struct Snapshot {
    /// How many have asked.
    asked: AtomicU64,
    last: Mutex<Answer>,
}

#[derive(Default)]
struct Answer {
    /// It began after so many had asked: they are those whom it answers.
    of: u64,
    /// None where the server could not be asked.
    text: Option<Arc<str>>,
}

impl Snapshot {
    /// The snapshot of some moment after this call. None where the server cannot be asked: whoever goes on and reads is
    /// told why.
    pub(super) async fn now(&self, pool: &Arc<Pool>) -> Option<Arc<str>> {
        let number = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let mut last = self.last.lock().await;
        if last.of < number {
            let of = self.asked.load(Ordering::Acquire);
            let text = ask(pool).await.inspect_err(|error| tracing::debug!(%error, "nothing is remembered")).ok();
            *last = Answer { of, text };
        }
        last.text.clone()
    }
}

async fn ask(pool: &Arc<Pool>) -> Result<Arc<str>, Error> {
    let rows = super::read(&pool.fetch_all(ASK, &[]).await?)?;
    let row = rows.first().ok_or_else(|| Error::Failed("PostgreSQL names no snapshot".to_owned()))?;
    Ok(row.get::<String>(0)?.into())
}
