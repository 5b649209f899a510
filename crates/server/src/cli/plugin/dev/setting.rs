//! The portal that a plugin is shown in while its author works on it: its configuration, and where it keeps things.

use std::path::{Path, PathBuf};

use callboard_host::Inspection;
use serde_json::json;

use super::super::add::grant_value;
use super::super::new::{APP_CONFIG, EXAMPLE, fill};
use crate::cli::Failure;
use crate::config::sources::Sources;
use crate::config::{Config, Loaded, load};

/// So many compiled versions of the plugin are kept from one time to the next.
const COMPILED: usize = 8;

/// How many faults in a row a plugin may have before it is suspended: as many as a limit can say, since an author wants
/// to see each of them, and no version taken back.
const FAULTS: u32 = 1000;

/// The files of the portal, in a folder of the build's.
pub(super) struct Setting {
    folder: PathBuf,
    /// What app-config says without us.
    sources: Sources,
    strict: bool,
}

impl Setting {
    /// For the plugin in `plugin`, whose component was built into `component`'s folder. The configuration is that of
    /// `files`, or of the plugin's folder; where it has none, one with an example in it.
    pub(super) fn prepare(
        plugin: &Path,
        component: &Path,
        files: Vec<PathBuf>,
        strict: bool,
    ) -> Result<Setting, Failure> {
        // target/wasm32-wasip2/debug/notes.wasm
        let target = component.ancestors().nth(3).unwrap_or(plugin);
        let folder = target.join("callboard-dev");
        std::fs::create_dir_all(folder.join("data"))?;
        forget_compiled(&folder.join("data/cache"))?;
        let mut sources = Sources::of_process(files)?;
        if sources.files.is_empty() {
            sources.dir = plugin.to_owned();
            sources.files = sources.files_there();
        }
        if sources.files.is_empty() {
            let id = "plugin";
            std::fs::write(folder.join("app-config.yaml"), fill(APP_CONFIG, id, ""))?;
            std::fs::write(folder.join("example.yaml"), fill(EXAMPLE, id, ""))?;
            sources.files.push(folder.join("app-config.yaml"));
        }
        sources.files.push(folder.join("dev.json"));
        Ok(Setting { folder, sources, strict })
    }

    /// Puts a component in its place, and grants it what its manifest asks for.
    pub(super) fn put(&self, component: &[u8], inspection: &Inspection) -> Result<Config, Failure> {
        let manifest = &inspection.manifest;
        let place = self.folder.join(format!("{}.wasm", manifest.id));
        write(&place, component)?;
        let layer = json!({
            // Wherever the portal of this configuration is, this one is here.
            "app": { "baseUrl": null },
            "backend": { "baseUrl": null },
            "host": { "limits": { "faultsBeforeSuspension": FAULTS } },
            "plugins": { manifest.id.as_str(): {
                "source": place.display().to_string(),
                "version": null,
                "enabled": true,
                "grant": grant_value(&manifest.rights)?,
            } },
        });
        write(&self.folder.join("dev.json"), layer.to_string().as_bytes())?;
        let Loaded { config, report } = load(&self.sources);
        config
            .filter(|_| report.is_accepted(self.strict))
            .ok_or_else(|| Failure::Config(format!("the configuration is not accepted.\n{report}")))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the portal is configured with, but for what is written here.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let all = self.sources.files.iter().map(|file| self.sources.dir.join(file));
        all.filter(|file| !file.starts_with(&self.folder)).collect()
    }

    pub(super) fn sources(&self) -> Sources {
        self.sources.clone()
    }
}

/// Whole or not at all: the portal may look at any time.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, bytes)?;
    std::fs::rename(&new, path)
}

/// Each save leaves a compiled component, of which few are ever wanted again.
fn forget_compiled(folder: &Path) -> std::io::Result<()> {
    let mut compiled = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            compiled.push((path.metadata()?.modified()?, path));
        }
    }
    compiled.sort();
    let old = compiled.len().saturating_sub(COMPILED);
    compiled.iter().take(old).try_for_each(|(_, path)| std::fs::remove_file(path))
}
