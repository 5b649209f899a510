//! Providers with a flaw: with none of them is anybody signed in, and whoever waits is told whose fault it is.

use anyhow::{Context, Result, ensure};
use callboard_model::api::SignInError;

use super::{Outcome, Scene};

/// A flaw, and what whoever waits is told of it.
pub(crate) type Case = (&'static str, SignInError);

/// What is wrong with the ID token, or with what is said about the person.
pub(crate) const TOKENS: &[Case] = &[
    ("iss-missing", SignInError::ProviderInvalid),
    ("iss-other", SignInError::ProviderInvalid),
    ("iss-slash", SignInError::ProviderInvalid),
    ("sub-missing", SignInError::ProviderInvalid),
    ("sub-empty", SignInError::ProviderInvalid),
    ("sub-number", SignInError::ProviderInvalid),
    ("aud-missing", SignInError::ProviderInvalid),
    ("aud-empty", SignInError::ProviderInvalid),
    ("aud-other", SignInError::ProviderInvalid),
    ("aud-several", SignInError::ProviderInvalid),
    ("aud-several-azp-other", SignInError::ProviderInvalid),
    ("azp-other", SignInError::ProviderInvalid),
    ("exp-missing", SignInError::ProviderInvalid),
    ("exp-past", SignInError::ProviderInvalid),
    ("exp-text", SignInError::ProviderInvalid),
    ("nbf-future", SignInError::ProviderInvalid),
    ("iat-missing", SignInError::ProviderInvalid),
    ("iat-future", SignInError::ProviderInvalid),
    ("iat-old", SignInError::ProviderInvalid),
    ("nonce-missing", SignInError::ProviderInvalid),
    ("nonce-other", SignInError::ProviderInvalid),
    ("email-missing", SignInError::EmailNotVerified),
    ("email-unverified", SignInError::EmailNotVerified),
    ("email-verified-missing", SignInError::EmailNotVerified),
    ("email-verified-text", SignInError::ProviderInvalid),
    ("userinfo-sub-other", SignInError::ProviderInvalid),
    ("alg-none", SignInError::ProviderInvalid),
    ("hs256-client-secret", SignInError::ProviderInvalid),
    ("hs256-public-key", SignInError::ProviderInvalid),
    ("kid-unknown", SignInError::ProviderInvalid),
    ("signature-wrong", SignInError::ProviderInvalid),
    ("signature-missing", SignInError::ProviderInvalid),
    ("key-embedded", SignInError::ProviderInvalid),
    ("claims-altered", SignInError::ProviderInvalid),
    ("id-token-rubbish", SignInError::ProviderInvalid),
    ("id-token-missing", SignInError::ProviderInvalid),
    ("token-error", SignInError::ProviderRefused),
    ("token-html", SignInError::ProviderInvalid),
    ("token-redirect", SignInError::ProviderInvalid),
];

/// What is wrong with documents, which a portal may remember: each is asked of one that has seen none before.
const DOCUMENTS: &[Case] = &[
    ("discovery-issuer", SignInError::ProviderInvalid),
    ("discovery-redirect", SignInError::ProviderUnreachable),
    ("discovery-huge", SignInError::ProviderInvalid),
    ("discovery-error", SignInError::ProviderUnreachable),
    ("jwks-huge", SignInError::ProviderInvalid),
    ("jwks-empty", SignInError::ProviderInvalid),
    ("jwks-error", SignInError::ProviderUnreachable),
    ("jwks-redirect", SignInError::ProviderUnreachable),
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

async fn refused(scene: &Scene, (name, reason): Case) -> Result<()> {
    scene.provider()?.flaw(name).await?;
    let found = scene.attempt(&mut scene.visitor(), "ada").await?.refused().context(name)?;
    ensure!(found == reason, "{name}: {found:?}");
    Ok(())
}

/// A redirect of the provider leads nowhere, and above all the secret does not go there.
async fn nothing_went_elsewhere(scene: &Scene) -> Result<()> {
    let seen = scene.provider()?.seen().await?;
    let elsewhere: Vec<_> = seen.iter().filter(|seen| seen.elsewhere).collect();
    ensure!(elsewhere.is_empty(), "{elsewhere:?}");
    Ok(())
}
