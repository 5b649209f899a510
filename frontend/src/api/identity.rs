//! `/api/auth` and `/api/permission`: the reader's own sessions and tokens, and what the policy says of them.

use callboard_model::api::{
    MadePersonalToken, NewPersonalToken, PermissionList, PersonalTokenList, PolicyExplanation, SessionList,
};

use super::client::{self, ApiError, query, segment};

/// The reader's sessions.
pub(crate) async fn sessions() -> Result<SessionList, ApiError> {
    client::get("/api/auth/sessions").await
}

/// Ends one of them.
pub(crate) async fn end_session(id: &str) -> Result<(), ApiError> {
    client::delete(&format!("/api/auth/sessions/{}", segment(id))).await
}

/// Ends all of them, this one too.
pub(crate) async fn end_all_sessions() -> Result<(), ApiError> {
    client::delete("/api/auth/sessions").await
}

/// The reader's tokens.
pub(crate) async fn tokens() -> Result<PersonalTokenList, ApiError> {
    client::get("/api/auth/tokens").await
}

/// Makes one.
pub(crate) async fn make_token(token: &NewPersonalToken) -> Result<MadePersonalToken, ApiError> {
    client::post("/api/auth/tokens", token).await
}

/// Makes one worthless.
pub(crate) async fn revoke_token(id: &str) -> Result<(), ApiError> {
    client::delete(&format!("/api/auth/tokens/{}", segment(id))).await
}

/// The permissions that a policy may name.
pub(crate) async fn permissions() -> Result<PermissionList, ApiError> {
    client::get("/api/permission/permissions").await
}

/// What is asked of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    /// Such as `catalog.entity.delete`.
    pub permission: String,
    /// The entity that it is about; empty where it is about none.
    pub entity_ref: String,
    /// Whom it is about; empty where it is the reader.
    pub user: String,
}

/// Why somebody may or may not do something.
pub(crate) async fn explain(question: Question) -> Result<PolicyExplanation, ApiError> {
    let Question { permission, entity_ref, user } = &question;
    let query = query([("permission", permission.as_str()), ("entityRef", entity_ref), ("user", user)]);
    client::get(&format!("/api/permission/explain{query}")).await
}
