//! The OIDC provider.

use anyhow::{Context, Result};
use callboard_tests::oidc::OidcProvider;
use callboard_tests::visitor::{Arrival, Visitor};
use serde_json::Value;

use super::careful::{self, NONCE, VERIFIER};
use super::{parameter, redirect_uri};

/// Each flaw, and the word that the careful client's complaint begins with.
const FLAWS: &[(&str, &str)] = &[
    ("iss-missing", "iss"),
    ("iss-other", "iss"),
    ("iss-slash", "iss"),
    ("sub-missing", "sub"),
    ("sub-empty", "sub"),
    ("sub-number", "sub"),
    ("aud-missing", "aud"),
    ("aud-empty", "aud"),
    ("aud-other", "aud"),
    ("aud-several", "aud"),
    ("aud-several-azp-other", "aud"),
    ("azp-other", "azp"),
    ("exp-missing", "exp"),
    ("exp-past", "exp"),
    ("exp-text", "exp"),
    ("nbf-future", "nbf"),
    ("iat-missing", "iat"),
    ("iat-future", "iat"),
    ("iat-old", "iat"),
    ("nonce-missing", "nonce"),
    ("nonce-other", "nonce"),
    ("email-missing", "email"),
    ("email-unverified", "email_verified: false"),
    ("email-verified-missing", "email_verified: null"),
    ("email-verified-text", "email_verified: \"false\""),
    ("userinfo-sub-other", "userinfo"),
    ("alg-none", "alg"),
    ("hs256-client-secret", "alg"),
    ("hs256-public-key", "alg"),
    ("kid-unknown", "kid"),
    ("signature-wrong", "signature"),
    ("signature-missing", "signature"),
    ("key-embedded", "kid"),
    ("claims-altered", "signature"),
    ("id-token-rubbish", "ID token"),
    ("id-token-missing", "token: no ID token"),
    ("discovery-issuer", "discovery: the issuer"),
    ("discovery-redirect", "discovery: 302"),
    ("discovery-huge", "discovery: 8"),
    ("discovery-error", "discovery: 500"),
    ("jwks-huge", "jwks: "),
    ("jwks-empty", "kid"),
    ("jwks-error", "jwks: 500"),
    ("jwks-redirect", "jwks: 302"),
    ("token-error", "token: 400"),
    ("token-html", "token: no JSON"),
    ("token-redirect", "token: 307"),
];

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    let claims = careful::sign_in(&provider, "ada").await?;
    for (claim, value) in [
        ("sub", "7f3c-ada"),
        ("name", "Ada Lovelace"),
        ("preferred_username", "ada"),
        ("email", "ada@example.com"),
        ("picture", "https://pictures.example.com/ada.png"),
        ("nonce", NONCE),
    ] {
        assert_eq!(claims[claim], value);
    }
    let seen = provider.seen().await?;
    let token = seen.iter().find(|seen| seen.path == "/token").context("the exchange was written down")?;
    assert!(token.authorization.as_deref().is_some_and(|value| value.starts_with("Basic ")), "{token:?}");
    assert_eq!(token.form.get("code_verifier").map(String::as_str), Some(VERIFIER), "{token:?}");
    Ok(())
}

