//! Compiles components and keeps the result.
//!
//! Compiled code is machine code: whoever may write the folder may run code in the server. So the folder is the
//! server's own (mode 0700), what is in it was written by this module alone, and a plugin's author never gets
//! anything in but a component that was validated and compiled here. The reasons are in
//! `docs/decisions/0002-compiled-plugins.md`.

use std::fs::{self, File, OpenOptions};
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

use crate::error::HostError;

/// The folder of compiled components, for one engine.
#[derive(Clone)]
pub(crate) struct Cache {
    engine: Engine,
    folder: PathBuf,
    engine_key: String,
    /// Compilation already uses every core, so one at a time.
    turn: Arc<Semaphore>,
}

impl Cache {
    pub(crate) fn open(engine: &Engine, folder: PathBuf) -> Result<Cache, HostError> {
        prepare(&folder).map_err(|message| HostError::Cache { path: folder.clone(), message })?;
        let engine_key = engine_key(engine);
        Ok(Cache { engine: engine.clone(), folder, engine_key, turn: Arc::new(Semaphore::new(1)) })
    }

    /// The component, from the folder where it is there. `sha256` is the digest of `wasm` in hexadecimal.
    pub(crate) async fn component(&self, wasm: Vec<u8>, sha256: &str, limit: Duration) -> Result<Component, String> {
        let path = self.folder.join(format!("{sha256}-{}.cwasm", self.engine_key));
        let Ok(turn) = tokio::time::timeout(limit, self.turn.clone().acquire_owned()).await else {
            return Err(format!("another plugin has been compiling for {limit:?}; start the portal again without it"));
        };
        let turn = turn.map_err(|error| error.to_string())?;
        let engine = self.engine.clone();
        let work = tokio::task::spawn_blocking(move || {
            let component = load_or_compile(&engine, &path, &wasm);
            drop(turn);
            component
        });
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(format!("the compiler failed: {error}")),
            Err(_) => Err(format!(
                "compiling it takes longer than {limit:?}; make the component smaller, or raise `compileTime` in its \
                 limits"
            )),
        }
    }
}

fn load_or_compile(engine: &Engine, path: &Path, wasm: &[u8]) -> Result<Component, String> {
    if path.exists() {
        match load(engine, path) {
            Ok(component) => return Ok(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled plugin cannot be loaded; compiling it again");
            }
        }
    }
    let component = Component::from_binary(engine, wasm)
        .map_err(|error| format!("the engine does not accept the component: {error:#}"))?;
    // The component in memory is as good as the one on disk, so a full disk must not stop the plugin.
    if let Err(error) = write(path, &component) {
        tracing::warn!(path = %path.display(), %error, "a compiled plugin cannot be kept");
    }
    Ok(component)
}

/// The one place that trusts bytes to be machine code.
#[expect(
    unsafe_code,
    reason = "compiled code can only be loaded unsafely; see docs/decisions/0002-compiled-plugins.md"
)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is whole and of our own making. `write` alone puts files under this name, and only by renaming
    // one that was completely written and synchronised; `prepare` made sure that nobody else may write the folder.
    // The name carries the digest of the component and the hash of the engine's version and configuration, and the
    // engine checks the latter again in the file's header.
    unsafe { Component::deserialize_file(engine, path) }
}

fn write(path: &Path, component: &Component) -> Result<(), String> {
    let bytes = component.serialize().map_err(|error| format!("{error:#}"))?;
    let temporary = path.with_extension(format!("{:016x}.tmp", rand::random::<u64>()));
    let written =
        write_file(&temporary, &bytes).and_then(|()| fs::rename(&temporary, path)).map_err(|error| error.to_string());
    if written.is_err() {
        // What is left of a failed attempt is never loaded; that it cannot be removed either is not worth a second
        // message.
        drop(fs::remove_file(&temporary));
    }
    written
}

fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the folder, or makes sure that an existing one belongs to this process' user and to nobody else.
fn prepare(folder: &Path) -> Result<(), String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("it cannot be created: {error}"))?;
    let probe = folder.join(format!("{:016x}.tmp", rand::random::<u64>()));
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
        for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.extension().is_some_and(|extension| extension == "cwasm") {
                fs::remove_file(&path).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// Changes with the engine's version and with every setting that compiled code depends on.
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
    let mut key = hex::encode(hasher.0.finalize());
    key.truncate(16);
    key
}
