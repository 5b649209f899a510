//! The peers that people sign in with are as true as the tests that stand on them need: a flow without a flaw ends with
//! somebody signed in, each flaw is one that a careful client sees, and what is not allowed is refused.

mod careful;
mod github;
mod oidc;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

/// Where people are sent back to. Nobody listens there, because the tests stop before.
fn redirect_uri() -> Result<Url> {
    Ok("http://127.0.0.1:9/api/auth/peer/handler/frame".parse()?)
}

/// The challenge of PKCE for a verifier.
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn parameter(url: &Url, name: &str) -> Result<String> {
    let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
    Ok(pairs.next().with_context(|| format!("{url} has no {name}"))?.1.into_owned())
}
