//! Says all that it can find out.

use callboard_sdk::http::Request;
use callboard_sdk::{Error, config, kv};

callboard_guests::hostile!("examples/secret_hunter.yaml", attack);

/// Everything that a guest can observe, in one text: the tests search it for their canaries.
fn attack() -> Result<String, Error> {
    let mut seen = Vec::new();
    for path in ["hostile", "backend", "integrations", "catalog", "auth", "", "hostile.token", "hostile.url", ".."] {
        seen.push(format!("config {path}: {:?}", config::get::<serde_json::Value>(path)));
    }
    let settings = callboard_guests::settings()?;
    let handle = settings.token.clone().unwrap_or_default();
    seen.push(format!("handle: {handle}"));
    // An upstream that repeats what it was sent would show the token to the guest.
    for handle in [handle.as_str(), "credential:0", "credential:2", "credential:99999999999999999999", "hostile.token"]
    {
        let answer = Request::get(&settings.url).credential(handle).send();
        seen.push(match answer {
            Ok(answer) => {
                let body = answer.bytes(1024 * 1024).map(|body| String::from_utf8_lossy(&body).into_owned());
                format!("echo: {} {:?} {body:?}", answer.status, answer.headers)
            }
            Err(error) => format!("echo: {error:?}"),
        });
    }
    // A header of the guest's own that asks the host for more.
    for (name, value) in [("authorization", "Bearer x"), ("cookie", "a=b"), ("host", "x"), ("x-a", "b\r\nx-c: d")] {
        seen.push(format!(
            "{name}: {:?}",
            Request::get(&settings.url).header(name, value).send().map(|answer| answer.status)
        ));
    }
    seen.push(format!("keys: {:?}", kv::keys("", None)));
    seen.push(format!("variables: {:?}", std::env::vars().collect::<Vec<_>>()));
    seen.push(format!("arguments: {:?}", std::env::args().collect::<Vec<_>>()));
    Ok(seen.join("\n"))
}
