//! Asks an origin that was not granted.

use callboard_sdk::Error;
use callboard_sdk::http::Method;

callboard_guests::hostile!("examples/ungranted_origin.yaml", attack);

/// The manifest declares `config:hostile.url`; the sibling port is not part of that.
fn attack() -> Result<String, Error> {
    let mut outcomes = Vec::new();
    for url in ["https://not-granted.example/", "http://127.0.0.1:1/", "file:///etc/passwd", "ftp://a.example/"] {
        outcomes.push(callboard_guests::outcome_of(Method::Get, url));
    }
    Ok(outcomes.join("\n"))
}
