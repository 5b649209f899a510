//! What a plugin says of itself: the custom section `callboard:manifest` of its component, written as `plugin.yaml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::filter::Predicate;
use crate::processing::Hook;
use crate::rights::Rights;
use crate::route::{RouteMethod, RoutePath};
use crate::safe_url::PortalPath;

/// The name of the custom section.
pub const SECTION: &str = "callboard:manifest";

/// A plugin's manifest, format 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    /// Always 1.
    pub format: u32,
    /// `^[a-z][a-z0-9-]{0,62}$`: the key in app-config's `plugins`, and the path segment of its routes.
    pub id: String,
    /// For people.
    pub name: String,
    /// The plugin's own.
    pub version: semver::Version,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// What it needs of the portal.
    pub needs: Needs,
    /// What it asks to be allowed to do.
    #[serde(default)]
    pub rights: Rights,
    /// For each path in `rights.config`, the JSON Schema of what is read there. A leaf with `x-credential` reaches
    /// the guest as a handle.
    #[serde(default)]
    pub config_schema: BTreeMap<String, serde_json::Value>,
    /// What it adds to the portal.
    #[serde(default)]
    pub contributes: Contributions,
}

/// Version requirements, in Cargo's syntax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Of the package `callboard:host`.
    pub host: semver::VersionReq,
    /// Of the package `callboard:plugin`.
    pub plugin: semver::VersionReq,
    /// Of the UI tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui: Option<semver::VersionReq>,
}

/// One key per extension point, named as its WIT interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contributions {
    /// The processors that the `entity-processor` export has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity_processor: Vec<EntityProcessorContribution>,
    /// Present where the component exports `entity-provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_provider: Option<EntityProviderContribution>,
    /// What the `event-subscriber` export is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_subscriber: Option<EventSubscriberContribution>,
    /// Present where the component exports `lifecycle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleContribution>,
    /// The requests below `/api/<plugin>` that the `routes` export answers. No other reaches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteContribution>,
    /// The actions of scaffolder templates that the `scaffolder-actions` export runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaffolder_actions: Vec<ScaffolderActionContribution>,
    /// The extensions that the `ui` export renders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui: Vec<UiExtension>,
}

/// Something that has a say in what becomes of entities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntityProcessorContribution {
    /// Unique within the plugin, in kebab-case, and none of the [steps](crate::processing::STEPS) of the catalog.
    pub id: String,
    /// One sentence, for the reader of the plugin's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When it is called: at least one, each once.
    pub hooks: Vec<Hook>,
    /// What it runs after: ids of this plugin's processors, `<plugin>/<id>` of another's, or steps of the catalog. A
    /// name of another plugin's that is not there holds nothing up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Which entities it is for, as they are when their turn comes; all where absent. Only these reach the plugin, and
    /// only these are processed again when it changes. Relations are not known then, so it cannot be about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Predicate>,
}

/// Says that there are providers; which, the export itself answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntityProviderContribution {
    /// The annotations that it puts on what it brings in, for the reader of the plugin's page.
    #[serde(default)]
    pub annotations: Vec<String>,
}

/// Says that the plugin has a say when another version of it takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LifecycleContribution {}

/// A request below `/api/<plugin>` that the plugin answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RouteContribution {
    /// What it does.
    pub method: RouteMethod,
    /// Such as `/things/{id}`.
    pub path: RoutePath,
    /// The permission that it needs, written without the plugin's id, as those of actions are: `thing.read` of the plugin
    /// `inventory` is `inventory.thing.read`. Where absent, `plugin.use` for `GET` and `plugin.act` for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// One sentence, for the reader of the plugin's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// An action of scaffolder templates. All that is to be known of it is here, so that it can be granted, listed and
/// checked without anything of the plugin running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScaffolderActionContribution {
    /// What a template's step names, such as `acme:service:create`. Unique within the portal.
    pub id: String,
    /// For authors of templates.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The JSON Schema (draft 7) of its input, of type `object`. Where absent, it takes none.
    #[serde(default = "nothing")]
    pub input_schema: serde_json::Value,
    /// The JSON Schema (draft 7) of its output, of type `object`. Where absent, it has none.
    #[serde(default = "nothing")]
    pub output_schema: serde_json::Value,
    /// For authors of templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ActionExample>,
    /// Whether it can be run so that nothing outside of the workspace changes.
    #[serde(default)]
    pub supports_dry_run: bool,
    /// Whether it may be run once more when it was cut off.
    #[serde(default)]
    pub idempotent: bool,
}

