//! app-config's `catalog`, as far as the engine reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use callboard_model::location_ref::Presence;
use callboard_model::schedule::parse_duration;
use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use crate::limits::{LEASE, LEASE_LEAST};

/// app-config's `catalog`. Keys that the engine does not know are left to others (`catalog.providers`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What is always in the catalog.
    pub locations: Vec<ConfiguredLocation>,
    /// Which kinds may come from where; without them Component, API and Location may.
    pub rules: Option<Vec<Rule>>,
    /// How often sources that cannot tell of changes are read again.
    pub processing_interval: ProcessingInterval,
    /// For how long a replica is believed that says nothing.
    pub replica_timeout: ReplicaTimeout,
    /// What becomes of entities that no source names any more.
    pub orphan_strategy: Strategy,
    /// What becomes of entities of providers that are gone.
    pub orphan_provider_strategy: Strategy,
    /// Locations cannot be registered, changed or removed.
    pub readonly: bool,
    /// What a second registration of the same location does.
    pub default_location_conflict_strategy: OnConflict,
    /// Leaves out what reads the targets of Locations and adds annotations on where an entity is from.
    pub disable_default_processors: bool,
    /// Turns processors off, or sets which come first.
    pub processor_options: BTreeMap<String, ProcessorOptions>,
    /// Turns providers off.
    pub provider_options: BTreeMap<String, ProviderOptions>,
    /// Who may push entities, by name.
    pub push: BTreeMap<String, PushSource>,
    /// Hosts of git repositories beside the public ones. The server sets it from `integrations`.
    #[serde(skip)]
    pub scm_hosts: BTreeMap<String, Scm>,
    /// Relative `file` targets start here. The server sets it to the folder of app-config.
    #[serde(skip)]
    pub base_dir: PathBuf,
}

/// One of `catalog.locations`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfiguredLocation {
    /// `file` or `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A path, in which `*`, `**`, `?`, `[…]` and `{…}` stand for many, or a URL.
    pub target: String,
    /// What else may come from here, beside `catalog.rules`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Whether it is an error when there is nothing there.
    #[serde(default)]
    pub presence: Presence,
}

/// Of `catalog.processorOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessorOptions {
    /// It has no say.
    pub disabled: bool,
    /// Those with less come first, as far as they do not name each other. Without it, 20.
    pub priority: Option<i64>,
}

/// Of `catalog.providerOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderOptions {
    /// It brings nothing in. What it brought is treated as that of a provider that is gone.
    pub disabled: bool,
}

/// The priority of a processor for which app-config does not say one.
pub(crate) const DEFAULT_PRIORITY: i64 = 20;

/// One of `catalog.push`. The token is the server's business.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PushSource {
    /// What else may come from here, beside `catalog.rules`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// A system that keeps git repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Scm {
    /// GitHub, or GitHub Enterprise.
    Github,
    /// GitLab.
    Gitlab,
    /// Bitbucket.
    Bitbucket,
    /// Azure DevOps.
    Azure,
}

impl Scm {
    /// What the annotations begin with that name a project there, whatever the host.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Scm::Github => "github.com",
            Scm::Gitlab => "gitlab.com",
            Scm::Bitbucket => "bitbucket.org",
            Scm::Azure => "dev.azure.com",
        }
    }
}

/// What the catalog's own steps are called in `catalog.processorOptions`.
pub(crate) const PLACEHOLDERS: &str = "PlaceholderProcessor";
pub(crate) const ANNOTATE: &str = "AnnotateLocationEntityProcessor";
pub(crate) const READ_FILES: &str = "FileReaderProcessor";
pub(crate) const READ_URLS: &str = "url-reader";

impl Settings {
    /// Whether a step of the catalog's own is taken that app-config may turn off: by the name that it has there, or
    /// together with the other default ones.
    pub(crate) fn takes(&self, step: &str) -> bool {
        let is_default = step != PLACEHOLDERS;
        let disabled = self.processor_options.get(step).is_some_and(|option| option.disabled);
        !(disabled || is_default && self.disable_default_processors)
    }

    /// Whether a provider has a say: app-config may turn each off by its name.
    pub(crate) fn provides(&self, provider: &str) -> bool {
        !self.provider_options.get(provider).is_some_and(|option| option.disabled)
    }

