//! `/api/app` and `/api/session`.

use callboard_model::api::{AppInfo, SignIn};

use super::client::{self, ApiError};

/// What the page needs before it shows anything.
pub(crate) async fn app() -> Result<AppInfo, ApiError> {
    client::get("/api/app").await
}

/// Signs in as one of the session's choices.
pub(crate) async fn sign_in(entity_ref: String) -> Result<(), ApiError> {
    client::post_only("/api/session", &SignIn { entity_ref }).await
}

/// Signs out.
pub(crate) async fn sign_out() -> Result<(), ApiError> {
    client::delete("/api/session").await
}
