//! GitHub.

use anyhow::Result;
use bytes::Bytes;
use callboard_tests::client::{Answer, Client};
use callboard_tests::github::{Account, GitHub, Mood};
use callboard_tests::visitor::Visitor;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::{challenge, parameter, redirect_uri};

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-in-all";

fn authorize(github: &GitHub, other: &[(&str, &str)]) -> Result<Url> {
    let mut url = Url::parse(&format!("{}/login/oauth/authorize", github.base()))?;
    for (name, value) in [
        ("client_id", github.client_id()),
        ("redirect_uri", redirect_uri()?.as_str()),
        ("scope", "read:user user:email"),
        ("state", "xyz"),
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

/// Sends somebody there, and returns where they are sent.
async fn visit(github: &GitHub, other: &[(&str, &str)]) -> Result<Url> {
    let authorize = authorize(github, other)?;
    github.sign_in(&mut Visitor::new(&authorize), &authorize).await
}

/// Asks for the token of a code.
async fn exchange(github: &GitHub, code: &str, other: &[(&str, &str)], accept: &str) -> Result<Answer> {
    let redirect_uri = redirect_uri()?;
    let mut form = Serializer::new(String::new());
    for (name, value) in [
        ("client_id", github.client_id()),
        ("client_secret", github.client_secret()),
        ("code", code),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", VERIFIER),
    ] {
        let value = other.iter().find(|(key, _)| *key == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            form.append_pair(name, value);
        }
    }
    let request = Request::post(format!("{}/login/oauth/access_token", github.base()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, accept)
        .body(Full::new(Bytes::from(form.finish())))?;
    Client::new(github.base().parse()?).request(request).await?.ok()
}

async fn token(github: &GitHub, other: &[(&str, &str)]) -> Result<String> {
    let code = parameter(&visit(github, other).await?, "code")?;
    let answer: Value = exchange(github, &code, &[], "application/json").await?.json()?;
    assert_eq!(answer["token_type"], "bearer", "{answer}");
    Ok(answer["access_token"].as_str().unwrap_or_default().to_owned())
}

async fn ask(github: &GitHub, path: &str, token: &str, agent: &str) -> Result<Answer> {
    let mut request = Request::get(format!("{}/api/v3/{path}", github.base()))
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if !agent.is_empty() {
        request = request.header(header::USER_AGENT, agent);
    }
    Client::new(github.base().parse()?).request(request.body(Full::default())?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let github = GitHub::start(&redirect_uri()?).await?;
    for (mood, account) in [
        (Mood::Approves, Account::new("ada", 1815, "ada@example.com")),
        (Mood::Asks, Account::new("grace", 1906, "grace@example.com")),
    ] {
        github.mood(mood);
        github.is_used_by(account.clone());
        let back = visit(&github, &[]).await?;
        assert_eq!(parameter(&back, "state")?, "xyz");
        let token = token(&github, &[]).await?;
        let user: Value = ask(&github, "user", &token, "tests").await?.ok()?.json()?;
        assert_eq!((&user["login"], &user["id"]), (&json!(account.login), &json!(account.id)), "{user}");
        assert_eq!((&user["node_id"], &user["email"]), (&json!(account.node_id), &Value::Null), "{user}");
        let emails: Value = ask(&github, "user/emails", &token, "tests").await?.ok()?.json()?;
        let email = json!({
            "email": account.emails[0].email, "primary": true, "verified": true, "visibility": "private",
        });
        assert_eq!(emails, json!([email]));
    }
    let seen = github.seen();
    assert!(seen.iter().any(|seen| seen.form.get("code_verifier").map(String::as_str) == Some(VERIFIER)), "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_for_one() -> Result<()> {
    let github = GitHub::start(&redirect_uri()?).await?;
    for (other, error) in [
        (("client_id", "Iv1.another"), "incorrect_client_credentials"),
        (("client_secret", "guessed"), "incorrect_client_credentials"),
        (("client_secret", ""), "incorrect_client_credentials"),
        (("redirect_uri", "http://127.0.0.1:9/elsewhere"), "redirect_uri_mismatch"),
        (("code_verifier", "guessed"), "bad_verification_code"),
        (("code_verifier", ""), "bad_verification_code"),
        (("code", "guessed"), "bad_verification_code"),
        (("", ""), ""),
    ] {
        let code = parameter(&visit(&github, &[]).await?, "code")?;
        let answer: Value = exchange(&github, &code, &[other], "application/json").await?.json()?;
        assert_eq!(answer["error"].as_str().unwrap_or_default(), error, "{other:?}: {answer}");
        assert_eq!(answer["access_token"].is_string(), error.is_empty(), "{other:?}: {answer}");
        if error.is_empty() {
            let again: Value = exchange(&github, &code, &[], "application/json").await?.json()?;
            assert_eq!(again["error"], "bad_verification_code", "a code is good once");
        }
    }
    // Without a challenge no verifier is needed, and without `Accept` the answer is a form.
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = parameter(&visit(&github, &without).await?, "code")?;
    let answer = exchange(&github, &code, &[("code_verifier", "")], "*/*").await?.text();
    assert!(answer.starts_with("access_token=gho_"), "{answer}");
    assert!(answer.ends_with("&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_sent_to_the_registered_address_alone() -> Result<()> {
    let github = GitHub::start(&redirect_uri()?).await?;
    let registered = redirect_uri()?;
    for wrong in ["https://elsewhere.example/", "http://127.0.0.1:9/api/auth/peer/handler/frame/more"] {
        let back = visit(&github, &[("redirect_uri", wrong)]).await?;
        assert_eq!((back.origin(), back.path()), (registered.origin(), registered.path()), "{wrong}");
        assert_eq!(parameter(&back, "error")?, "redirect_uri_mismatch", "{wrong}");
    }
    for (mood, error) in [(Mood::Denies, "access_denied"), (Mood::Suspends, "application_suspended")] {
        github.mood(mood);
        let back = visit(&github, &[]).await?;
        assert_eq!((parameter(&back, "error")?, parameter(&back, "state")?), (error.to_owned(), "xyz".to_owned()));
    }
    github.mood(Mood::Approves);
    for (other, status) in [(("client_id", "Iv1.another"), "404"), (("code_challenge_method", "plain"), "400")] {
        let refused = visit(&github, &[other]).await.map(String::from).unwrap_err();
        assert!(refused.to_string().contains(status), "{other:?}: {refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_who_may_ask() -> Result<()> {
    let github = GitHub::start(&redirect_uri()?).await?;
    let token = token(&github, &[("scope", "read:user")]).await?;
    for (path, token, agent, status) in [
        ("user", token.as_str(), "tests", 200),
        ("user", &token, "", 403),
        ("user", "gho_guessed", "tests", 401),
        // `read:user` is not enough for addresses.
        ("user/emails", &token, "tests", 404),
    ] {
        assert_eq!(ask(&github, path, token, agent).await?.status, status, "{path} {agent}");
    }
    for (mood, status) in [(Mood::Revokes, 401), (Mood::Down, 503), (Mood::Approves, 200)] {
        github.mood(mood);
        assert_eq!(ask(&github, "user", &token, "tests").await?.status, status, "{mood:?}");
    }
    github.mood(Mood::Unverified);
    let code = parameter(&visit(&github, &[]).await?, "code")?;
    let answer: Value = exchange(&github, &code, &[], "application/json").await?.json()?;
    assert_eq!(answer["error"], "unverified_user_email");
    Ok(())
}