/// An input of an action, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ActionExample {
    /// One sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// As a step has it.
    pub input: serde_json::Value,
}

/// The schema of an object without fields.
fn nothing() -> serde_json::Value {
    serde_json::json!({ "type": "object", "additionalProperties": false })
}

/// What a plugin is told of. Of this it is told what `rights.event-subscriber.topics` names on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventSubscriberContribution {
    /// What the portal itself tells of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<TopicSubscription>,
    /// What other services send.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookContribution>,
}

/// A topic of the portal's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TopicSubscription {
    /// One of the [topics](crate::events::TOPICS).
    pub topic: String,
    /// Of `catalog.entity`, which kinds of entities, in any case; where absent, all that the plugin may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

/// A webhook: `POST /api/events/http/<topic>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebhookContribution {
    /// The end of its URL, and the topic of its events: see [`is_webhook_topic`](crate::events::is_webhook_topic).
    pub topic: String,
    /// One sentence, for the reader of the plugin's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How it is told that the sender is who they should be. The host does that; the plugin never sees the secret.
    pub signature: WebhookSignature,
    /// The header with an id that the sender gives to each delivery. What comes with the same is taken once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    /// The headers that the plugin is handed with the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
}

/// How a sender shows that they know a secret. `secret` is a path in app-config that the manifest's schema marks with
/// `x-credential: { kind: webhook }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum WebhookSignature {
    /// The secret itself, in `X-Gitlab-Token`.
    GitlabToken {
        /// Where app-config has it.
        secret: String,
    },
    /// `sha256=` and the HMAC-SHA256 of the body, in hexadecimal, as GitHub does it.
    HmacSha256 {
        /// Where app-config has it.
        secret: String,
        /// The header; `X-Hub-Signature-256` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
    },
    /// `v1=` and the HMAC-SHA256 of the body, perhaps several with commas between them, in `X-PagerDuty-Signature`.
    Pagerduty {
        /// Where app-config has it.
        secret: String,
    },
    /// `v0=` and the HMAC-SHA256 of `v0:<time>:<body>` in `X-Slack-Signature`, with the time in
    /// `X-Slack-Request-Timestamp`.
    Slack {
        /// Where app-config has it.
        secret: String,
        /// For how many seconds it holds, from 1 to 3,600; 300 where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window_seconds: Option<u32>,
    },
}

impl WebhookSignature {
    /// Where app-config has the secret.
    pub fn secret(&self) -> &str {
        match self {
            Self::GitlabToken { secret }
            | Self::HmacSha256 { secret, .. }
            | Self::Pagerduty { secret }
            | Self::Slack { secret, .. } => secret,
        }
    }
}

/// Something that the plugin shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UiExtension {
    /// Unique within the plugin, in kebab-case; part of the URL.
    pub id: String,
    /// Where it is attached.
    pub at: AttachmentPoint,
    /// The tab's, card's or page's title.
    pub title: String,
    /// Which entities it is for; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Predicate>,
    /// Where a navigation item leads: a path of the portal. Nothing else has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<PortalPath>,
    /// What the page shows in its place while it fails.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// The permissions that its actions need, by the action's name; `plugin.act` for those that are not here. Written
    /// without the plugin's id, with which a policy names them: `bucket.empty` of the plugin `s3` is `s3.bucket.empty`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, String>,
}

/// Where an extension shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentPoint {
    /// A tab of an entity's page.
    EntityTab,
    /// A card on an entity's overview.
    EntityCard,
    /// A page of its own, with an item in the sidebar.
    Page,
    /// An item in the sidebar that leads to a path of the portal. It renders nothing.
    NavigationItem,
}

/// What becomes of an extension's place on the page while the plugin fails. Everything else on the page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It is not there. Only for a card: a tab or page that somebody has opened says what is wrong.
    Hide,
    /// It says that the plugin fails, with a way to try again.
    #[default]
    Placeholder,
    /// It shows what the plugin said last, and says that this is old. Where it said nothing yet, as `placeholder`.
    Stale,
}
