//! `/api/apis`.

use callboard_model::api::{TryRequest, TryResponse};

use super::client::{self, ApiError};

/// Has the server send a request to the API that an entity describes.
pub(crate) async fn send(request: &TryRequest) -> Result<TryResponse, ApiError> {
    client::post("/api/apis/try", request).await
}
