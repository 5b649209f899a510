//! Where plugins come from, with what app-config says of trust, and `callboard.lock` of what was approved.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use callboard_artifact::oci::{FoundBundles, Manifest, Registries};
use callboard_artifact::trust::Trust;
use callboard_artifact::{Fetched, Fetcher, Lock, Locked, SignedBy};
use callboard_egress::Egress;
use serde::{Deserialize, Serialize};

use crate::config::{Config, PluginConfig};

/// The lock's name, in the folder of the first configuration file.
pub(crate) const LOCK_FILE: &str = "callboard.lock";

/// Where plugins come from. What of it cannot be used is an error for those that need it, and for no other.
pub(crate) struct Origin {
    pub(crate) fetcher: Result<Fetcher, String>,
    pub(crate) trust: Result<Trust, String>,
    pub(crate) lock: Result<Lock, String>,
}

/// A component that may be tried.
pub(crate) struct Found {
    pub(crate) wasm: Vec<u8>,
    /// What is kept beside it, to check its signatures again without asking anybody.
    pub(super) signatures: String,
    /// Whose signature was good enough; none where none is asked for.
    pub(super) signed_by: Option<SignedBy>,
}

/// The signatures of a component, as they are kept beside it.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// What is signed where it comes from a registry, in base64.
    manifest: Option<String>,
    /// In base64.
    bundles: Vec<String>,
    passed_over: Vec<String>,
}

impl Origin {
    pub(crate) fn of(config: &Config, egress: &Egress) -> Origin {
        let registries = Registries::new(egress.clone(), config.artifacts.registries.clone());
        Origin {
            fetcher: registries.map(Fetcher::new).map_err(|error| format!("plugins.registries: {error}")),
            trust: Trust::load(&config.artifacts.trust, &config.base_dir).map_err(|error| error.to_string()),
            lock: read_lock(config),
        }
    }

    /// What a plugin's source stands for: a file as it is, anything else as it was approved.
    pub(crate) async fn find(&self, plugin: &PluginConfig) -> Result<Found, String> {
        if !plugin.from.is_remote() {
            return Ok(Found { wasm: read_file(plugin).await?, signatures: "{}".to_owned(), signed_by: None });
        }
        let locked = self.locked(plugin)?;
        let fetcher = self.fetcher.as_ref().map_err(Clone::clone)?;
        let fetched =
            fetcher.fetch_pinned(&plugin.from, locked, &|_, _| {}).await.map_err(|error| error.to_string())?;
        let signed_by = self.trusted(&fetched)?;
        let signatures = serde_json::to_string(&Kept::of(&fetched)).map_err(|error| error.to_string())?;
        Ok(Found { wasm: fetched.bytes.to_vec(), signatures, signed_by })
    }

    /// What was approved of a remote plugin.
    pub(crate) fn locked(&self, plugin: &PluginConfig) -> Result<&Locked, String> {
        let lock = self.lock.as_ref().map_err(Clone::clone)?;
        lock.pinned(&plugin.id, &plugin.from).map_err(|error| error.to_string())
    }

    /// Checks who signed something that has just arrived.
    pub(crate) fn trusted(&self, fetched: &Fetched) -> Result<Option<SignedBy>, String> {
        let trust = self.trust.as_ref().map_err(Clone::clone)?;
        let signed_by = trust.verify(&fetched.bytes, fetched.manifest.as_ref(), &fetched.bundles);
        signed_by.map_err(|error| error.to_string())
    }

    /// Checks who signed something that has been kept: whom the operator trusts may have changed since.
    pub(super) fn still_trusted(&self, wasm: &[u8], signatures: &str) -> Result<Option<SignedBy>, String> {
        let trust = self.trust.as_ref().map_err(Clone::clone)?;
        let kept: Kept = serde_json::from_str(signatures).unwrap_or_default();
        let (manifest, bundles) = kept.read();
        trust.verify(wasm, manifest.as_ref(), &bundles).map_err(|error| error.to_string())
    }
}

/// What is approved.
pub(crate) fn read_lock(config: &Config) -> Result<Lock, String> {
    Lock::read(&config.path(LOCK_FILE)).map_err(|error| error.to_string())
}

async fn read_file(plugin: &PluginConfig) -> Result<Vec<u8>, String> {
    tokio::fs::read(&plugin.path).await.map_err(|error| {
        format!(
            "{} could not be read: {error}. Correct plugins.{}.source in app-config, or build the plugin with \
             `cargo xtask plugin build`",
            plugin.path.display(),
            plugin.id
        )
    })
}

impl Kept {
    fn of(fetched: &Fetched) -> Kept {
        Kept {
            manifest: fetched.manifest.as_ref().map(|manifest| BASE64_STANDARD.encode(&manifest.bytes)),
            bundles: fetched.bundles.bundles.iter().map(|bundle| BASE64_STANDARD.encode(bundle)).collect(),
            passed_over: fetched.bundles.passed_over.clone(),
        }
    }

    fn read(self) -> (Option<Manifest>, FoundBundles) {
        let decode = |text: &String| BASE64_STANDARD.decode(text).ok().map(Bytes::from);
        let manifest = self.manifest.as_ref().and_then(decode).map(Manifest::new);
        let bundles = self.bundles.iter().filter_map(decode).collect();
        (manifest, FoundBundles { bundles, passed_over: self.passed_over })
    }
}
