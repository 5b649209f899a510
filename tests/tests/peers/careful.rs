//! A client of an OIDC provider that checks everything that OpenID Connect Core has it check, and says what is wrong.
//! It is here to be compared with, and shares nothing with the portal's own.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use callboard_tests::client::{Answer, Client};
use callboard_tests::oidc::OidcProvider;
use callboard_tests::visitor::Visitor;
use http::{Request, header};
use http_body_util::Full;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{challenge, parameter, redirect_uri};

/// More than any provider's documents need.
const MAX_BYTES: usize = 1024 * 1024;
/// How long ago a token may have been made, in seconds.
const MAX_AGE: i64 = 600;

pub(super) const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-in-all";
pub(super) const NONCE: &str = "once";
const STATE: &str = "of this browser";

/// Signs somebody in, and returns what the provider says about them.
pub(super) async fn sign_in(provider: &OidcProvider, login: &str) -> Result<Value> {
    let client = Client::new(provider.issuer().parse()?);
    let metadata = document(&client, "discovery", &provider.metadata_url()).await?;
    ensure!(metadata["issuer"] == provider.issuer(), "discovery: the issuer is {}", metadata["issuer"]);
    let endpoint = |name: &str| metadata[name].as_str().with_context(|| format!("discovery: no {name}"));

    let authorize = authorize(endpoint("authorization_endpoint")?, &[])?;
    let mut visitor = Visitor::new(client.base());
    let back = provider.sign_in(&mut visitor, &authorize, login).await?;
    ensure!(parameter(&back, "state")? == STATE, "state: {back}");
    ensure!(parameter(&back, "iss")? == provider.issuer(), "iss of the redirect: {back}");

    let code = parameter(&back, "code")?;
    let tokens = exchange(provider, &[("code", &code)]).await?;
    ensure!(tokens.status == 200, "token: {} {}", tokens.status, tokens.text());
    let tokens: Value = tokens.json().context("token: no JSON")?;
    let keys = document(&client, "jwks", endpoint("jwks_uri")?).await?;
    let mut claims = checked(provider, tokens["id_token"].as_str().context("token: no ID token")?, &keys)?;

    let access_token = tokens["access_token"].as_str().context("token: no access token")?;
    let request = Request::get(endpoint("userinfo_endpoint")?)
        .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
        .body(Full::default())?;
    let user: Value = client.request(request).await?.ok()?.json()?;
    ensure!(user["sub"] == claims["sub"], "userinfo: the sub is {}", user["sub"]);
    callboard_tests::portal::merge(&mut claims, user);
    ensure!(claims["email"].is_string(), "email: none");
    ensure!(claims["email_verified"] == true, "email_verified: {}", claims["email_verified"]);
    Ok(claims)
}

/// Where to send somebody, with some parameters that are other than they should be.
pub(super) fn authorize(endpoint: &str, other: &[(&str, &str)]) -> Result<Url> {
    let redirect_uri = redirect_uri()?;
    let mut url = Url::parse(endpoint)?;
    for (name, value) in [
        ("client_id", "portal"),
        ("redirect_uri", redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("state", STATE),
        ("nonce", NONCE),
        ("code_challenge", &challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ] {
        let value = other.iter().find(|(key, _)| *key == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Ok(url)
}

/// Asks for the tokens of a code. What is given twice is sent as it was given last; what is empty is not sent.
pub(super) async fn exchange(provider: &OidcProvider, fields: &[(&str, &str)]) -> Result<Answer> {
    let redirect_uri = redirect_uri()?;
    let mut form = Serializer::new(String::new());
    let usual =
        [("grant_type", "authorization_code"), ("redirect_uri", redirect_uri.as_str()), ("code_verifier", VERIFIER)];
    let usual = usual.iter().filter(|(name, _)| !fields.iter().any(|(key, _)| key == name));
    form.extend_pairs(usual.chain(fields).filter(|(name, value)| *name != "secret" && !value.is_empty()));
    let secret =
        fields.iter().find(|(name, _)| *name == "secret").map_or(provider.client_secret(), |(_, secret)| secret);
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(provider.client_id()), encoded(secret)));
    let request = Request::post(format!("{}/token", provider.issuer()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Basic {credentials}"))
        .body(Full::new(Bytes::from(form.finish())))?;
    Client::new(provider.issuer().parse()?).request(request).await
}

async fn document(client: &Client, what: &str, url: &str) -> Result<Value> {
    let answer = client.get(url).await?;
    ensure!(answer.status == 200, "{what}: {}", answer.status);
    ensure!(answer.body.len() <= MAX_BYTES, "{what}: {} bytes", answer.body.len());
    answer.json()
}

/// The claims of an ID token, after everything that section 3.1.3.7 asks for.
fn checked(provider: &OidcProvider, token: &str, keys: &Value) -> Result<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { anyhow::bail!("ID token: it has {} parts", parts.len()) };
    let signed = format!("{header}.{claims}");
    let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).context("ID token: not base64url");
    let (header, claims): (Value, Value) =
        (serde_json::from_slice(&bytes(header)?)?, serde_json::from_slice(&bytes(claims)?)?);

    ensure!(header["alg"] == "RS256", "alg: {}", header["alg"]);
    let mut known = keys["keys"].as_array().context("jwks: no keys")?.iter();
    let key = known.find(|key| key["kid"] == header["kid"]).with_context(|| format!("kid: {}", header["kid"]))?;
    let number = |name: &str| bytes(key[name].as_str().unwrap_or_default());
    RsaPublicKeyComponents { n: number("n")?, e: number("e")? }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &bytes(signature)?)
        .ok()
        .context("signature: not the provider's")?;

    let (ours, now) = (provider.client_id(), chrono::Utc::now().timestamp());
    ensure!(claims["iss"] == provider.issuer(), "iss: {}", claims["iss"]);
    ensure!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()), "sub: {}", claims["sub"]);
    ensure!(claims["aud"] == ours || claims["aud"] == serde_json::json!([ours]), "aud: {}", claims["aud"]);
    ensure!(claims["azp"].is_null() || claims["azp"] == ours, "azp: {}", claims["azp"]);
    ensure!(claims["exp"].as_i64().is_some_and(|exp| exp > now), "exp: {}", claims["exp"]);
    ensure!(claims["nbf"].is_null() || claims["nbf"].as_i64().is_some_and(|nbf| nbf <= now), "nbf: {}", claims["nbf"]);
    let is_fresh = |iat: i64| (now - MAX_AGE..=now + MAX_AGE).contains(&iat);
    ensure!(claims["iat"].as_i64().is_some_and(is_fresh), "iat: {}", claims["iat"]);
    ensure!(claims["nonce"] == NONCE, "nonce: {}", claims["nonce"]);
    Ok(claims)
}
