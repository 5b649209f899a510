//! Sends a thousand requests at once and reads none of the answers.

use callboard_sdk::http::Request;
use callboard_sdk::{Error, http};

callboard_guests::hostile!("examples/many_requests.yaml", attack);

fn attack() -> Result<String, Error> {
    let url = callboard_guests::settings()?.url;
    let mut kept = Vec::new();
    let mut refused = 0;
    let all_at_once = http::send_all((0..1000).map(|_| Request::get(&url)).collect());
    refused += all_at_once.iter().filter(|answer| answer.is_err()).count();
    kept.extend(all_at_once.into_iter().flatten());
    for _ in 0..20 {
        let answers = http::send_all((0..60).map(|_| Request::get(&url)).collect());
        refused += answers.iter().filter(|answer| answer.is_err()).count();
        kept.extend(answers.into_iter().flatten());
    }
    Ok(format!("kept {} open, {refused} refused", kept.len()))
}
