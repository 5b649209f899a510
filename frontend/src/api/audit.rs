//! `/api/audit`.

use callboard_model::api::AuditPage;

use super::client::{self, ApiError, query};
use crate::audit_state::AuditState;

/// A page of what was changed or attempted.
pub(crate) async fn page(state: AuditState) -> Result<AuditPage, ApiError> {
    let limit = state.limit.to_string();
    let parameters = state.filters().into_iter().chain([("cursor", state.cursor.as_str()), ("limit", limit.as_str())]);
    client::get(&format!("/api/audit{}", query(parameters))).await
}

/// Where all of it is, as far as the filters leave it, one JSON object a line.
pub(crate) fn export(state: &AuditState) -> String {
    format!("/api/audit/export{}", query(state.filters()))
}
