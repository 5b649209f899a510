//! Sends a method that was not granted.

use callboard_sdk::Error;
use callboard_sdk::http::Method;

callboard_guests::hostile!("examples/ungranted_method.yaml", attack);

fn attack() -> Result<String, Error> {
    let url = callboard_guests::settings()?.url;
    let methods = [Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Head, Method::Options];
    let outcomes = methods.map(|method| callboard_guests::outcome_of(method, &url));
    Ok(outcomes.join("\n"))
}
