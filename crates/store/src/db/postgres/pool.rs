//! Connections that are used again.
//!
//! The driver's own pool asks each connection whether it still works before it hands it out, which doubles the time of
//! a small query, and waits half a minute for a server that refuses connections. Here a connection is used at once; one
//! that turns out to be lost is replaced, and what it was to do is done again where that is safe. And nothing waits for
//! the rest of an answer that nobody wants any more: such a connection is closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connect::Server;
use super::failure::classify;
use super::presence::{GivenUp, Presence};
use super::{MARGIN, script, values};
use crate::Error;
use crate::limits::{BUSY, CONNECT, CONNECTION_AGE};
use crate::sql::Parameter;

pub(super) struct Pool {
    server: Server,
    presence: Arc<Presence>,
    /// What a new connection is told first.
    setup: String,
    idle: Mutex<Vec<Idle>>,
    permits: Arc<Semaphore>,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
}

/// A connection that is in use.
pub(super) struct Lease {
    pool: Arc<Pool>,
    /// None once it is given up.
    connection: Option<PgConnection>,
    /// When it was made.
    since: Instant,
    /// Whether it was made for this lease.
    fresh: bool,
    /// Whether it turned out to be lost, where the server itself may well be there.
    lost: bool,
    /// Whether the server waits for an end of a transaction.
    open: bool,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(super) fn new(server: Server, presence: &Arc<Presence>, setup: String, size: u32) -> Arc<Pool> {
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Arc::new(Pool { server, presence: Arc::clone(presence), setup, idle: Mutex::default(), permits })
    }

    /// A connection on which a transaction has begun.
    pub(super) async fn begin(self: &Arc<Self>, text: &str) -> Result<Lease, Error> {
        loop {
            let mut lease = self.lease().await?;
            let mut connection = lease.take()?;
            lease.open = true;
            let begun = self.presence.over(BUSY + MARGIN, script(&mut connection, text.to_owned())).await;
            match lease.settle(connection, begun) {
                Ok(()) => return Ok(lease),
                Err(error) => self.try_another(&lease, error)?,
            }
        }
    }

    /// The rows of a statement that only reads.
    pub(super) async fn fetch_all(self: &Arc<Self>, text: &str, args: &[Parameter]) -> Result<Vec<PgRow>, Error> {
        loop {
            let args = values::arguments(args)?;
            let mut lease = self.lease().await?;
            let mut connection = lease.take()?;
            let query = sqlx::query_with(AssertSqlSafe(text.to_owned()), args);
            let done = self.presence.over(BUSY + MARGIN, query.fetch_all(&mut connection)).await;
            match lease.settle(connection, done) {
                Ok(rows) => return Ok(rows),
                Err(error) => self.try_another(&lease, error)?,
            }
        }
    }

    /// Whether a connection only slept through a restart of the server: then the others did so, too, and the next one
    /// will be new. Nothing had been written on it.
    fn try_another(&self, lease: &Lease, error: Error) -> Result<(), Error> {
        if lease.fresh || !lease.lost {
            return Err(error);
        }
        self.forget_idle();
        Ok(())
    }

    fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let permit = match self.presence.over(BUSY, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Error::Unavailable("it was closed".to_owned())),
            Err(GivenUp::TooLong) => return Err(Error::Busy("no connection became free".to_owned())),
            Err(GivenUp::Silent) => return Err(self.server.silent()),
        };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (idle, fresh) = match idle.filter(|idle| idle.since.elapsed() < CONNECTION_AGE) {
            Some(idle) => (idle, false),
            None => (Idle { connection: self.connect().await?, since: Instant::now() }, true),
        };
        Ok(Lease {
            pool: Arc::clone(self),
            connection: Some(idle.connection),
            since: idle.since,
            fresh,
            lost: false,
            open: false,
            permit: Some(permit),
        })
    }

    async fn connect(&self) -> Result<PgConnection, Error> {
        let connect = async {
            let mut connection = self.server.connect().await?;
            script(&mut connection, self.setup.clone()).await?;
            Ok(connection)
        };
        match tokio::time::timeout(CONNECT, connect).await {
            Ok(connection) => connection.map_err(|error| self.server.unavailable(&error)),
            Err(_) => Err(self.server.silent()),
        }
    }

    fn keep(&self, idle: Idle) {
        if idle.since.elapsed() < CONNECTION_AGE && !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        }
    }

    /// Takes no more work, and says goodbye on every connection that is not in use.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for idle in idle {
            tokio::time::timeout(CONNECT, idle.connection.close()).await.ok();
        }
    }
}

impl Lease {
    /// The connection, to do something on it and hand it to [`Lease::settle`]. Where that does not come to pass,
    /// because nobody waits for it any more, the connection is closed.
    pub(super) fn take(&mut self) -> Result<PgConnection, Error> {
        let lost = || Error::Unavailable("the connection was lost earlier in this transaction".to_owned());
        self.connection.take().ok_or_else(lost)
    }

    /// Keeps the connection, unless it is lost or does not answer.
    pub(super) fn settle<T>(
        &mut self,
        connection: PgConnection,
        done: Result<Result<T, sqlx::Error>, GivenUp>,
    ) -> Result<T, Error> {
        let failure = match done {
            Ok(Ok(done)) => {
                self.connection = Some(connection);
                return Ok(done);
            }
            Ok(Err(error)) => classify(&error),
            Err(_) => {
                self.pool.forget_idle();
                return Err(self.pool.server.silent());
            }
        };
        self.lost = failure.is_lost;
        if !self.lost {
            self.connection = Some(connection);
        }
        Err(failure.error)
    }

    /// The transaction has ended, and needs no rolling back.
    pub(super) fn has_ended(&mut self) {
        self.open = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if !self.open {
            return self.pool.keep(Idle { connection, since: self.since });
        }
        // The place stays taken until the transaction has ended: for a writer, so that the next one does not wait for
        // the lock where it should wait for the connection.
        let (pool, since, permit) = (Arc::clone(&self.pool), self.since, self.permit.take());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let rolled_back = tokio::time::timeout(CONNECT, script(&mut connection, "ROLLBACK".to_owned())).await;
            if matches!(rolled_back, Ok(Ok(()))) {
                pool.keep(Idle { connection, since });
            }
            drop(permit);
        });
    }
}
