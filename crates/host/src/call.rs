//! One call of a plugin: a fresh instance, bounded in time, memory and output, dropped afterwards.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_egress::Credential;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{AcquireError, OwnedSemaphorePermit};
use tracing::Instrument;
use wasmtime::component::{Instance, ResourceTable};
use wasmtime::{Store, Trap};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

use crate::acting::Acting;
use crate::bindings::types;
use crate::call::memory::MemoryGuard;
use crate::call::output::GuestLog;
use crate::error::{ErrorKind, GuestError, PluginError};
use crate::extension::scaffolder_actions::TaskLog;
use crate::limits;
use crate::plugin::{Inner, Plugin};
use crate::spans;
use crate::stats::{self, Seen, backtrace};
use crate::threads::{self, Ended};
use crate::workspace::Workspace;

pub(crate) mod clock;
mod memory;
pub(crate) mod output;

/// What the host's functions know about the call that they serve.
pub(crate) struct CallState {
    pub(crate) plugin: Arc<Inner>,
    pub(crate) acting: Acting,
    pub(crate) carried: Carried,
    pub(crate) deadline: Instant,
    /// The threads that the call came from: what the guest asks for is done there.
    pub(crate) portal: Handle,
    /// Whether the guest has asked for anything that another call might be answered differently: what it says then
    /// depends on more than what it was handed.
    pub(crate) has_asked: bool,
    pub(crate) log: GuestLog,
    pub(crate) table: ResourceTable,
    memory: MemoryGuard,
    wasi: WasiCtx,
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl CallState {
    /// Has what the guest asked for done by the portal's threads. It ends with the call.
    pub(crate) fn ask<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        work: W,
    ) -> impl Future<Output = wasmtime::Result<T>> + Send + use<T, W> {
        let portal = self.portal.clone();
        async move {
            let done = threads::on(&portal, work).await;
            done.map_err(|Ended| wasmtime::format_err!("what the guest asked for ended early"))
        }
    }
}

/// Which function is called, for whom, and for how long.
pub(crate) struct Target<'a> {
    pub(crate) extension_point: &'static str,
    pub(crate) function: &'static str,
    pub(crate) acting: &'a Acting,
    pub(crate) limit: Duration,
}

/// What goes along to the thread that runs the guest.
struct Begun {
    extension_point: &'static str,
    function: &'static str,
    acting: Acting,
    limit: Duration,
    deadline: Instant,
    portal: Handle,
    carried: Carried,
}

/// That a call may be made now. Others wait until it is dropped.
struct Turn {
    deadline: Instant,
    _call: OwnedSemaphorePermit,
    _instance: OwnedSemaphorePermit,
}

/// What some calls have beside their arguments. No other call reaches it, and it ends with the call.
#[derive(Clone, Default)]
pub(crate) struct Carried {
    /// The folder of a scaffolder task's attempt.
    pub(crate) workspace: Option<Arc<Workspace>>,
    /// Where the guest's lines go; the portal's log where there is none.
    pub(crate) log: Option<Arc<dyn TaskLog>>,
    /// What is behind the handles that this call was given.
    pub(crate) secrets: Vec<Credential>,
}

/// What the guest's function returned: the engine's error, the guest's own, or its value.
type Returned<T> = wasmtime::Result<Result<T, types::Error>>;

/// Calls a function of the guest's.
pub(crate) trait Guest<T>:
    for<'a> FnOnce(&'a mut Store<CallState>, Instance, types::Context) -> BoxFuture<'a, Returned<T>> + Send + 'static
{
}

impl<T, F> Guest<T> for F where
    F: for<'a> FnOnce(&'a mut Store<CallState>, Instance, types::Context) -> BoxFuture<'a, Returned<T>>
        + Send
        + 'static
{
}

impl Plugin {
    /// Does what each call begins with and ends in, and calls nothing: an instance is made, bounded and dropped. For
    /// those who measure.
    ///
    /// # Errors
    /// It is suspended, or busy.
    #[doc(hidden)]
    pub async fn instantiate(&self, acting: &Acting) -> Result<(), PluginError> {
        let limit = self.inner.limits.ui_deadline;
        let target = Target { extension_point: "none", function: "none", acting, limit };
        self.call(target, |_, _, _| Box::pin(async { Ok(Ok(())) }), Ok).await
    }

    /// Calls the guest and then `check`s what it handed over; what the check finds counts as the guest's fault.
    pub(crate) async fn call<T, U>(
        &self,
        target: Target<'_>,
        guest: impl Guest<T>,
        check: impl FnOnce(T) -> Result<U, String> + Send + 'static,
    ) -> Result<U, PluginError>
    where
        T: Send + 'static,
        U: Send + 'static,
    {
        self.call_with(target, Carried::default(), guest, check).await
    }

