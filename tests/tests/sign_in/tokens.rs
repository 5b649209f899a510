//! Providers with a flaw: with none of them is anybody signed in, and each is named to the person who waits.

use anyhow::{Context, Result, ensure};

use super::{Outcome, Scene};

/// A flaw, and words of which the message has one, whatever their case.
type Case = (&'static str, &'static [&'static str]);

/// What is wrong with the ID token, or with what is said about the person.
const TOKENS: &[Case] = &[
    ("iss-missing", &["iss"]),
    ("iss-other", &["iss"]),
    ("iss-slash", &["iss"]),
    ("sub-missing", &["sub"]),
    ("sub-empty", &["sub"]),
    ("sub-number", &["sub"]),
    ("aud-missing", &["aud"]),
    ("aud-empty", &["aud"]),
    ("aud-other", &["aud"]),
    ("aud-several", &["aud"]),
    ("aud-several-azp-other", &["aud", "azp"]),
    ("azp-other", &["azp", "authorized party"]),
    ("exp-missing", &["exp"]),
    ("exp-past", &["exp"]),
    ("exp-text", &["exp"]),
    ("nbf-future", &["nbf", "not valid yet", "not yet valid"]),
    ("iat-missing", &["iat", "issued"]),
    ("iat-future", &["iat", "issued"]),
    ("iat-old", &["iat", "issued"]),
    ("nonce-missing", &["nonce"]),
    ("nonce-other", &["nonce"]),
    ("email-missing", &["email", "e-mail"]),
    ("email-unverified", &["verified"]),
    ("email-verified-missing", &["verified"]),
    ("email-verified-text", &["verified"]),
    ("userinfo-sub-other", &["sub", "userinfo", "email", "e-mail"]),
    ("alg-none", &["alg", "sign"]),
    ("hs256-client-secret", &["alg", "sign"]),
    ("hs256-public-key", &["alg", "sign"]),
    ("kid-unknown", &["key", "sign"]),
    ("signature-wrong", &["sign"]),
    ("signature-missing", &["sign"]),
    ("key-embedded", &["key", "sign"]),
    ("claims-altered", &["sign"]),
    ("id-token-rubbish", &["id token"]),
    ("id-token-missing", &["id token"]),
    ("token-error", &["token", "code"]),
    ("token-html", &["token"]),
    ("token-redirect", &["token", "redirect"]),
];

/// What is wrong with documents, which a portal may remember: each is asked of one that has seen none before.
const DOCUMENTS: &[Case] = &[
    ("discovery-issuer", &["iss"]),
    ("discovery-redirect", &["openid-configuration", "metadata", "discovery", "redirect"]),
    ("discovery-huge", &["openid-configuration", "metadata", "discovery"]),
    ("discovery-error", &["openid-configuration", "metadata", "discovery"]),
    ("jwks-huge", &["key", "jwks"]),
    ("jwks-empty", &["key", "jwks"]),
    ("jwks-error", &["key", "jwks"]),
    ("jwks-redirect", &["key", "jwks", "redirect"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_flaw_is_in_the_tables() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut flaws: Vec<&str> = scene.provider()?.flaws().iter().map(String::as_str).collect();
    let mut named: Vec<&str> = TOKENS.iter().chain(DOCUMENTS).map(|(name, _)| *name).collect();
    flaws.sort_unstable();
    named.sort_unstable();
    assert_eq!(flaws, named);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_a_flawed_token() -> Result<()> {
    let scene = Scene::oidc().await?;
    for case in TOKENS {
        refused(&scene, *case).await?;
        // It was the flaw, and nothing of it is left.
        scene.provider()?.flawless().await?;
        assert_eq!(scene.attempt(&mut scene.visitor(), "ada").await?, Outcome::ada(), "after {}", case.0);
    }
    nothing_went_elsewhere(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_a_flawed_document() -> Result<()> {
    let mut scene = Scene::oidc().await?;
    for case in DOCUMENTS {
        scene = scene.restart().await?;
        refused(&scene, *case).await?;
        // What is wrong for a while is not remembered for ever.
        scene.provider()?.flawless().await?;
        assert_eq!(scene.attempt(&mut scene.visitor(), "ada").await?, Outcome::ada(), "after {}", case.0);
    }
    nothing_went_elsewhere(&scene).await
}

async fn refused(scene: &Scene, (name, words): Case) -> Result<()> {
    scene.provider()?.flaw(name).await?;
    let message = scene.attempt(&mut scene.visitor(), "ada").await?.refused().context(name)?;
    let small = message.to_lowercase();
    ensure!(words.iter().any(|word| small.contains(word)), "{name}: none of {words:?} is in \"{message}\"");
    // It is for a person, and ends up in their history.
    for secret in [scene.provider()?.client_secret(), "eyJ", "<"] {
        ensure!(!message.contains(secret), "{name}: \"{message}\"");
    }
    Ok(())
}

/// A redirect of the provider leads nowhere, and above all the secret does not go there.
async fn nothing_went_elsewhere(scene: &Scene) -> Result<()> {
    let seen = scene.provider()?.seen().await?;
    let elsewhere: Vec<_> = seen.iter().filter(|seen| seen.elsewhere).collect();
    ensure!(elsewhere.is_empty(), "{elsewhere:?}");
    Ok(())
}
