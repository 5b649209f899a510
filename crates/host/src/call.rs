//! One call of a plugin: a fresh instance, bounded in time, memory and output, dropped afterwards.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_egress::Credential;
use futures::FutureExt;
use futures::future::BoxFuture;
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

/// Which function is called, for whom, and for how long.
pub(crate) struct Target<'a> {
    pub(crate) extension_point: &'static str,
    pub(crate) function: &'static str,
    pub(crate) acting: &'a Acting,
    pub(crate) limit: Duration,
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
        guest: impl for<'a> FnOnce(&'a mut Store<CallState>, Instance, types::Context) -> BoxFuture<'a, Returned<T>>,
        check: impl FnOnce(T) -> Result<U, String>,
    ) -> Result<U, PluginError> {
        self.call_with(target, Carried::default(), guest, check).await
    }

    /// The same for a call that carries something.
    pub(crate) async fn call_with<T, U>(
        &self,
        target: Target<'_>,
        carried: Carried,
        guest: impl for<'a> FnOnce(&'a mut Store<CallState>, Instance, types::Context) -> BoxFuture<'a, Returned<T>>,
        check: impl FnOnce(T) -> Result<U, String>,
    ) -> Result<U, PluginError> {
        let running = self.inner.stats.begin((target.extension_point, target.function));
        let span = spans::call(&self.inner, &target);
        let mut seen = Seen::default();
        let result = self
            .attempt(&target, carried, &mut seen, guest)
            .instrument(span.clone())
            .await
            .and_then(|value| check(value).map_err(|message| (ErrorKind::Output, message)));
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

    async fn attempt<T>(
        &self,
        target: &Target<'_>,
        carried: Carried,
        seen: &mut Seen,
        guest: impl for<'a> FnOnce(&'a mut Store<CallState>, Instance, types::Context) -> BoxFuture<'a, Returned<T>>,
    ) -> Result<T, (ErrorKind, String)> {
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
        let deadline = started + target.limit;
        let turns = tokio::time::timeout_at((started + target.limit / 2).into(), async {
            Ok::<_, tokio::sync::AcquireError>((inner.calls.acquire().await?, inner.instances.acquire().await?))
        });
        // The semaphores are never closed, so the only way to fail is time.
        let Ok(Ok(_turns)) = turns.await else {
            let message = format!(
                "{} calls of it are under way, and none ended within {:?}",
                inner.limits.concurrent_calls,
                target.limit / 2
            );
            return Err((ErrorKind::Busy, message));
        };

        let request_id = format!("{:016x}", rand::random::<u64>());
        seen.request.clone_from(&request_id);
        let (mut store, log) = self.store(&request_id, target, carried, deadline);
        let context = types::Context {
            plugin_id: inner.id.clone(),
            request_id,
            user: target.acting.user.clone(),
            deadline_ms: u64::try_from(target.limit.as_millis()).unwrap_or(u64::MAX),
        };
        let running = async {
            let instance = inner.pre.instantiate_async(&mut store).await?;
            guest(&mut store, instance, context).await
        };
        let ended = tokio::time::timeout_at(deadline.into(), AssertUnwindSafe(running).catch_unwind()).await;
        let refused_memory = store.data().memory.refused;
        seen.peak_memory = store.data().memory.held;
        // Nothing of an instance outlives its call, least of all after a fault.
        drop(store);
        let written = log.finish();
        match ended {
            Err(_) => {
                Err((ErrorKind::Deadline, format!("it did not answer within {:?} and was stopped", target.limit)))
            }
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

    fn store(
        &self,
        request_id: &str,
        target: &Target<'_>,
        carried: Carried,
        deadline: Instant,
    ) -> (Store<CallState>, GuestLog) {
        let inner = &self.inner;
        let called = (target.extension_point, target.function);
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
            acting: target.acting.clone(),
            carried,
            deadline,
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
