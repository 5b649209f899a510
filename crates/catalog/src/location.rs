//! Registered locations.

use callboard_model::api::RegisteredLocation;
use callboard_model::location_ref::Presence;
use serde::{Deserialize, Serialize};

use crate::Document;

pub(crate) mod dry_run;
pub(crate) mod registry;
pub(crate) mod search;

/// `POST /locations/by-query`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LocationQuery {
    /// At most so many, and at least 1; without it as many as the page before, or 1,000.
    pub limit: Option<u64>,
    /// Goes on where another answer ended; then `query` is not looked at.
    pub cursor: Option<String>,
    /// A predicate on `id`, `type`, `target` and `entityRef`.
    pub query: Option<serde_json::Value>,
}

/// The body of `POST /locations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLocation {
    /// Only `url` is allowed.
    #[serde(rename = "type")]
    pub kind: String,
    /// The URL.
    pub target: String,
    /// Whether it is an error when there is nothing there.
    #[serde(default)]
    pub presence: Presence,
}

/// What a registration would do: `POST /locations?dryRun=true`.
#[derive(Debug, Serialize)]
pub struct DryRun {
    /// Whether it is registered already.
    pub exists: bool,
    /// As it would be; its id is `<type>:<target>`.
    pub location: RegisteredLocation,
    /// The Location entity and everything that it would bring in.
    pub entities: Vec<Document>,
}