    /// The same for a call that carries something.
    pub(crate) async fn call_with<T, U>(
        &self,
        target: Target<'_>,
        carried: Carried,
        guest: impl Guest<T>,
        check: impl FnOnce(T) -> Result<U, String> + Send + 'static,
    ) -> Result<U, PluginError>
    where
        T: Send + 'static,
        U: Send + 'static,
    {
        let running = self.inner.stats.begin((target.extension_point, target.function));
        let span = spans::call(&self.inner, &target);
        let Target { extension_point, function, acting, limit } = target;
        let attempt = async {
            let turn = self.turn(limit).await.map_err(|refused| (refused, Seen::default()))?;
            let (acting, deadline, portal) = (acting.clone(), turn.deadline, Handle::current());
            let begun = Begun { extension_point, function, acting, limit, deadline, portal, carried };
            let plugin = self.clone();
            let work = async move {
                let mut seen = Seen::default();
                let returned = plugin.attempt(begun, &mut seen, guest).await;
                drop(turn);
                let checked = returned.and_then(|value| check(value).map_err(|error| (ErrorKind::Output, error)));
                match checked {
                    Ok(value) => Ok((value, seen)),
                    Err(error) => Err((error, seen)),
                }
            };
            self.inner.threads.call(work).await.unwrap_or_else(|Ended| {
                let message = "the engine failed while it ran; this is a fault of the portal".to_owned();
                Err(((ErrorKind::Trap, message), Seen::default()))
            })
        };
        let (result, seen) = match attempt.instrument(span.clone()).await {
            Ok((value, seen)) => (Ok(value), seen),
            Err((error, seen)) => (Err(error), seen),
        };
        spans::ended(&span, &seen.request, result.as_ref().err());
        match &result {
            Ok(_) => running.end(stats::OK, &seen),
            Err((kind, message)) if kind.is_fault() => running.end_in_fault(kind, message, seen),
            Err((kind, _)) => running.end(kind.class(), &seen),
        }
        let mut breaker = self.inner.breaker();
        match &result {
            Ok(_) => breaker.success(),
            Err((kind, message)) if kind.is_fault() => breaker.fault(Instant::now(), message),
            // The guest ran and answered, so it works.
            Err((ErrorKind::Guest(_), _)) => breaker.success(),
            Err(_) => {}
        }
        drop(breaker);
        result.map_err(|(kind, message)| self.error(&target, kind, message))
    }

    pub(crate) fn error(&self, target: &Target<'_>, kind: ErrorKind, message: String) -> PluginError {
        PluginError {
            plugin: self.inner.id.clone(),
            extension_point: target.extension_point,
            function: target.function,
            kind,
            message,
        }
    }

    /// Waits until it may be called. That is done where the call comes from: guests that compute do not hold it up.
    async fn turn(&self, limit: Duration) -> Result<Turn, (ErrorKind, String)> {
        let inner = &self.inner;
        if let Some(suspension) = self.suspension() {
            let seconds = suspension.remaining.as_secs() + 1;
            let message = format!(
                "it failed again and again and is not called for another {seconds} s; the last fault: {}",
                suspension.reason
            );
            return Err((ErrorKind::Suspended { remaining: suspension.remaining }, message));
        }
        // Half of the time at most goes into waiting, so that a call that begins has a chance to end.
        let started = Instant::now();
        let turns = tokio::time::timeout_at((started + limit / 2).into(), async {
            let (calls, instances) = (inner.calls.clone(), inner.instances.clone());
            Ok::<_, AcquireError>((calls.acquire_owned().await?, instances.acquire_owned().await?))
        });
        // The semaphores are never closed, so the only way to fail is time.
        let Ok(Ok((call, instance))) = turns.await else {
            let message = format!(
                "{} calls of it are under way, and none ended within {:?}",
                inner.limits.concurrent_calls,
                limit / 2
            );
            return Err((ErrorKind::Busy, message));
        };
        Ok(Turn { deadline: started + limit, _call: call, _instance: instance })
    }

