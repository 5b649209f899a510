//! Follows a redirect to where it may not go.

use callboard_sdk::Error;
use callboard_sdk::http::Method;

callboard_guests::hostile!("examples/redirect_to_private.yaml", attack);

/// What is granted answers with a redirect to what the test likes.
fn attack() -> Result<String, Error> {
    Ok(callboard_guests::outcome_of(Method::Get, &callboard_guests::settings()?.url))
}
