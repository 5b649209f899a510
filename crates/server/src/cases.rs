//! Test cases of a plugin: what it is asked in the real host, what its upstreams answered, and what it answers.
//!
//! A case is a file `tests/<name>.yaml` of the plugin's folder. Beside it are `<name>.cassette.yaml`, the requests that it
//! sent and their answers, and `<name>.golden.json`, what it answered. Host, catalog, store and egress are the portal's own;
//! only the network is not there, unless a cassette is recorded.

mod cassette;
mod file;
mod golden;
mod play;
mod record;
mod replay;
mod stage;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callboard_egress::Egress;
use chrono::{DateTime, SubsecRound, Utc};

use self::cassette::Cassette;
use self::file::File;
use self::record::Recorder;
use self::values::Values;

pub(crate) use self::golden::{Compared, Golden};
pub(crate) use self::play::Played;
pub(crate) use self::replay::Player;
pub(crate) use self::stage::{Component, Stage};

/// The folder of a plugin that has its cases.
pub(crate) const FOLDER: &str = "tests";

/// The time of day in a case that says none and has no recording, from which it would be.
const ANY_DAY: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Why a case cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    /// A file of it.
    #[error("{path}: {message}")]
    File {
        /// Which.
        path: String,
        /// What is wrong with it, and where.
        message: String,
    },
    /// The host refuses the plugin.
    #[error(transparent)]
    Load(#[from] callboard_host::LoadError),
    /// What a portal has around a plugin could not be put up.
    #[error("{what}: {message}")]
    Stage {
        /// Which part of it.
        what: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A call that ended otherwise than with an answer of the plugin's.
    #[error("{place}: {message}")]
    Call {
        /// Which of the case's calls.
        place: String,
        /// What happened.
        message: String,
    },
}

/// A case, read.
pub(crate) struct Case {
    pub(crate) name: String,
    path: PathBuf,
    file: File,
}

impl Case {
    /// The cases of a plugin's folder, by their names.
    pub(crate) fn all(folder: &Path) -> Result<Vec<Case>, CaseError> {
        let tests = folder.join(FOLDER);
        let fail = |error: std::io::Error| CaseError::File {
            path: tests.display().to_string(),
            message: format!("{error}; this folder has the plugin's test cases, one YAML file each"),
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&tests).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            if is_yaml && !stem.ends_with(".cassette") {
                paths.push((stem, path));
            }
        }
        paths.sort();
        paths.into_iter().map(|(name, path)| Ok(Case { name, file: File::read(&path)?, path })).collect()
    }

    pub(crate) fn cassette_path(&self) -> PathBuf {
        self.path.with_extension("cassette.yaml")
    }

    pub(crate) fn golden_path(&self) -> PathBuf {
        self.path.with_extension("golden.json")
    }

    /// What it answers to what was recorded. No request leaves the process.
    pub(crate) async fn replay(&self, component: &Component) -> Result<Replayed, CaseError> {
        let (stage, player) = self.replaying(component).await?;
        let played = stage.play(&self.file).await;
        Ok(Replayed { complaints: player.complaints(), lines: stage.lines(), played })
    }

    /// The portal around the plugin, with what was recorded in the place of the network.
    pub(crate) async fn replaying(&self, component: &Component) -> Result<(Stage, Arc<Player>), CaseError> {
        let path = self.cassette_path();
        let cassette = Cassette::read(&path)?;
        let now = self.file.now.or(cassette.as_ref().map(|cassette| cassette.recorded_at)).unwrap_or(ANY_DAY);
        let player = Arc::new(Player::new(&path, cassette.unwrap_or_default()));
        let values = self.file.replayed()?;
        let egress = Egress::replaying(values.egress_settings()?, player.clone()).map_err(no_egress)?;
        let stage = Stage::set(component, &self.file, &values, egress, now).await?;
        Ok((stage, player))
    }

    /// Sends its requests for real, and writes its cassette; answers how many requests are on it.
    pub(crate) async fn record(&self, component: &Component) -> Result<usize, CaseError> {
        let recorded_at = Utc::now().trunc_subsecs(0);
        let values = self.file.recorded()?;
        let secrets = values.secrets(&component.inspection.manifest);
        let recorder = Arc::new(Recorder::new(values.stand_ins(&self.file.replayed()?)));
        let egress = Egress::recording(values.egress_settings()?, recorder.clone(), &secrets).map_err(no_egress)?;
        let now = self.file.now.unwrap_or(recorded_at);
        let stage = Stage::set(component, &self.file, &values, egress, now).await?;
        stage.play(&self.file).await?;
        let path = self.cassette_path();
        let cassette = recorder.cassette(recorded_at).map_err(|message| CaseError::Call {
            place: self.name.clone(),
            message: format!("{message}, so {} was not written", path.display()),
        })?;
        cassette.write(&path)?;
        Ok(cassette.exchanges.len())
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// What a case came to.
pub(crate) struct Replayed {
    /// What the plugin answered.
    pub(crate) played: Result<Played, CaseError>,
    /// What is wrong about its requests.
    pub(crate) complaints: Vec<String>,
    /// What it wrote to its log, the newest last.
    pub(crate) lines: Vec<String>,
}

fn no_egress(error: callboard_egress::SettingsError) -> CaseError {
    CaseError::Stage { what: "outgoing requests", message: error.to_string() }
}
