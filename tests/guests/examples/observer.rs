//! Tells all that it is told, by whichever way: in its answer, in its log, and when it gives up.

use callboard_sdk::catalog::Query;
use callboard_sdk::http::{Method, Request};
use callboard_sdk::{Entity, EntityRef, Error, catalog, config, kv, log};
use serde_json::Value;

callboard_guests::hostile!("examples/observer.yaml", attack);

/// Every capability, with every credential that it has, and every error that comes of it.
fn attack() -> Result<String, Error> {
    let mut seen = Vec::new();
    let settings: Value = config::require("hostile")?;
    seen.push(format!("config: {settings} {:?} {:?}", config::get::<Value>("backend"), config::get::<Value>("")));
    let urls: Vec<String> = callboard_guests::settings()?.urls;
    for url in &urls {
        for name in ["token", "user", "key"] {
            let handle = settings.get(name).and_then(Value::as_str).unwrap_or("credential:none");
            for (method, revalidate) in [(Method::Get, false), (Method::Get, true), (Method::Post, false)] {
                let mut request = Request::new(method, url).credential(handle).header("x-own", "mine");
                if revalidate {
                    request = request.revalidate();
                }
                seen.push(match request.send() {
                    Ok(answer) => {
                        let head = format!("{} {} {:?}", answer.status, answer.url, answer.headers);
                        // In parts of one byte and of many: a secret that is cut in two is one all the same.
                        let mut body = Vec::new();
                        let mut part = 1;
                        let end = loop {
                            match answer.read(part) {
                                Ok(Some(bytes)) => body.extend(bytes),
                                Ok(None) => break "end".to_owned(),
                                Err(error) => break format!("{error:?}"),
                            }
                            part = part % 7 + 1;
                        };
                        format!("{head} {} {end}", String::from_utf8_lossy(&body))
                    }
                    Err(error) => format!("{error:?}"),
                });
            }
        }
    }
    seen.push(format!("set: {:?}", kv::set("seen", seen.join("\n").as_bytes())));
    seen.push(format!(
        "kept: {:?}",
        kv::get("seen").map(|kept| kept.map(|kept| String::from_utf8_lossy(&kept).into_owned()))
    ));
    seen.push(format!("too long: {:?}", kv::set(&"k".repeat(600), b"")));
    seen.push(format!("get: {:?}", catalog::get(&[EntityRef::new("API", "default", "x")])));
    seen.push(format!("query: {:?}", Query::all().send::<Entity>().map(|page| page.entities)));
    let seen = seen.join("\n");
    log::info(&seen);
    Ok(seen)
}
