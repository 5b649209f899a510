//! Registered locations.

use callboard_model::location_ref::Presence;
use serde::{Deserialize, Serialize};

use crate::Document;

pub(crate) mod dry_run;
pub(crate) mod registry;

/// A location that somebody registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredLocation {
    /// A UUID.
    pub id: String,
    /// `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The URL.
    pub target: String,
    /// The Location entity that stands for it.
    pub entity_ref: String,
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
