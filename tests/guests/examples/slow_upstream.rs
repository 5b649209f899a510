//! Waits for an upstream that never answers.

use callboard_sdk::Error;
use callboard_sdk::http::Method;

callboard_guests::hostile!("examples/slow_upstream.yaml", attack);

/// The time passes in the host, not in the guest.
fn attack() -> Result<String, Error> {
    let url = callboard_guests::settings()?.url;
    loop {
        let outcome = callboard_guests::outcome_of(Method::Get, &url);
        if outcome.starts_with("200") {
            return Ok(outcome);
        }
    }
}
