//! The file of a case.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use callboard_model::processing::Hook;
use callboard_model::ui::TableState;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{CaseError, Values};
use crate::config::node::Node;
use crate::config::sources::Sources;
use crate::config::substitute::substituted;

/// The file of a case, but for what depends on the environment.
pub(crate) struct File {
    path: PathBuf,
    /// What `${…}` is replaced in.
    values: Node,
    pub(super) user: String,
    pub(super) now: Option<DateTime<Utc>>,
    pub(super) catalog: Vec<Value>,
    pub(super) kv: BTreeMap<String, String>,
    pub(super) workspace: BTreeMap<String, String>,
    pub(super) calls: Vec<Call>,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, rename = "description")]
    _description: String,
    /// Part of [`File::values`].
    #[serde(default, rename = "config")]
    _config: Value,
    #[serde(default, rename = "secrets")]
    _secrets: Value,
    #[serde(default = "guest")]
    user: String,
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    catalog: Vec<Value>,
    #[serde(default)]
    kv: BTreeMap<String, String>,
    #[serde(default)]
    workspace: BTreeMap<String, String>,
    calls: Vec<Call>,
}

fn guest() -> String {
    "user:default/guest".to_owned()
}

/// One thing that the portal asks of the plugin, by the extension point.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Call {
    Ui(UiCall),
    EntityProvider(ProviderCall),
    EntityProcessor(ProcessorCall),
    ScaffolderActions(ActionCall),
    Routes(RouteCall),
    EventSubscriber(EventsCall),
}

/// Renders an extension, or carries out an action of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UiCall {
    pub(super) extension: String,
    pub(super) act: Option<String>,
    /// The ref of an entity of the case's catalog.
    pub(super) entity: Option<String>,
    pub(super) cursor: Option<String>,
    #[serde(default)]
    pub(super) tables: BTreeMap<String, TableState>,
    pub(super) value: Option<Value>,
}

/// Reads all pages of a provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderCall {
    pub(super) provider: String,
}

/// Has a batch of entities processed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessorCall {
    pub(super) processor: String,
    pub(super) hook: Hook,
    pub(super) entities: Vec<Value>,
    /// Where they are from.
    #[serde(default = "somewhere")]
    pub(super) location: String,
}

fn somewhere() -> String {
    "url:https://example.com/catalog-info.yaml".to_owned()
}

/// Runs a step over the case's workspace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ActionCall {
    pub(super) action: String,
    #[serde(default = "nothing")]
    pub(super) input: Value,
    #[serde(default)]
    pub(super) dry_run: bool,
    #[serde(default = "first")]
    pub(super) attempt: u32,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn first() -> u32 {
    1
}

/// Answers a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteCall {
    /// Method, path below `/api/<plugin>`, and query: `GET /notes/7?full=true`.
    pub(super) request: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
}

/// Hands events over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsCall {
    pub(super) events: Vec<CaseEvent>,
}

/// An event, of which the rest is made up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CaseEvent {
    pub(super) topic: String,
    pub(super) payload: Value,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) delivery_id: Option<String>,
    #[serde(default = "first")]
    pub(super) attempt: u32,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<File, CaseError> {
        let shown = path.display().to_string();
        let fail = |message: String| CaseError::File { path: shown.clone(), message };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let layer: Arc<str> = Arc::from(shown.as_str());
        let whole = Node::parse(&text, &layer).map_err(|error| match error.line {
            Some(line) => CaseError::File { path: format!("{shown}:{line}"), message: error.message },
            None => fail(error.message),
        })?;
        let written: Written = serde_path_to_error::deserialize(whole.to_json()).map_err(|error| {
            let place = error.path().to_string();
            fail(if place == "." { error.inner().to_string() } else { format!("{place}: {}", error.inner()) })
        })?;
        let Written { user, now, catalog, kv, workspace, calls, .. } = written;
        if calls.is_empty() {
            return Err(fail("calls: there is nothing to do; name at least one call".to_owned()));
        }
        let values = whole.only(&["config", "secrets"]);
        Ok(File { path: path.to_owned(), values, user, now, catalog, kv, workspace, calls })
    }

    /// The values as they are when nobody knows the environment: `${NAME:-other}` is the other, and `${NAME}` is its name.
    pub(super) fn replayed(&self) -> Result<Values, CaseError> {
        let mut stand_ins = BTreeMap::new();
        let (_, unset) = self.substituted(&stand_ins)?;
        for unset in unset {
            stand_ins.insert(unset.variable.clone(), unset.variable);
        }
        Values::read(&self.substituted(&stand_ins)?.0).map_err(|message| self.fail(message))
    }

    /// The values as they are with the environment of this process.
    pub(super) fn recorded(&self) -> Result<Values, CaseError> {
        let env = Sources::of_process(Vec::new()).map_err(|error| self.fail(error.to_string()))?.env;
        let (values, unset) = self.substituted(&env)?;
        if let Some(unset) = unset.first() {
            let message = format!(
                "{}: the environment variable {} is not set; a recording needs what is behind it",
                unset.path, unset.variable
            );
            return Err(self.fail(message));
        }
        Values::read(&values).map_err(|message| self.fail(message))
    }

    fn substituted(&self, env: &BTreeMap<String, String>) -> Result<(Value, Vec<crate::config::Unset>), CaseError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        substituted(self.values.clone(), folder, env).map_err(|finding| self.fail(finding.to_string()))
    }

    fn fail(&self, message: String) -> CaseError {
        CaseError::File { path: self.path.display().to_string(), message }
    }
}