/// Who they say they are is what they are told to be, and some of it is not to be trusted.
#[tokio::test(flavor = "multi_thread")]
async fn accounts() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    for (login, expected) in [
        ("grace", Ok("grace+portal@example.com")),
        ("mallory", Ok("mallory@elsewhere.example")),
        ("nobody", Ok("nobody@example.com")),
        ("eve", Err("email_verified: false")),
        ("plain", Err("email: none")),
    ] {
        let claims = careful::sign_in(&provider, login).await.map_err(|error| format!("{error:#}"));
        let email = claims.as_ref().map(|claims| claims["email"].as_str().unwrap_or_default());
        assert_eq!(email.map_err(String::as_str), expected, "{login}");
    }
    assert!(careful::sign_in(&provider, "stranger").await.is_err(), "nobody of that name");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flaw_is_one() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    let named: Vec<_> = FLAWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(provider.flaws(), named, "each flaw is a line here");
    for (name, word) in FLAWS {
        provider.flaw(name).await?;
        let complaint = match careful::sign_in(&provider, "ada").await {
            Ok(claims) => panic!("{name} is no flaw: {claims}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(complaint.starts_with(word), "{name}: {complaint}");
        // It is gone with the next wish, and leaves nothing behind.
        provider.flawless().await?;
        careful::sign_in(&provider, "ada").await.with_context(|| format!("after {name}"))?;
    }
    assert!(provider.seen().await?.iter().all(|seen| !seen.elsewhere), "redirects are not followed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn manners_are_no_flaws() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    assert!(!provider.manners().is_empty());
    for name in provider.manners() {
        provider.flaw(name).await?;
        let claims = careful::sign_in(&provider, "ada").await.with_context(|| name.clone())?;
        assert_eq!(claims["email"], "ada@example.com", "{name}");
    }
    Ok(())
}

/// Whoever follows a redirect of a flaw finds a sound provider, so that only a refusal to follow is a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn elsewhere_is_sound() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    let mut visitor = Visitor::new(&provider.issuer().parse()?);
    for (name, path) in [("discovery-redirect", "/.well-known/openid-configuration"), ("jwks-redirect", "/jwks")] {
        let sound: Value = visitor.get(path).await?.ok()?.json()?;
        provider.flaw(name).await?;
        let answer = visitor.get(path).await?;
        let at = provider.issuer().parse()?;
        let Arrival::Page(url, page) = visitor.follow(&at, answer, |_| false).await? else { panic!("{name}") };
        assert_eq!(url.as_str(), format!("{}{path}", provider.elsewhere()));
        assert_eq!(page.json::<Value>()?, sound, "{name}");
        provider.flawless().await?;
    }
    assert_eq!(provider.seen().await?.iter().filter(|seen| seen.elsewhere).count(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_is_refused() -> Result<()> {
    let provider = OidcProvider::start(&redirect_uri()?).await?;
    let at = format!("{}/auth", provider.issuer());

    // A code is good once, for whoever has the verifier and the secret, and for the address that it was sent to.
    for (field, wrong, status, error) in [
        ("code_verifier", "another-verifier-of-at-least-forty-three-characters", 400, "invalid_grant"),
        ("code_verifier", "", 400, "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:9/elsewhere", 400, "invalid_grant"),
        ("secret", "guessed", 401, "invalid_client"),
        ("code", "guessed", 400, "invalid_grant"),
        ("", "", 200, ""),
    ] {
        let mut visitor = Visitor::new(&provider.issuer().parse()?);
        let back = provider.sign_in(&mut visitor, &careful::authorize(&at, &[])?, "ada").await?;
        let code = parameter(&back, "code")?;
        let fields = [(field, wrong), ("code", code.as_str())];
        let fields = if field == "code" { &fields[..1] } else { &fields[..] };
        let answer = careful::exchange(&provider, fields).await?;
        assert_eq!(answer.status, status, "{field} {wrong}: {}", answer.text());
        assert_eq!(answer.json::<Value>()?["error"].as_str().unwrap_or_default(), error, "{field} {wrong}");
        if error.is_empty() {
            let again = careful::exchange(&provider, fields).await?;
            assert_eq!(again.json::<Value>()?["error"], "invalid_grant", "a code is good once");
        }
    }

    // Nobody is sent to an address that is not registered, not even with an error.
    for wrong in ["http://127.0.0.1:9/api/auth/peer/handler/frame/", "http://127.0.0.1:8/api/auth/peer/handler/frame"] {
        let mut visitor = Visitor::new(&provider.issuer().parse()?);
        let url = careful::authorize(&at, &[("redirect_uri", wrong)])?;
        assert_eq!(visitor.get(url.as_str()).await?.status, 400, "{wrong}");
    }

    // Without PKCE there is no code, and none for somebody who says no.
    let mut visitor = Visitor::new(&provider.issuer().parse()?);
    for other in [("code_challenge", ""), ("code_challenge_method", "plain")] {
        let answer = visitor.get(careful::authorize(&at, &[other])?.as_str()).await?;
        let back = answer.header("location").context("an error for the client")?.parse()?;
        assert_eq!(parameter(&back, "error")?, "invalid_request", "{other:?}");
    }
    let back = provider.refuse(&mut visitor, &careful::authorize(&at, &[])?).await?;
    assert_eq!(parameter(&back, "error")?, "access_denied");
    Ok(())
}
