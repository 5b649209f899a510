//! The threads that plugins run on.
//!
//! A guest computes, and it may do so for as long as its deadline lets it. On the threads that answer requests, everybody
//! else would wait for that, from one tick to the next. So what is not over by the first tick goes on on threads of its own,
//! of a lower priority, and one less than there are processors where there are three: a system that is set up for
//! throughput lets whoever runs go on for some milliseconds, whatever the priority of whoever comes. What a guest *asks*
//! for, a request or a row, is done by the portal's threads: connections belong to those that opened them.

use std::future::Future;
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use futures::FutureExt;
use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use crate::error::HostError;

/// As `nice` counts it. A thread of this priority gets about a tenth of what one of the portal's gets where both want
/// the same processor, and all of it where nobody else does: enough for a page of a plugin to show while the portal is busy.
const NICENESS: i32 = 10;

/// How long a call may keep the thread that it comes from: a tick, and what cannot give way.
const A_WHILE: Duration = Duration::from_millis(2);
/// After one that kept it longer, so many calls of the same plugin do not begin there.
const KEPT_AWAY: u32 = 1_000;

/// The threads that run guests, and nothing else, as one plugin uses them. They end with the last.
#[derive(Clone)]
pub(crate) struct Threads {
    pool: Arc<Pool>,
    /// Calls that do not begin where they come from: none as long as none has kept its thread for too long.
    kept_away: Arc<AtomicU32>,
}

struct Pool {
    /// Always there until it is dropped.
    runtime: Option<Runtime>,
}

/// The work ended without a result: it panicked, or the threads are ending.
#[derive(Debug)]
pub(crate) struct Ended;

impl Threads {
    pub(crate) fn start() -> Result<Threads, HostError> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(processors());
        builder.enable_all().thread_name("plugin").on_thread_start(lower_priority);
        // A guest that computes gives its thread back at each tick and no sooner. So whoever is new, and whatever came
        // meanwhile, is looked at each time, and not once in a while.
        builder.global_queue_interval(1).event_interval(1);
        let runtime = builder
            .build()
            .map_err(|error| HostError::Engine(format!("the threads that plugins run on do not start: {error}")))?;
        Ok(Threads { pool: Arc::new(Pool { runtime: Some(runtime) }), kept_away: Arc::default() })
    }

    /// The same threads for a plugin of which nothing is known yet.
    pub(crate) fn for_another(&self) -> Threads {
        Threads { pool: self.pool.clone(), kept_away: Arc::default() }
    }

    /// Has a call done: here, as long as it neither gives way nor waits, and the rest of it on these threads. Most calls
    /// are over before the first tick, and to have another thread do such a one would take longer than the call. But not
    /// all give way at a tick: a large copy is one step, and so is reading a large answer. The next calls of a plugin with
    /// such a one are done on these threads from their beginning. Dropping the future ends it.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Ended> {
        if self.kept_away.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return self.run(work).await;
        }
        let mut work = Box::pin(AssertUnwindSafe(work).catch_unwind());
        let begun = Instant::now();
        let polled = futures::poll!(&mut work);
        if begun.elapsed() > A_WHILE {
            self.kept_away.store(KEPT_AWAY, Ordering::Relaxed);
        }
        let ended = match polled {
            Poll::Ready(ended) => ended,
            Poll::Pending => self.run(work).await?,
        };
        ended.map_err(|_panic| Ended)
    }

    /// Has something done on these threads. Dropping the future ends it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Ended> {
        let runtime = self.pool.runtime.as_ref().ok_or(Ended)?;
        on(runtime.handle(), work).await
    }
}

/// Has something done on the threads of a runtime. Dropping the future ends it.
pub(crate) async fn on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Ended> {
    let work = work.in_current_span().with_current_subscriber();
    AbortOnDropHandle::new(runtime.spawn(work)).await.map_err(|_| Ended)
}

/// How many of them plugins may use at once, and their compiler. One is left to the portal where there are three. With a
/// single thread, the tab of another plugin waited several times as long for a guest that copies its memory again and again.
pub(crate) fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(2)
}

/// For the thread that calls it, and for those that it starts.
fn lower_priority() {
    if let Err(error) = setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "a thread that runs plugins keeps the portal's own priority");
    }
}

impl Drop for Pool {
    /// Waiting for threads is not allowed where this may happen.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn guests_run_elsewhere_and_after_all_others() {
        let threads = Threads::start().unwrap();
        let own = getpriority_process(None).unwrap();
        let (name, priority) = threads
            .run(async { (std::thread::current().name().map(str::to_owned), getpriority_process(None).unwrap()) })
            .await
            .unwrap();
        assert_eq!((name.as_deref(), priority), (Some("plugin"), NICENESS));
        assert_eq!(getpriority_process(None).unwrap(), own, "it is the thread's alone");
        // What is asked from there is done here.
        let here = Handle::current();
        let asked = threads.run(async move { on(&here, async { getpriority_process(None).unwrap() }).await.unwrap() });
        assert_eq!(asked.await.unwrap(), own);
    }

    #[tokio::test]
    async fn a_call_leaves_when_it_gives_way() {
        let threads = Threads::start().unwrap();
        let name = || std::thread::current().name().map(str::to_owned);
        let here = name();
        let call = async move {
            let first = name();
            tokio::task::yield_now().await;
            (first, name())
        };
        assert_eq!(threads.call(call).await.unwrap(), (here, Some("plugin".to_owned())));
        assert!(threads.call(async { panic!("at once") }).await.is_err());
        let later = async {
            tokio::task::yield_now().await;
            panic!("later")
        };
        assert!(threads.call(later).await.is_err());
    }

    #[tokio::test]
    async fn who_keeps_a_thread_does_not_get_it_again() {
        let threads = Threads::start().unwrap();
        let name = async || std::thread::current().name().map(str::to_owned);
        let here = name().await;
        let long = async move {
            let begun = Instant::now();
            while begun.elapsed() <= A_WHILE {}
            name().await
        };
        assert_eq!(threads.call(long).await.unwrap(), here);
        for _ in 0..KEPT_AWAY {
            assert_eq!(threads.call(name()).await.unwrap().as_deref(), Some("plugin"));
        }
        assert_eq!(threads.call(name()).await.unwrap(), here, "it may have been the machine");
        let other = threads.for_another();
        threads.kept_away.store(KEPT_AWAY, Ordering::Relaxed);
        assert_eq!(other.call(name()).await.unwrap(), here);
    }

    #[tokio::test]
    async fn who_does_not_wait_any_more_ends_it() {
        let threads = Threads::start().unwrap();
        let (begun, has_begun) = oneshot::channel();
        let (held, is_dropped) = oneshot::channel::<()>();
        let work = threads.run(async move {
            let _held = held;
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        tokio::select! {
            _ = work => unreachable!("it waits for ever"),
            begun = has_begun => begun.unwrap(),
        }
        assert!(is_dropped.await.is_err());
        assert!(threads.run(async { panic!("once") }).await.is_err());
        assert_eq!(threads.run(async { 1 }).await.unwrap(), 1, "they go on");
    }
}
