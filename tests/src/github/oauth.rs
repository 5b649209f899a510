//! `/login/oauth`: people are asked, and their codes exchanged.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use super::{CLIENT_ID, CLIENT_SECRET, Code, Mood, Shared, Token};

type Parameters = BTreeMap<String, String>;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/authorize", get(authorize).post(approve)).route("/access_token", post(access_token))
}

async fn authorize(State(shared): State<Shared>, Query(wish): Query<Parameters>) -> Response {
    let mood = shared.known().mood;
    match mood {
        Mood::Asks => Html(
            "<!doctype html><html lang=\"en\"><title>GitHub of the tests</title><h1>Authorize the portal</h1>\
             <form method=\"post\"><button name=\"authorize\" value=\"1\">Authorize</button></form>",
        )
        .into_response(),
        Mood::Denies => back_with(&shared, &wish, "access_denied", "The user has denied your application access."),
        Mood::Suspends => back_with(&shared, &wish, "application_suspended", "Your application has been suspended."),
        _ => grant(&shared, &wish),
    }
}

/// The person has pressed the button.
async fn approve(State(shared): State<Shared>, Query(wish): Query<Parameters>) -> Response {
    grant(&shared, &wish)
}

fn grant(shared: &Shared, wish: &Parameters) -> Response {
    let of = |name: &str| wish.get(name).map(String::as_str);
    if of("client_id") != Some(CLIENT_ID) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let redirect_uri = of("redirect_uri").unwrap_or(shared.redirect_uri.as_str());
    if redirect_uri != shared.redirect_uri.as_str() {
        return back_with(shared, wish, "redirect_uri_mismatch", MISMATCH);
    }
    // What GitHub answers to half a challenge, or to a plain one, is not published.
    let challenge = match (of("code_challenge"), of("code_challenge_method")) {
        (None, None) => None,
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(challenge.to_owned()),
        _ => return (StatusCode::BAD_REQUEST, "code_challenge_method must be S256").into_response(),
    };
    let scopes: BTreeSet<&str> = of("scope").unwrap_or_default().split([' ', ',']).filter(|s| !s.is_empty()).collect();
    let code = secret::<10>();
    let mut known = shared.known();
    let token = Token { account: known.account.clone(), scopes: scopes.into_iter().map(str::to_owned).collect() };
    known.codes.insert(code.clone(), Code { token, redirect_uri: redirect_uri.to_owned(), challenge });
    drop(known);
    back(shared, wish, &[("code", &code)])
}

async fn access_token(State(shared): State<Shared>, headers: HeaderMap, Form(wish): Form<Parameters>) -> Response {
    let answer = exchange(&shared, &wish);
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return Json(json!(answer.into_iter().collect::<BTreeMap<_, _>>())).into_response();
    }
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    ([(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")], form).into_response()
}

const MISMATCH: &str = "The redirect_uri MUST match the registered callback URL for this application.";

/// The fields of the answer, which says 200 in any case.
fn exchange(shared: &Shared, wish: &Parameters) -> Vec<(&'static str, String)> {
    let of = |name: &str| wish.get(name).map(String::as_str);
    let error = |code: &str, description: &str| {
        let page = format!("https://docs.github.com/apps/oauth-apps/{code}");
        vec![("error", code.to_owned()), ("error_description", description.to_owned()), ("error_uri", page)]
    };
    if (of("client_id"), of("client_secret")) != (Some(CLIENT_ID), Some(CLIENT_SECRET)) {
        let description = "The client_id and/or client_secret passed are incorrect.";
        return error("incorrect_client_credentials", description);
    }
    let bad_code = || error("bad_verification_code", "The code passed is incorrect or expired.");
    let mut known = shared.known();
    if known.mood == Mood::Unverified {
        return error("unverified_user_email", "The user must have a verified primary email.");
    }
    let Some(code) = of("code").and_then(|code| known.codes.remove(code)) else { return bad_code() };
    if of("redirect_uri").is_some_and(|uri| uri != code.redirect_uri) {
        return error("redirect_uri_mismatch", MISMATCH);
    }
    let challenge = of("code_verifier").map(|verifier| BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    if code.challenge.is_some() && challenge != code.challenge {
        return bad_code();
    }
    let token = format!("gho_{}", secret::<18>());
    let scopes = code.token.scopes.join(",");
    known.tokens.insert(token.clone(), code.token);
    vec![("access_token", token), ("scope", scopes), ("token_type", "bearer".to_owned())]
}

fn back_with(shared: &Shared, wish: &Parameters, error: &str, description: &str) -> Response {
    let page = format!("/apps/oauth-apps/#{error}");
    back(shared, wish, &[("error", error), ("error_description", description), ("error_uri", &page)])
}

/// To the registered address, whatever was asked for.
fn back(shared: &Shared, wish: &Parameters, parameters: &[(&str, &str)]) -> Response {
    let mut to = Url::clone(&shared.redirect_uri);
    to.query_pairs_mut().extend_pairs(parameters);
    if let Some(state) = wish.get("state") {
        to.query_pairs_mut().append_pair("state", state);
    }
    (StatusCode::FOUND, [(header::LOCATION, String::from(to))]).into_response()
}

/// This many random bytes, in hexadecimal.
fn secret<const BYTES: usize>() -> String {
    rand::random::<[u8; BYTES]>().iter().map(|byte| format!("{byte:02x}")).collect()
}
