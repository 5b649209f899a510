//! The catalog's errors as answers.

use axum::http::StatusCode;
use callboard_model::filter::FilterError;

use crate::http::error::ApiError;

impl From<callboard_catalog::Error> for ApiError {
    fn from(error: callboard_catalog::Error) -> ApiError {
        match error {
            callboard_catalog::Error::Store(error) => error.into(),
            error => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                ApiError::new(status, error.name(), error.to_string())
            }
        }
    }
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> ApiError {
        ApiError::input(error.to_string())
    }
}
