//! What the HTTP API says, beyond the catalog's own entities: one type per payload, in camelCase.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::filter::Predicate;
use crate::manifest::{AttachmentPoint, OnFailure};
use crate::processing::Hook;
use crate::rights::Rights;
use crate::safe_url::PortalPath;

mod audit;
mod catalog;
#[cfg(feature = "openapi")]
pub mod described;
mod events;
mod identity;
mod plugin;
mod statistics;
mod user_settings;

pub use audit::{AuditDecision, AuditEntry, AuditPage};
pub use catalog::{
    EntityError, EntityFailure, ExistingEntityFile, Freshness, FreshnessSource, FreshnessStep, GeneratedEntity,
    GeneratedField, GeneratedFieldState, LocationAnalysis, LocationData, LocationInput, LocationPage, PushMode,
    PushRequest, PushResult, PushedEntity, RegisteredLocation, SourceKind, ValidationErrors,
};
pub use events::{DeadLetter, DeadLetterPage, DeadLettersChanged, EventInfo};
pub use plugin::{PluginChange, PluginGeneration, PluginHeld, PluginReplica};
pub use statistics::{
    BacktraceFrame, CallStatistics, Denial, Latency, LatencyBucket, LogLevel, OutboundStatistics, PluginFault,
    PluginLog, PluginLogLine, PluginStatistics, VersionStatistics,
};
pub use user_settings::{UserSetting, UserSettingName, UserSettingValue, UserSettingsAnswer, UserSettingsRequest};

pub use identity::{
    BackstageIdentity, BackstageUser, ExplainedRule, MadePersonalToken, NewPersonalToken, PermissionInfo,
    PermissionList, PersonalToken, PersonalTokenList, PolicyExplanation, ProviderProfile, ProviderSession, RuleOutcome,
    SessionInfo, SessionList, SignInError, SignInProvider,
};

/// The body of every error answer (`spec`: the common error envelope).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
    /// What was asked.
    pub request: ErrorRequest,
    /// What was answered.
    pub response: ErrorResponse,
}

/// `name` is for machines (`NotFoundError`), `message` for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// `InputError`, `NotFoundError` …
    pub name: String,
    /// A sentence.
    pub message: String,
    /// More for machines; few errors have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The permission that is missing, where that is what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Never sent: where an error was made is only for the log. Described because clients of Backstage know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

/// The request that failed, relative to its API's mount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorRequest {
    /// `GET` …
    pub method: String,
    /// Path and query.
    pub url: String,
}

/// The status that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// As in the status line.
    pub status_code: u16,
}

/// `GET /api/app`: what the page needs before it shows anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// app-config's `app.title`.
    pub title: String,
    /// app-config's `organization.name`.
    pub organization: Option<String>,
    /// The server's version; a page built by another version says so.
    pub version: String,
    /// Who is looking.
    pub session: Session,
    /// The pages that plugins contribute.
    pub pages: Vec<ExtensionInfo>,
    /// Of the permissions that parts of the page are only for, those that the reader has: `audit.read`, `policy.read`.
    #[serde(default)]
    pub may: Vec<String>,
}

/// Who is signed in, and who could.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// None: nobody is signed in.
    pub user: Option<SessionUser>,
    /// Whether somebody who is not signed in may look around.
    pub anonymous_may_read: bool,
    /// The users that may be chosen without a proof: the guest, and those for development.
    pub choices: Vec<SignInChoice>,
    /// The services where people sign in.
    pub providers: Vec<SignInProvider>,
}

/// The user of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionUser {
    /// `user:default/ada`.
    pub entity_ref: String,
    /// For people.
    pub display_name: String,
}

/// One way to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignInChoice {
    /// Sent back in [`SignIn`].
    pub entity_ref: String,
    /// For people.
    pub display_name: String,
    /// Whether this is the guest.
    pub guest: bool,
}

/// `POST /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// One of the [`Session::choices`].
    pub entity_ref: String,
}

/// `GET /api/plugins`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginList {
    /// In the order of app-config.
    pub items: Vec<PluginInfo>,
}

/// A plugin as the plugins page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginInfo {
    /// The key in app-config.
    pub id: String,
    /// From the manifest; the id where that could not be read.
    pub name: String,
    /// From the manifest.
    pub version: Option<String>,
    /// From the manifest.
    pub description: String,
    /// Where the component was read from, as app-config has it.
    pub source: String,
    /// `sha256:` and the component's digest in hexadecimal.
    pub digest: Option<String>,
    /// Whose signature on what runs was good enough: `the key sha256:…`, or a subject and its issuer. None where
    /// `plugins.trust` asks for none.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Whether it runs.
    pub state: PluginState,
    /// Why it does not, and what to do about it.
    pub reason: Option<String>,
    /// Why what runs is not what app-config asks for, where that is so.
    #[serde(default)]
    pub notice: Option<String>,
    /// A newer version that asks for more than was approved, and waits for somebody to agree.
    #[serde(default)]
    pub held: Option<PluginHeld>,
    /// The generation that runs here; 0 for none.
    #[serde(default)]
    pub generation: i64,
    /// Whether app-config itself says if it is on, so that nobody can switch it here.
    #[serde(default)]
    pub is_fixed: bool,
    /// What was decided about it, the newest first.
    #[serde(default)]
    pub generations: Vec<PluginGeneration>,
    /// What each replica does with it; none where there is one process.
    #[serde(default)]
    pub replicas: Vec<PluginReplica>,
    /// What the manifest asks for.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub declared: Rights,
    /// What app-config grants.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub granted: Rights,
    /// What it may do: the part that both name.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub effective: Rights,
    /// The extension points that the component exports.
    pub extension_points: Vec<String>,
    /// What its `ui` shows, and where.
    pub extensions: Vec<ExtensionInfo>,
    /// What it reads into the catalog.
    pub providers: Vec<ProviderInfo>,
    /// What has a say in what becomes of entities.
    #[serde(default)]
    pub processors: Vec<ProcessorInfo>,
    /// What it answers below `/api/<id>`.
    #[serde(default)]
    pub routes: Vec<RouteInfo>,
    /// The actions of scaffolder templates that it may run.
    #[serde(default)]
    pub actions: Vec<ActionInfo>,
    /// What it is told of.
    #[serde(default)]
    pub events: Vec<EventInfo>,
}

