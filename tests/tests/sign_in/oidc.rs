//! Sound providers, and what the portal sends them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use callboard::identity::session::NAME as SESSION;
use callboard_model::api::SignInError;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Outcome, PAGE, Scene, parameter};

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut visitor = scene.visitor();

    let start = visitor.get(scene.start_at(scene.at(PAGE)?.as_str())?.as_str()).await?;
    assert_eq!(start.status, 302, "{}", start.text());
    let authorize = start.header("location").context("where to")?.parse()?;
    let of = |name: &str| parameter(&authorize, name).with_context(|| format!("{authorize} has no {name}"));
    for (name, value) in [
        ("client_id", scene.provider()?.client_id()),
        ("redirect_uri", scene.at("api/auth/oidc/handler/frame")?.as_str()),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(of(name)?, value);
    }
    let scope = of("scope")?;
    let scopes: BTreeSet<&str> = scope.split(' ').collect();
    assert!(["openid", "email", "profile"].iter().all(|scope| scopes.contains(scope)), "{scopes:?}");
    let challenge = of("code_challenge")?;

    // What ties the answer to this browser is out of reach of scripts, and of no use anywhere else.
    let cookie = start.header("set-cookie").context("a cookie ties the answer to this browser")?;
    assert!(cookie.starts_with("oidc-nonce="), "{cookie}");
    let attributes: BTreeSet<String> = cookie.split("; ").skip(1).map(str::to_lowercase).collect();
    for attribute in ["httponly", "samesite=lax", "path=/api/auth/oidc/handler", "max-age=600"] {
        assert!(attributes.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain="), "{cookie}");

    let callback = scene.peer.sign_in(&mut visitor, &authorize, "ada").await?;
    let answer = visitor.get(callback.as_str()).await?;
    assert_eq!(scene.outcome(&mut visitor, &answer).await?, Outcome::ada());
    let cookies: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str()).collect::<Result<_, _>>()?;
    let session = cookies.iter().find(|cookie| cookie.starts_with(SESSION)).context("a session")?;
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(attribute), "{attribute}: {session}");
    }
    assert!(visitor.cookie(callback.as_str(), "oidc-nonce")?.is_none(), "it was good once: {cookies:?}");

    // The secret went where it belongs, and so did what proves that the code is ours.
    let seen = scene.provider()?.seen().await?;
    let exchange = seen.iter().find(|seen| seen.path == "/token").context("the exchange")?;
    assert!(exchange.authorization.as_deref().is_some_and(|value| value.starts_with("Basic ")), "{exchange:?}");
    let verifier = exchange.form.get("code_verifier").context("a verifier")?;
    assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), challenge);
    assert!((43..=128).contains(&verifier.len()), "{verifier}");
    Ok(())
}

/// No two attempts have anything in common that ties an answer to its attempt.
#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_its_own() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let mut visitor = scene.visitor();
        let authorize = scene.begin(&mut visitor).await?.map_err(|answer| anyhow::anyhow!(answer.text()))?;
        for name in ["state", "nonce", "code_challenge"] {
            let value = parameter(&authorize, name).with_context(|| format!("{authorize} has no {name}"))?;
            assert!(value.len() >= 22, "128 bits of {name} are longer than {value}");
            assert!(seen.insert(value), "{name} comes again");
        }
        let nonce = visitor.cookie("api/auth/oidc/handler/frame", "oidc-nonce")?.context("a cookie")?;
        assert!(seen.insert(nonce), "the cookie comes again");
    }
    Ok(())
}

