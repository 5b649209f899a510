//! GitHub, which says who somebody is by its API.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use callboard_model::api::SignInError;
use callboard_store::{DatabaseConfig, Db, query};
use callboard_tests::github::{Account, Email, Mood};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Outcome, Scene, parameter};

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let scene = Scene::github().await?;
    for mood in [Mood::Approves, Mood::Asks] {
        scene.hub()?.mood(mood);
        let mut visitor = scene.visitor();
        let authorize = scene.begin(&mut visitor).await?.map_err(|answer| anyhow::anyhow!(answer.text()))?;
        let of = |name: &str| parameter(&authorize, name).with_context(|| format!("{authorize} has no {name}"));
        assert_eq!(authorize.path(), "/login/oauth/authorize");
        for (name, value) in [
            ("client_id", scene.hub()?.client_id()),
            ("redirect_uri", scene.at("api/auth/github/handler/frame")?.as_str()),
            ("response_type", "code"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(of(name)?, value);
        }
        let scope = of("scope")?;
        assert!(scope.split(' ').any(|scope| scope == "read:user"), "{scope}");

        let callback = scene.peer.sign_in(&mut visitor, &authorize, "ada").await?;
        let answer = visitor.get(callback.as_str()).await?;
        assert_eq!(scene.outcome(&mut visitor, &answer).await?, Outcome::ada());
        let exchanges = scene.peer.exchanges().await?;
        let exchange = exchanges.last().context("the exchange")?;
        let verifier = exchange.get("code_verifier").context("a verifier")?;
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), of("code_challenge")?);
        assert_eq!(exchange.get("redirect_uri").map(String::as_str), Some(of("redirect_uri")?.as_str()));
    }
    // The token is in a header, and never in an address.
    for seen in scene.hub()?.seen().iter().filter(|seen| seen.path.starts_with("/api/v3/")) {
        assert!(seen.authorization.as_deref().is_some_and(|value| value.contains("gho_")), "{seen:?}");
        assert!(seen.query.values().all(|value| !value.contains("gho_")), "{seen:?}");
    }
    Ok(())
}

/// What it takes to find out who somebody is, whatever the request asks for: the portal does nothing else with the token,
/// and nobody else gets it.
#[tokio::test(flavor = "multi_thread")]
async fn scopes() -> Result<()> {
    let scene = Scene::github().await?;
    let start = scene.start_at(scene.at("catalog")?.as_str())?;
    for asked in ["", "read:user", "repo read:user", "admin:org"] {
        let answer = scene.visitor().get(super::with_parameter(&start, "scope", Some(asked)).as_str()).await?;
        let authorize = answer.header("location").with_context(|| format!("{asked}: {answer:?}"))?.parse()?;
        assert_eq!(parameter(&authorize, "scope").as_deref(), Some("read:user"), "{asked}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolvers() -> Result<()> {
    let by_email = json!([{ "resolver": "emailMatchingUserEntityProfileEmail", "allowedDomains": ["example.com"] }]);
    let by_id = json!([{ "resolver": "userIdMatchingUserEntityAnnotation" }]);
    let by_name = json!([{ "resolver": "usernameMatchingUserEntityName" }]);
    let with = |login: &str, emails: &[(&str, bool, bool)]| {
        let mut account = Account::new(login, 7, "");
        account.emails = emails
            .iter()
            .map(|(email, primary, verified)| Email {
                email: (*email).to_owned(),
                primary: *primary,
                verified: *verified,
                visibility: primary.then_some("private"),
            })
            .collect();
        account
    };
    // An address that the profile shows, and that GitHub's list of addresses does not have as verified.
    let mut boaster = with("boaster", &[("boaster@example.com", true, true), ("ada@example.com", false, false)]);
    boaster.email = Some("ada@example.com".to_owned());
    for (resolvers, account, expected) in [
        (&by_name, Account::new("ada", 7, "x@x.example"), Some("ada")),
        (&by_name, Account::new("ada2", 1815, "ada@example.com"), None),
        (&by_id, Account::new("renamed", 1815, "x@x.example"), Some("ada")),
        // Somebody has taken the name that Ada had.
        (&by_id, Account::new("ada", 7, "ada@example.com"), None),
        (&by_email, Account::new("x", 7, "ada@example.com"), Some("ada")),
        (&by_email, with("x", &[("ada@example.com", true, false)]), None),
        (&by_email, with("x", &[]), None),
        // Any address that GitHub has verified is theirs; one that two people are known by says nothing.
        (&by_email, with("x", &[("x@elsewhere.example", true, true), ("ada@example.com", false, true)]), Some("ada")),
        (&by_email, with("x", &[("grace@example.com", true, true), ("ada@example.com", false, true)]), None),
        (&by_email, Account::new("mallory", 7, "mallory@elsewhere.example"), None),
        (&by_email, boaster, None),
    ] {
        let scene = Scene::github_with(resolvers).await?;
        scene.hub()?.is_used_by(account.clone());
        let outcome = scene.attempt(&mut scene.visitor(), "").await?;
        match expected {
            Some(name) => assert_eq!(outcome, Outcome::SignedIn(format!("user:default/{name}")), "{resolvers}"),
            None => drop(outcome.refused().with_context(|| format!("{resolvers}: {account:?}"))?),
        }
    }
    Ok(())
}

/// What GitHub can answer instead of a person, and what whoever waits is told of it.
pub(crate) const MOODS: &[(Mood, SignInError)] = &[
    (Mood::Denies, SignInError::ProviderRefused),
    (Mood::Suspends, SignInError::ProviderRefused),
    (Mood::Unverified, SignInError::ProviderRefused),
    (Mood::Revokes, SignInError::ProviderRefused),
    (Mood::Down, SignInError::ProviderUnreachable),
];

#[tokio::test(flavor = "multi_thread")]
async fn moods() -> Result<()> {
    let scene = Scene::github().await?;
    for (mood, reason) in MOODS {
        scene.hub()?.mood(*mood);
        let outcome = scene.attempt(&mut scene.visitor(), "").await?;
        assert_eq!(outcome, Outcome::Refused(*reason), "{mood:?}");
    }
    Ok(())
}

/// What the portal cannot record does not happen, and whoever waits is told so at the page where they can try again.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_cannot_be_recorded() -> Result<()> {
    let scene = Scene::github().await?;
    let file = scene.portal.folder().join("data/callboard.sqlite");
    let database = Db::open(&DatabaseConfig::File(file)).await?;
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    database.execute(query(refuse, Vec::new())).await?;
    let outcome = scene.attempt(&mut scene.visitor(), "ada").await?;
    assert_eq!(outcome, Outcome::Refused(SignInError::PortalFailed));
    database.execute(query("DROP TRIGGER full", Vec::new())).await?;
    let outcome = scene.attempt(&mut scene.visitor(), "ada").await?;
    assert_eq!(outcome, Outcome::ada());
    Ok(())
}
