//! What the commands about plugins work on: app-config, the lock, and where plugins come from.

use std::path::{Path, PathBuf};

use callboard_artifact::{Fetcher, Lock};
use callboard_egress::{Egress, Settings};
use callboard_model::yaml;

use super::shown::plain;
use crate::cli::{ConfigFiles, Failure};
use crate::config::edit::EditError;
use crate::config::sources::Sources;
use crate::config::{Config, Loaded, PluginConfig, load};
use crate::plugins::origin::{LOCK_FILE, Origin};

/// The configuration as it is, and what of it may be changed.
pub(in crate::cli) struct Desk {
    pub(in crate::cli) config: Config,
    pub(in crate::cli) origin: Origin,
    sources: Sources,
}

impl Desk {
    /// Reads app-config and the lock.
    pub(in crate::cli) fn open(files: &ConfigFiles) -> Result<Desk, Failure> {
        let sources = files.sources()?;
        let Loaded { config, report } = load(&sources);
        let Some(config) = config.filter(|_| report.is_accepted(files.strict)) else {
            return Err(Failure::Config(format!("the configuration is not accepted.\n{report}")));
        };
        let settings = Settings::from_values(&config.backend.reading, &config.integrations, &config.aws);
        let egress = settings
            .map_err(|error| error.to_string())
            .and_then(|settings| Egress::new(settings).map_err(|error| error.to_string()));
        let egress = egress.map_err(|error| Failure::Config(format!("app-config, {error}")))?;
        let origin = Origin::of(&config, &egress);
        Ok(Desk { config, origin, sources })
    }

    /// A plugin of app-config.
    pub(super) fn plugin(&self, id: &str) -> Result<&PluginConfig, Failure> {
        self.config.plugin(id).ok_or_else(|| {
            let ids: Vec<&str> = self.config.plugins.iter().map(|plugin| plugin.id.as_str()).collect();
            let there = if ids.is_empty() { "it has none".to_owned() } else { format!("it has {}", ids.join(", ")) };
            Failure::Plugin(format!("app-config has no plugin `{}`; {there}", plain(id)))
        })
    }

    /// Those of these plugins that come from elsewhere; of all where none is named.
    pub(super) fn remote(&self, ids: &[String]) -> Result<Vec<PluginConfig>, Failure> {
        let named = ids.iter().map(|id| self.plugin(id)).collect::<Result<Vec<_>, _>>()?;
        if let Some(file) = named.iter().find(|plugin| !plugin.from.is_remote()) {
            return Err(Failure::Plugin(format!(
                "{} is the file {}, which has no versions: build it again, and reload it on its page",
                file.id, file.source
            )));
        }
        let all = self.config.plugins.iter().filter(|plugin| plugin.from.is_remote());
        Ok(if ids.is_empty() { all.cloned().collect() } else { named.into_iter().cloned().collect() })
    }

    /// What was approved, to be changed.
    pub(super) fn lock(&self) -> Result<Lock, Failure> {
        self.origin.lock.clone().map_err(Failure::Plugin)
    }

    pub(super) fn fetcher(&self) -> Result<&Fetcher, Failure> {
        self.origin.fetcher.as_ref().map_err(|error| Failure::Plugin(error.clone()))
    }

    pub(super) fn write_lock(&self, lock: &Lock) -> Result<(), Failure> {
        lock.write(&self.config.path(LOCK_FILE)).map_err(|error| Failure::Plugin(error.to_string()))
    }

    /// Changes the file of app-config that a plugin is in, or is to be in, and says which that is.
    pub(super) fn edit(
        &self,
        id: &str,
        change: impl FnOnce(&str) -> Result<String, EditError>,
    ) -> Result<PathBuf, Failure> {
        let path = self.file_of(id)?;
        let file = path.display().to_string();
        let fail = |message: String| Failure::File { file: file.clone(), message };
        let text = std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
        let edited = change(&text).map_err(|error| fail(error.to_string()))?;
        if edited != text {
            replace(&path, &edited).map_err(|error| fail(error.to_string()))?;
        }
        Ok(path)
    }

    /// The highest layer that has the plugin, or the lowest that has any, or the lowest.
    fn file_of(&self, id: &str) -> Result<PathBuf, Failure> {
        let files = self.sources.files_there();
        let has = |path: &&PathBuf, key: &[&str]| {
            let value = std::fs::read_to_string(path).ok().and_then(|text| yaml::value(&text).ok());
            value.is_some_and(|value| key.iter().try_fold(&value, |value, key| value.get(key)).is_some())
        };
        let found = files.iter().rev().find(|path| has(path, &["plugins", id]));
        let found = found.or_else(|| files.iter().find(|path| has(path, &["plugins"]))).or(files.first());
        found.cloned().ok_or_else(|| Failure::Config("there is no app-config file to change".to_owned()))
    }
}

/// Writes a file at once and whole, with the rights that it had.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::write(file.path(), text)?;
    std::fs::set_permissions(file.path(), std::fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
