//! Payloads of `/api/audit`: what was changed or attempted, and by whom.

use serde::{Deserialize, Serialize};

use super::PageInfo;

/// One row of the audit log. `hash` is the SHA-256 of `previous` as 32 bytes, followed by this entry as JSON without
/// `previous` and `hash`, with its keys sorted and no whitespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its place in the log: 1, 2, 3 … without a gap.
    pub seq: u64,
    /// When it happened, RFC 3339 in UTC with milliseconds; of several attempts the first.
    pub at: String,
    /// Who: `user:default/ada`, `service:external:ci`, `push:ci` or `anonymous`; `*` for several.
    pub actor: String,
    /// What said so: `session`, `token:<id>` or `none`; `*` for several.
    pub credential: String,
    /// The permission that the route needs.
    pub permission: String,
    /// `POST` …; `*` for several.
    pub method: String,
    /// The path that was asked, without its query; `*` for several.
    pub path: String,
    /// What it was about, where that is known: an entity's ref or another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The address that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// What the policy said.
    pub decision: AuditDecision,
    /// The rule that said so.
    pub rule: String,
    /// The request, as its answer's header `x-request-id` and the server's log name it; of several the first.
    pub request_id: String,
    /// How many attempts that were alike it stands for. More than 1 only for what was denied.
    pub count: u64,
    /// The row of the change that this one says the end of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u64>,
    /// What a change was answered that failed, 400 or more; 499 where the answer was cut off, so that nobody knows
    /// whether the change was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The hash of the row before, in hexadecimal; before the first one, zeros.
    pub previous: String,
    /// The hash of this row, in hexadecimal.
    pub hash: String,
}

/// What the policy said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuditDecision {
    /// The change was permitted, and begun after this was written.
    Allowed,
    /// The request was refused.
    Denied,
}

/// `GET /api/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The newest first.
    pub items: Vec<AuditEntry>,
    /// Where to go on.
    pub page_info: PageInfo,
}
