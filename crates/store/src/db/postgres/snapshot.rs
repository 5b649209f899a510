//! Which transactions a reader sees, as PostgreSQL names them: two statements that see the same ones read the same.
//!
//! That is how a replica knows that what it remembers is still true although others write to the same database. It has to
//! be asked each time, because who was told through one replica that something is kept reads it through another. But those
//! who ask while a question is under way share the next one, so that a busy server asks once for many requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::pool::Pool;
use crate::Error;

/// The snapshot's text: <https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>. It says
/// which transactions had not ended, of those that have a number, and every one that writes has one.
const ASK: &str = "SELECT pg_catalog.pg_current_snapshot()::text";

type Answer = Result<Arc<str>, Error>;

#[derive(Clone, Default)]
pub(super) struct Snapshot(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    is_asked: bool,
    /// Those whom the question under way does not answer, because they came after it began.
    next: Vec<oneshot::Sender<Answer>>,
}

impl Snapshot {
    /// The snapshot of some moment after this call.
    pub(super) async fn now(&self, pool: &Arc<Pool>) -> Answer {
        let (sender, answer) = oneshot::channel();
        let is_asked = {
            let mut waiting = self.waiting();
            waiting.next.push(sender);
            std::mem::replace(&mut waiting.is_asked, true)
        };
        if !is_asked {
            // On its own: whoever came first may go away before the answer comes.
            tokio::spawn(Asking { snapshot: self.clone(), is_done: false }.run(Arc::clone(pool)));
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Error::Failed("nobody asks PostgreSQL for its snapshot any more".to_owned())))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that asks. However it ends, the next who comes begins another.
struct Asking {
    snapshot: Snapshot,
    is_done: bool,
}

impl Asking {
    async fn run(mut self, pool: Arc<Pool>) {
        loop {
            // Those who are about to ask come first.
            tokio::task::yield_now().await;
            let mut asking = std::mem::take(&mut self.snapshot.waiting().next);
            let answer = ask(&pool).await;
            if answer.is_err() {
                // A server that is gone is waited for once, by those who came meanwhile, too.
                asking.append(&mut self.snapshot.waiting().next);
            }
            for waiting in asking {
                // They may no longer wait.
                waiting.send(answer.clone()).ok();
            }
            let mut waiting = self.snapshot.waiting();
            if waiting.next.is_empty() {
                waiting.is_asked = false;
                drop(waiting);
                self.is_done = true;
                return;
            }
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.is_done {
            *self.snapshot.waiting() = Waiting::default();
        }
    }
}

async fn ask(pool: &Arc<Pool>) -> Result<Arc<str>, Error> {
    let rows = super::read(&pool.fetch_all(ASK, &[]).await?)?;
    let row = rows.first().ok_or_else(|| Error::Failed("PostgreSQL names no snapshot".to_owned()))?;
    Ok(row.get::<String>(0)?.into())
}
