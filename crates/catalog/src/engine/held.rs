//! What one replica does at a time, under a lease.

use std::sync::Arc;

use callboard_store::{Db, Error, lease};
use chrono::Utc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::replicas::Replica;

/// A lease that is extended for as long as this is there. Dropped, it ends by itself after the replica's timeout.
pub(crate) struct Held {
    db: Db,
    name: String,
    replica: Arc<Replica>,
    lost: CancellationToken,
    _extending: DropGuard,
}

impl Held {
    /// Takes a lease; none where another replica has it. Where there is one process only, it has everything.
    pub(crate) async fn take(db: &Db, replica: &Arc<Replica>, name: &str) -> Result<Option<Held>, Error> {
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        let held = Held {
            db: db.clone(),
            name: name.to_owned(),
            replica: Arc::clone(replica),
            lost,
            _extending: stop.clone().drop_guard(),
        };
        if !replica.several {
            return Ok(Some(held));
        }
        let taken = Instant::now();
        if !lease::acquire(db, name, &replica.id, replica.timeout, Utc::now()).await? {
            return Ok(None);
        }
        let (db, name, replica, lost) = (db.clone(), name.to_owned(), Arc::clone(replica), held.lost.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = extend(&db, &name, &replica, taken) => lost.cancel(),
            }
        });
        Ok(Some(held))
    }

    /// Waits until the lease is lost: another replica may have it then.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Lets others have it at once.
    pub(crate) async fn give_up(self) -> Result<(), Error> {
        if self.replica.several {
            lease::release(&self.db, &self.name, &self.replica.id).await?;
        }
        Ok(())
    }
}

/// Extends a lease until it is lost, or so nearly that whoever works under it must stop.
async fn extend(db: &Db, name: &str, replica: &Replica, mut taken: Instant) {
    let beat = replica.beat();
    while taken.elapsed() + beat < replica.timeout {
        sleep(beat / 2).await;
        let now = Instant::now();
        match timeout(beat, lease::acquire(db, name, &replica.id, replica.timeout, Utc::now())).await {
            Ok(Ok(true)) => taken = now,
            Ok(Ok(false)) => break,
            Ok(Err(error)) => tracing::debug!(%error, name, "a lease could not be extended"),
            Err(_) => {}
        }
    }
    tracing::warn!(name, "a lease was lost; another replica may go on");
}