/// Whether a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// Loaded, and called when needed.
    Running,
    /// Not loaded, because somebody switched it off; `reason` says who.
    Disabled,
    /// Not loaded; `reason` says why.
    Refused,
    /// Loaded, but not called for a while because it failed again and again.
    Suspended,
}

impl PluginState {
    /// As it is written in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PluginState::Running => "running",
            PluginState::Disabled => "disabled",
            PluginState::Refused => "refused",
            PluginState::Suspended => "suspended",
        }
    }
}

/// An extension of some plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExtensionInfo {
    /// The plugin.
    pub plugin_id: String,
    /// The extension within it.
    pub id: String,
    /// Where it is attached.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub at: AttachmentPoint,
    /// The tab's, page's or navigation item's title.
    pub title: String,
    /// Where a navigation item leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub href: Option<PortalPath>,
    /// What shows in its place while the plugin fails: `hide`, `placeholder` or `stale`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub on_failure: OnFailure,
    /// Which component of the plugin it is of, `sha256:…`: with another one, it shows something else.
    #[serde(default)]
    pub digest: String,
}

/// A processor of some plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProcessorInfo {
    /// `<plugin>/<id>`.
    pub name: String,
    /// From the manifest.
    pub description: String,
    /// When it is called.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub hooks: Vec<Hook>,
    /// What it runs after: names of processors, or steps of the catalog.
    pub after: Vec<String>,
    /// Which entities it is for; none: all.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub filter: Option<Predicate>,
    /// Whether its results depend on nothing but the entity, its code, its config and its grants.
    pub pure: bool,
}

/// A route of some plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouteInfo {
    /// Such as `GET`.
    pub method: String,
    /// From `/api` on, such as `/api/inventory/things/{id}`.
    pub path: String,
    /// From the manifest.
    pub description: String,
    /// What it needs, as a policy names it.
    pub permission: String,
}

/// An action of some plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ActionInfo {
    /// What a template's step names.
    pub id: String,
    /// From the manifest.
    pub description: String,
    /// Whether it can be run so that nothing outside of the workspace changes.
    pub supports_dry_run: bool,
    /// Whether it may be run once more when it was cut off.
    pub idempotent: bool,
}

/// A provider's state. Times are RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProviderInfo {
    /// For example `awsS3-provider:default`.
    pub name: String,
    /// The schedule in words, such as "every 2 minutes".
    pub schedule: String,
    /// Whether a run is under way.
    pub running: bool,
    /// When the last run began.
    pub last_run: Option<String>,
    /// When the last run that succeeded ended.
    pub last_success: Option<String>,
    /// When the next run begins.
    pub next_run: Option<String>,
    /// Why the last run failed; none where it did not.
    pub last_error: Option<String>,
    /// What the last run that succeeded found.
    pub counts: RunCounts,
    /// What it brought in that could not be read or is not valid: at most 100 of them.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: u64,
}

/// What a run found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunCounts {
    /// Listed in all.
    pub listed: u64,
    /// Not there before.
    pub added: u64,
    /// There before, with another content or version.
    pub changed: u64,
    /// Gone.
    pub removed: u64,
    /// The same as before.
    pub unchanged: u64,
}

/// Something that could not be taken into the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The Location or other entity that carries the errors.
    pub entity_ref: String,
    /// Where it was read from.
    pub target: String,
    /// What is wrong, with line and column where they are known.
    pub message: String,
}

/// `POST /api/apis/try`: a request that the server sends in the reader's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TryRequest {
    /// The API entity whose definition names the server.
    pub entity_ref: String,
    /// `GET` …
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names in any case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What the server in question answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TryResponse {
    /// As in its status line.
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Base64.
    pub body: String,
    /// Where it came from, after redirects.
    pub url: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// `GET /api/catalog/entities/by-query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EntityPage<T = serde_json::Value> {
    /// The entities.
    pub items: Vec<T>,
    /// In all; 0 where it was not asked for.
    pub total_items: u64,
    /// Where to go on.
    pub page_info: PageInfo,
}

/// Cursors, opaque.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// None on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// None on the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev_cursor: Option<String>,
}

/// `GET /api/catalog/entity-facets`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facets {
    /// By facet, as it was asked for.
    pub facets: BTreeMap<String, Vec<FacetValue>>,
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// In its original case.
    pub value: String,
    /// Entities that have it.
    pub count: u64,
}