    async fn attempt<T>(&self, begun: Begun, seen: &mut Seen, guest: impl Guest<T>) -> Result<T, (ErrorKind, String)> {
        let (inner, limit, deadline) = (&self.inner, begun.limit, begun.deadline);
        let request_id = format!("{:016x}", rand::random::<u64>());
        seen.request.clone_from(&request_id);
        let context = types::Context {
            plugin_id: inner.id.clone(),
            request_id: request_id.clone(),
            user: begun.acting.user.clone(),
            deadline_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        };
        let (mut store, log) = self.store(&request_id, begun);
        let ticking = inner.ticker.begin();
        let running = async {
            let instance = inner.pre.instantiate_async(&mut store).await?;
            guest(&mut store, instance, context).await
        };
        let ended = tokio::time::timeout_at(deadline.into(), AssertUnwindSafe(running).catch_unwind()).await;
        let refused_memory = store.data().memory.refused;
        seen.peak_memory = store.data().memory.held;
        drop(ticking);
        // Nothing of an instance outlives its call, least of all after a fault.
        drop(store);
        let written = log.finish();
        match ended {
            Err(_) => Err((ErrorKind::Deadline, format!("it did not answer within {limit:?} and was stopped"))),
            Ok(Err(_panic)) => {
                Err((ErrorKind::Trap, "the engine failed while it ran; this is a fault of the portal".to_owned()))
            }
            Ok(Ok(Err(error))) => {
                seen.backtrace = backtrace::frames(&error);
                Err(fault(&error, refused_memory, inner.limits.memory, &written))
            }
            Ok(Ok(Ok(Err(error)))) => Err(guest_error(error)),
            Ok(Ok(Ok(Ok(value)))) => Ok(value),
        }
    }

    fn store(&self, request_id: &str, begun: Begun) -> (Store<CallState>, GuestLog) {
        let inner = &self.inner;
        let Begun { extension_point, function, acting, deadline, portal, carried, .. } = begun;
        let called = (extension_point, function);
        let log =
            GuestLog::new(&inner.id, request_id, called, &inner.stats, inner.limits.log_bytes, carried.log.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::RESOURCES);
        // No arguments, no variables, no input, no folder, no network: the builder's own defaults.
        let wasi = WasiCtx::builder()
            .stdout(log.clone())
            .stderr(log.clone())
            .max_random_size(64 * 1024)
            .wall_clock(inner.wall_clock)
            .monotonic_clock(clock::CoarseSince::now())
            .build();
        let state = CallState {
            plugin: inner.clone(),
            acting,
            carried,
            deadline,
            portal,
            has_asked: false,
            log: log.clone(),
            table,
            memory: MemoryGuard::new(inner.limits.memory, inner.stats.clone()),
            wasi,
        };
        let mut store = Store::new(inner.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits::HOST_CALL_FUEL);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        (store, log)
    }
}

fn fault(error: &wasmtime::Error, refused_memory: Option<usize>, memory: usize, written: &str) -> (ErrorKind, String) {
    if let Some(wanted) = refused_memory {
        let message = format!("it wanted {wanted} bytes of memory, may have {memory} bytes, and was stopped");
        return (ErrorKind::Memory, message);
    }
    let text = format!("{error:#}");
    if text.contains("too much data is being copied between the host and the guest") {
        let message = format!("it handed over more than {} bytes at once and was stopped", limits::HOST_CALL_FUEL);
        return (ErrorKind::TooMuchData, message);
    }
    if error.downcast_ref::<I32Exit>().is_some() {
        return (ErrorKind::Trap, "it called exit, which ends a call as a fault".to_owned());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => {
            (ErrorKind::Stack, "its calls nested too deeply for the stack and it was stopped".to_owned())
        }
        Some(Trap::UnreachableCodeReached) if !written.is_empty() => {
            (ErrorKind::Trap, format!("it gave up: {written}"))
        }
        Some(trap) => (ErrorKind::Trap, format!("it trapped: {trap}")),
        None => (ErrorKind::Trap, format!("it was stopped: {}", error.root_cause())),
    }
}

fn guest_error(error: types::Error) -> (ErrorKind, String) {
    let (kind, message) = match error {
        types::Error::Denied(message) => (GuestError::Denied, message),
        types::Error::Invalid(message) => (GuestError::Invalid, message),
        types::Error::NotFound(message) => (GuestError::NotFound, message),
        types::Error::Unavailable(message) => (GuestError::Unavailable, message),
        types::Error::Throttled(message) => (GuestError::Throttled, message),
        types::Error::TooLarge(message) => (GuestError::TooLarge, message),
        types::Error::Other(types::Failure { code, message }) => {
            (GuestError::Other { code: output::clean(&code, 200) }, message)
        }
    };
    (ErrorKind::Guest(kind), output::clean(&message, MESSAGE_CHARACTERS))
}

/// What of a guest's error message is shown and stored.
const MESSAGE_CHARACTERS: usize = 4_000;