    /// Which system a URL leads to.
    pub(crate) fn scm(&self, url: &Url) -> Option<Scm> {
        scm_of(&self.scm_hosts, url)
    }
}

/// Which system a URL leads to: a public one, or one of these.
pub(crate) fn scm_of(hosts: &BTreeMap<String, Scm>, url: &Url) -> Option<Scm> {
    const PUBLIC: [Scm; 4] = [Scm::Github, Scm::Gitlab, Scm::Bitbucket, Scm::Azure];
    let host = url.host_str()?;
    let named = match url.port() {
        Some(port) => hosts.get(&format!("{host}:{port}")),
        None => hosts.get(host),
    };
    named.copied().or_else(|| PUBLIC.into_iter().find(|scm| scm.prefix() == host))
}

/// Kinds that may come from some locations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Any of these. An empty list allows nothing.
    pub allow: Vec<Allow>,
    /// Any of these; none means every location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locations: Option<Vec<LocationMatcher>>,
}

/// What a rule allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Allow {
    /// A kind, in any case.
    Kind(String),
    /// A kind with a `spec.type`, both in any case.
    Type {
        /// The kind.
        kind: String,
        /// Without it every entity of the kind.
        #[serde(rename = "spec.type", default, skip_serializing_if = "Option::is_none")]
        spec_type: Option<String>,
    },
}

/// Where a rule holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationMatcher {
    /// The location's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its target, letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// A glob for its target, in any case. Not together with `exact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// How often sources that cannot tell of changes are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessingInterval {
    /// A time between the first and the second, so that not everything is read at once.
    Between(Duration, Duration),
    /// Nothing is processed at all: another replica does it.
    Never,
}

/// For how long a replica is believed to be at work that says nothing; then others take over what it had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaTimeout(pub Duration);

impl Default for ReplicaTimeout {
    fn default() -> Self {
        ReplicaTimeout(LEASE)
    }
}

impl<'de> Deserialize<'de> for ReplicaTimeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let duration = parse_duration(&serde_json::Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
        Ok(ReplicaTimeout(duration.max(LEASE_LEAST)))
    }
}

/// What becomes of what nobody names any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// It goes.
    #[default]
    Delete,
    /// It stays.
    Keep,
}

/// What a second registration of the same location does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// It is refused.
    #[default]
    Reject,
    /// The location is read again.
    Refresh,
}

impl Default for ProcessingInterval {
    fn default() -> Self {
        ProcessingInterval::Between(Duration::from_secs(100), Duration::from_secs(150))
    }
}

impl<'de> Deserialize<'de> for ProcessingInterval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value == serde_json::Value::Bool(false) {
            return Ok(ProcessingInterval::Never);
        }
        let duration = parse_duration(&value).map_err(de::Error::custom)?;
        let seconds = duration.as_secs_f64().round().max(1.0);
        Ok(ProcessingInterval::Between(Duration::from_secs_f64(seconds), Duration::from_secs_f64(seconds * 1.5)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn intervals() {
        fn check(interval: Value, expected: Option<(f64, f64)>) {
            let settings: Settings = serde_json::from_value(json!({ "processingInterval": interval })).unwrap();
            let found = match settings.processing_interval {
                ProcessingInterval::Between(from, to) => Some((from.as_secs_f64(), to.as_secs_f64())),
                ProcessingInterval::Never => None,
            };
            assert_eq!(found, expected, "{interval}");
        }
        check(json!({ "minutes": 2 }), Some((120.0, 180.0)));
        check(json!("PT10S"), Some((10.0, 15.0)));
        // In whole seconds, and never without a pause.
        check(json!({ "milliseconds": 2_600 }), Some((3.0, 4.5)));
        check(json!({ "milliseconds": 1 }), Some((1.0, 1.5)));
        check(json!(false), None);
        let default = ProcessingInterval::Between(Duration::from_secs(100), Duration::from_secs(150));
        assert_eq!(Settings::default().processing_interval, default);
        for wrong in [json!(true), json!("soon"), json!({ "parsecs": 1 })] {
            assert!(serde_json::from_value::<Settings>(json!({ "processingInterval": wrong })).is_err(), "{wrong}");
        }
    }
}
