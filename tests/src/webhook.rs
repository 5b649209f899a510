//! Webhooks, as a service sends them: nobody is signed in, and no page sends it.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use ring::hmac;

use crate::client::{Answer, Client};

/// What those who send them share with the portal.
pub const SECRET: &str = "the secret of the tests";

/// Sends one.
pub async fn send(client: &Client, topic: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let url = client.base().join(&format!("api/events/http/{topic}"))?;
    let mut request = http::Request::post(url.as_str()).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.request(request.body(Full::new(Bytes::copy_from_slice(body)))?).await
}

/// Its signature with [`SECRET`], as in `x-hub-signature-256`.
#[must_use]
pub fn signature(body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}
