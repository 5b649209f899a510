//! Telling a server that works from one that is gone.
//!
//! Neither says anything: a statement that takes its time, and a server that froze or whose network swallows what it
//! says. So whoever has waited for a while asks on a new connection whether anybody is there, all of them together.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connect::Server;
use crate::limits::{CONNECT, QUIET};

/// For how long an answer counts, so that a hundred who wait ask once.
const FRESH: Duration = Duration::from_secs(1);

pub(super) struct Presence {
    server: Server,
    last: Arc<Mutex<Option<Asked>>>,
}

#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    is_there: bool,
}

/// Why something is no longer waited for.
#[derive(Debug)]
pub(super) enum GivenUp {
    /// The server answers nobody.
    Silent,
    /// It took too long.
    TooLong,
}

impl Presence {
    pub(super) fn new(server: Server) -> Presence {
        Presence { server, last: Arc::default() }
    }

    /// Waits for something that takes up to `patience` as long as the server is there. What is waited for without an end
    /// is not asked about either: a migration may keep a small server so busy that it seems to be gone.
    pub(super) async fn over<T>(&self, patience: Duration, work: impl Future<Output = T>) -> Result<T, GivenUp> {
        let mut work = pin!(work);
        let Some(end) = Instant::now().checked_add(patience) else { return Ok(work.await) };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(GivenUp::TooLong);
            }
            if let Ok(done) = timeout(QUIET.min(left), &mut work).await {
                return Ok(done);
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                is_there = self.is_there() => if !is_there {
                    return Err(GivenUp::Silent);
                }
            }
        }
    }

    /// Whether the server answers. A refusal is an answer: it may have too many connections, which others work on.
    async fn is_there(&self) -> bool {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some(last) = last.filter(|last| last.at.elapsed() < FRESH) {
            return last.is_there;
        }
        let server = self.server.clone();
        // On its own: whoever asked may have no need to know any more, and all others would begin anew.
        let asked = tokio::spawn(async move {
            let ask = async {
                match server.connect().await {
                    Ok(connection) => connection.close().await.is_ok(),
                    Err(error) => error.as_database_error().is_some(),
                }
            };
            let is_there = timeout(CONNECT, ask).await.unwrap_or(false);
            *last = Some(Asked { at: Instant::now(), is_there });
            is_there
        });
        // A runtime that ends answers nobody.
        asked.await.unwrap_or(false)
    }
}
