//! What several routes read in the same way.

use callboard_model::filter::{self, Predicate};

use crate::http::body::Fields;
use crate::http::error::{ApiError, Result};
use crate::http::params::Params;

/// `filter`, given once or several times.
pub(super) fn filter(params: &Params) -> Result<Option<Predicate>> {
    Ok(filter::parse_filters(&params.many("filter"))?)
}

/// `query` of a body: a predicate in JSON.
pub(super) fn predicate(body: &Fields) -> Result<Option<Predicate>> {
    let Some(query) = body.0.get("query") else { return Ok(None) };
    if !query.is_object() {
        return Err(ApiError::input("Invalid query: it must be an object"));
    }
    let predicate = serde_json::from_value(query.clone());
    predicate.map(Some).map_err(|error| ApiError::input(format!("Invalid query: {error}")))
}
