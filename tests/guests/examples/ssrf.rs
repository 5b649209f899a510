//! Asks what is private, in every way that it can be written.

use callboard_sdk::Error;
use callboard_sdk::http::Method;

callboard_guests::hostile!("examples/ssrf.yaml", attack);

/// A line for each URL that the test names.
fn attack() -> Result<String, Error> {
    let urls = callboard_guests::settings()?.urls;
    let outcomes: Vec<String> =
        urls.iter().map(|url| callboard_guests::outcome_of(Method::Get, url).replace('\n', " ")).collect();
    Ok(outcomes.join("\n"))
}