/// Who is told to be who: the address must be verified, of a domain that is listed, and one user's.
#[tokio::test(flavor = "multi_thread")]
async fn people_are_known_by_their_address() -> Result<()> {
    let scene = Scene::oidc().await?;
    for (login, expected) in [
        ("ada", Ok("user:default/ada")),
        // `grace+portal@` is `grace@` to the catalog.
        ("grace", Ok("user:default/grace")),
        ("eve", Err(SignInError::EmailNotVerified)),
        ("mallory", Err(SignInError::DomainNotListed)),
        ("twin", Err(SignInError::AmbiguousUser)),
        ("nobody", Err(SignInError::NoUser)),
        ("plain", Err(SignInError::EmailNotVerified)),
    ] {
        let outcome = scene.attempt(&mut scene.visitor(), login).await?;
        match expected {
            Ok(user) => assert_eq!(outcome, Outcome::SignedIn(user.to_owned()), "{login}"),
            Err(reason) => assert_eq!(outcome, Outcome::Refused(reason), "{login}"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolvers() -> Result<()> {
    let local = "emailLocalPartMatchingUserEntityName";
    for (resolvers, login, expected) in [
        (json!([{ "resolver": local, "allowedDomains": ["example.com"] }]), "ada", Ok("user:default/ada")),
        (
            json!([{ "resolver": local, "allowedDomains": ["example.com"] }]),
            "mallory",
            Err(SignInError::DomainNotListed),
        ),
        // Where one finds nobody, the next one is asked; anything else that is wrong ends it.
        (
            json!([
                { "resolver": "subjectMatchingUserEntityAnnotation", "annotation": "example.org/unknown" },
                { "resolver": "emailMatchingUserEntityProfileEmail", "allowedDomains": ["example.com"] },
            ]),
            "ada",
            Ok("user:default/ada"),
        ),
        (
            json!([
                { "resolver": local, "allowedDomains": ["another.example"] },
                { "resolver": "emailMatchingUserEntityProfileEmail", "allowedDomains": ["example.com"] },
            ]),
            "ada",
            Err(SignInError::DomainNotListed),
        ),
        (json!([{ "resolver": "usernameMatchingUserEntityName" }]), "grace", Ok("user:default/grace")),
        (
            json!([{ "resolver": local, "allowedDomains": ["example.com"], "dangerouslyAllowSignInWithoutUserInCatalog": true }]),
            "nobody",
            Ok("user:default/nobody"),
        ),
        // Without one, nobody can be told from anybody.
        (json!([]), "ada", Err(SignInError::NotConfigured)),
    ] {
        let scene = Scene::oidc_with(&resolvers).await.with_context(|| resolvers.to_string())?;
        let outcome = scene.attempt(&mut scene.visitor(), login).await?;
        match expected {
            Ok(user) => assert_eq!(outcome, Outcome::SignedIn(user.to_owned()), "{resolvers}"),
            Err(reason) => assert_eq!(outcome, Outcome::Refused(reason), "{resolvers}"),
        }
    }
    Ok(())
}

/// In what sound providers differ.
#[tokio::test(flavor = "multi_thread")]
async fn manners() -> Result<()> {
    let scene = Scene::oidc().await?;
    // From here on the portal knows the provider's documents, and the key that is not the next one.
    assert_eq!(scene.attempt(&mut scene.visitor(), "ada").await?, Outcome::ada());
    for name in scene.provider()?.manners() {
        scene.provider()?.flaw(name).await?;
        assert_eq!(scene.attempt(&mut scene.visitor(), "ada").await?, Outcome::ada(), "{name}");
    }
    Ok(())
}

/// What the stock clients ask for once somebody has signed in.
#[tokio::test(flavor = "multi_thread")]
async fn refreshing_and_leaving() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut visitor = scene.visitor();
    let refresh = "api/auth/oidc/refresh?env=development";
    let script = [("x-requested-with", "XMLHttpRequest")];

    assert_eq!(visitor.request(Method::GET, refresh, &script).await?.status, 401, "nobody has signed in");
    assert_eq!(scene.attempt(&mut visitor, "ada").await?, Outcome::ada());
    assert_eq!(visitor.request(Method::GET, refresh, &[]).await?.status, 401, "another site could send that");
    let fresh: Value = visitor.request(Method::GET, refresh, &script).await?.ok()?.json()?;
    assert_eq!(fresh["profile"]["email"], "ada@example.com", "{fresh}");
    assert_eq!(fresh["profile"]["displayName"], "Ada Lovelace", "{fresh}");
    let identity = &fresh["backstageIdentity"];
    assert_eq!(identity["identity"]["type"], "user", "{fresh}");
    assert_eq!(identity["identity"]["userEntityRef"], "user:default/ada", "{fresh}");
    let owns = json!(["user:default/ada", "group:default/readers"]);
    assert_eq!(identity["identity"]["ownershipEntityRefs"], owns, "{fresh}");
    let token = identity["token"].as_str().context("a token")?;
    let bearer = format!("Bearer {token}");
    let list = scene.visitor().request(Method::GET, "api/catalog/entities", &[("authorization", &bearer)]).await?;
    assert_eq!(list.status, 200, "{}", list.text());

    let leave = "api/auth/oidc/logout?env=development";
    let own = scene.portal.url().origin().ascii_serialization();
    assert_eq!(visitor.request(Method::POST, leave, &[("origin", &own)]).await?.status, 401);
    let foreign = [script[0], ("origin", "https://elsewhere.example")];
    assert_eq!(visitor.request(Method::POST, leave, &foreign).await?.status, 403);
    assert_eq!(scene.user(&mut visitor).await?.as_deref(), Some("user:default/ada"), "still there");
    assert_eq!(visitor.request(Method::POST, leave, &[script[0], ("origin", &own)]).await?.status, 200);
    assert_eq!(scene.user(&mut visitor).await?, None);
    assert_eq!(visitor.request(Method::GET, refresh, &script).await?.status, 401);
    Ok(())
}
