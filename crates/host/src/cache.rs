//! Compiles components and keeps the result.
//!
//! Compiled code is machine code: whoever may write the folder may run code in the server. So the folder is the
//! server's own (mode 0700), what is in it was written by this module alone, and a plugin's author never gets
//! anything in but a component that was validated and compiled here. The reasons are in
//! `docs/decisions/0002-compiled-plugins.md`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compile::{Bounds, Compiler, Refused};
use crate::error::HostError;
use crate::interfaces;
use crate::limits::COMPILE_QUEUE;

/// The folder of compiled components, for one engine.
#[derive(Clone)]
pub(crate) struct Cache {
    engine: Engine,
    compiler: Compiler,
    folder: PathBuf,
    engine_key: String,
    /// Compilation already uses every core, so one at a time. This is the queue of this process; the lock on the
    /// folder is that of all processes that share it.
    turn: Arc<Semaphore>,
}

impl Cache {
    pub(crate) fn open(engine: &Engine, compiler: Compiler, folder: PathBuf) -> Result<Cache, HostError> {
        prepare(&folder).map_err(|message| HostError::Cache { path: folder.clone(), message })?;
        let engine_key = engine_key(engine);
        Ok(Cache { engine: engine.clone(), compiler, folder, engine_key, turn: Arc::new(Semaphore::new(1)) })
    }

    /// The component, from the folder where it is there. `sha256` is the digest of `wasm` in hexadecimal. Whoever asks
    /// for the same component at the same time, in this process or in another one, waits and gets what the first one
    /// compiled.
    pub(crate) async fn component(&self, wasm: Vec<u8>, sha256: &str, bounds: Bounds) -> Result<Component, Refused> {
        let path = self.folder.join(format!("{sha256}-{}.cwasm", self.engine_key));
        if let Some(component) = self.kept(&path).await? {
            return Ok(component);
        }
        let Ok(turn) = tokio::time::timeout(COMPILE_QUEUE, self.turn()).await else {
            return Err(Refused::Compile(format!(
                "other plugins have been compiling for {} s; start the portal again without them",
                COMPILE_QUEUE.as_secs()
            )));
        };
        let _turn = turn?;
        if let Some(component) = self.kept(&path).await? {
            return Ok(component);
        }
        self.compile(wasm, &path, bounds).await?;
        // What the engine compiles and does not take has more memories, tables or instances than its pool has slots.
        let component = self.load(&path).await?;
        component.map_err(|error| format!("the engine does not accept the component: {error:#}").into())
    }

    /// The only one to compile, among all who share the folder, until both are dropped.
    async fn turn(&self) -> Result<(tokio::sync::OwnedSemaphorePermit, File), String> {
        let turn = self.turn.clone().acquire_owned().await.map_err(|error| error.to_string())?;
        let unusable = |error: std::io::Error| format!("the folder for compiled plugins cannot be locked: {error}");
        let folder = File::open(&self.folder).map_err(unusable)?;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok((turn, folder)),
                // The system has no way to wait for a lock for a while, and a thread that waits for ever would keep
                // the process from ending.
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
    }

    /// What is in the folder under that name; none where there is nothing that the engine takes.
    async fn kept(&self, path: &Path) -> Result<Option<Component>, String> {
        if !path.exists() {
            return Ok(None);
        }
        let component = self.load(path).await?;
        Ok(component.map_err(|error| {
            tracing::warn!(path = %path.display(), %error, "a compiled plugin cannot be loaded; compiling it again");
        }).ok())
    }

    async fn load(&self, path: &Path) -> Result<wasmtime::Result<Component>, String> {
        let (engine, path) = (self.engine.clone(), path.to_owned());
        let loading = tokio::task::spawn_blocking(move || load(&engine, &path));
        loading.await.map_err(|error| format!("a compiled plugin cannot be loaded: {error}"))
    }

    /// Has a process of its own compile the component, and puts the whole result under its name. Needs the turn.
    async fn compile(&self, wasm: Vec<u8>, path: &Path, bounds: Bounds) -> Result<(), Refused> {
        // Nobody else compiles now, so these are of processes that ended in the middle.
        remove_files(&self.folder, "tmp").map_err(|error| error.to_string())?;
        let temporary = path.with_extension(format!("{:016x}.tmp", rand::random::<u64>()));
        let compiled = self.compiler.compile(wasm, &temporary, bounds).await;
        let compiled = compiled.and_then(|()| {
            fs::rename(&temporary, path)
                .map_err(|error| Refused::Compile(format!("the compiled plugin cannot be kept: {error}")))
        });
        if compiled.is_err() {
            // What is left of a failed attempt is never loaded; that it cannot be removed either is not worth a second
            // message.
            drop(fs::remove_file(&temporary));
        }
        compiled
    }
}

/// The one place that trusts bytes to be machine code.
#[expect(
    unsafe_code,
    reason = "compiled code can only be loaded unsafely; see docs/decisions/0002-compiled-plugins.md"
)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is whole and of our own making. `Cache::compile` alone puts files under this name, and only by
    // renaming one that our own program completely wrote and synchronised; `prepare` made sure that nobody else may write the folder.
    // The name carries the digest of the component and the hash of the engine's version and configuration, and the
    // engine checks the latter again in the file's header.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Writes a file that nobody else reads, whole or with an error.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn remove_files(folder: &Path, extension: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == extension) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Makes the folder, or makes sure that an existing one belongs to this process' user and to nobody else.
fn prepare(folder: &Path) -> Result<(), String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("it cannot be created: {error}"))?;
    let probe = folder.join(format!("{:016x}.probe", rand::random::<u64>()));
    write_file(&probe, b"").map_err(|error| format!("it cannot be written: {error}"))?;
    let mine = fs::metadata(&probe).map_err(|error| error.to_string())?.uid();
    fs::remove_file(&probe).map_err(|error| format!("it cannot be written: {error}"))?;
    let metadata = fs::metadata(folder).map_err(|error| error.to_string())?;
    if metadata.uid() != mine {
        return Err(format!(
            "it belongs to the user with the id {}, but compiled plugins may only be in a folder of the server's own \
             user ({mine}). Remove it or choose another data folder",
            metadata.uid()
        ));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| format!("others may write it, and that cannot be changed: {error}"))?;
        // Whatever others may have put there is not ours.
        remove_files(folder, "cwasm").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Changes with the engine's version, with every setting that compiled code depends on, and with the interfaces that
/// a component was compared with before it was compiled.
fn engine_key(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.write(interfaces::OF_THIS_PORTAL.as_bytes());
    let mut key = hex::encode(hasher.0.finalize());
    key.truncate(16);
    key
}
