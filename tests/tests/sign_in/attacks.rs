//! Answers that are not the answer to what this browser asked.

use anyhow::{Context, Result};
use callboard::identity::session::NAME as SESSION;
use callboard_model::api::SignInError;
use url::form_urlencoded::Serializer;

use super::{Outcome, PAGE, Scene, parameter, with_parameter};

async fn both() -> Result<[Scene; 2]> {
    Ok([Scene::oidc().await?, Scene::github().await?])
}

/// What is wrong with the address that somebody comes back to.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_was_changed() -> Result<()> {
    for scene in both().await? {
        let other = scene.callback(&mut scene.visitor(), "ada").await?;
        for (what, name, value) in [
            ("without a state", "state", None),
            ("with an empty state", "state", Some(String::new())),
            ("with a guessed state", "state", Some("00".repeat(40))),
            ("with the state of another browser", "state", parameter(&other, "state")),
            ("without a code", "code", None),
            ("with a guessed code", "code", Some("guessed".to_owned())),
            // PKCE: the verifier is of the flow that the state belongs to.
            ("with the code of another browser", "code", parameter(&other, "code")),
        ] {
            let mut visitor = scene.visitor();
            let callback = scene.callback(&mut visitor, "ada").await?;
            let changed = with_parameter(&callback, name, value.as_deref());
            let answer = visitor.get(changed.as_str()).await?;
            let outcome = scene.outcome(&mut visitor, &answer).await?;
            outcome.refused().with_context(|| format!("{} {what}", scene.peer.id()))?;
        }
    }
    Ok(())
}

/// Somebody is made to follow a link that signs them in as somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn the_callback_of_another_browser() -> Result<()> {
    for scene in both().await? {
        let callback = scene.callback(&mut scene.visitor(), "ada").await?;
        // In a browser that has asked nothing, and in one that has asked for itself.
        for has_begun in [false, true] {
            let mut victim = scene.visitor();
            if has_begun {
                scene.begin(&mut victim).await?.ok().context("it begins")?;
            }
            let answer = victim.get(callback.as_str()).await?;
            scene.outcome(&mut victim, &answer).await?.refused().with_context(|| scene.peer.id())?;
        }
    }
    Ok(())
}

/// An answer is good once, and its code does not reach the peer a second time with our secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_comes_again() -> Result<()> {
    for scene in both().await? {
        let mut visitor = scene.visitor();
        let callback = scene.callback(&mut visitor, "ada").await?;
        let nonce = visitor.cookie(callback.as_str(), &format!("{}-nonce", scene.peer.id()))?.context("a cookie")?;
        let answer = visitor.get(callback.as_str()).await?;
        assert_eq!(scene.outcome(&mut visitor, &answer).await?, Outcome::ada());
        let exchanges = scene.peer.exchanges().await?.len();

        // By somebody who found both in a log, say.
        let mut thief = scene.visitor();
        let id = scene.peer.id();
        thief.hold(&format!("{id}-nonce={nonce}; Path=/api/auth/{id}/handler"))?;
        let answer = thief.get(callback.as_str()).await?;
        scene.outcome(&mut thief, &answer).await?.refused().context(id)?;
        let again = scene.peer.exchanges().await?.len();
        assert!(again <= exchanges + 1, "{id}: the code was sent {} times more", again - exchanges);
    }
    Ok(())
}

/// A state that an attacker has written, around the nonce that the victim's browser holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_leads_away() -> Result<()> {
    for scene in both().await? {
        let id = scene.peer.id();
        let mut visitor = scene.visitor();
        let callback = scene.callback(&mut visitor, "ada").await?;
        let nonce = visitor.cookie(callback.as_str(), &format!("{id}-nonce"))?.context("a cookie")?;
        let form = Serializer::new(String::new())
            .extend_pairs([("nonce", nonce.as_str()), ("env", "development"), ("flow", "redirect")])
            .append_pair("redirectUrl", "https://elsewhere.example/")
            .append_pair("origin", "https://elsewhere.example")
            .finish();
        let state: String = form.bytes().map(|byte| format!("{byte:02x}")).collect();
        let answer = visitor.get(with_parameter(&callback, "state", Some(&state)).as_str()).await?;
        scene.outcome(&mut visitor, &answer).await?.refused().context(id)?;
    }
    Ok(())
}

/// The peer says that it was not this portal's question (RFC 9207), or that somebody said no.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_something_else() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut visitor = scene.visitor();
    let callback = scene.callback(&mut visitor, "ada").await?;
    assert!(parameter(&callback, "iss").is_some(), "{callback}");
    let answer = visitor.get(with_parameter(&callback, "iss", Some("https://issuer.example")).as_str()).await?;
    assert_eq!(scene.outcome(&mut visitor, &answer).await?, Outcome::Refused(SignInError::FlowMismatch));

    let mut visitor = scene.visitor();
    let authorize = scene.begin(&mut visitor).await?.ok().context("it begins")?;
    let callback = scene.provider()?.refuse(&mut visitor, &authorize).await?;
    let answer = visitor.get(callback.as_str()).await?;
    assert_eq!(scene.outcome(&mut visitor, &answer).await?, Outcome::Refused(SignInError::ProviderRefused));
    assert!(scene.peer.exchanges().await?.is_empty(), "there was no code to exchange");
    Ok(())
}

/// What the peer's error says is for the log: whoever wrote it, nothing of it is shown.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_text() -> Result<()> {
    for scene in both().await? {
        for description in ["<script>alert(1)</script>", "line\r\nset-cookie: a=b", &"long".repeat(2000)] {
            let mut visitor = scene.visitor();
            let callback = scene.callback(&mut visitor, "ada").await?;
            let callback = with_parameter(&with_parameter(&callback, "code", None), "error", Some("server_error"));
            let callback = with_parameter(&callback, "error_description", Some(description));
            let answer = visitor.get(callback.as_str()).await?;
            let outcome = scene.outcome(&mut visitor, &answer).await?;
            assert_eq!(outcome, Outcome::Refused(SignInError::ProviderRefused), "{description}");
            assert!(answer.text().is_empty(), "{}", answer.text());
            assert!(answer.headers.get_all("set-cookie").iter().all(|cookie| cookie != "a=b"), "{answer:?}");
        }
    }
    Ok(())
}

/// A session that was there before, whoever put it there, is not the one that somebody is signed in with.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_before() -> Result<()> {
    for scene in both().await? {
        let guest = scene.portal.signed_in("user:default/guest").await?.cookie.context("a session")?;
        for before in [guest, format!("{SESSION}={}", "ab".repeat(32))] {
            let mut visitor = scene.visitor();
            visitor.hold(&format!("{before}; Path=/"))?;
            assert_eq!(scene.attempt_over(&mut visitor, "ada").await?, "user:default/ada");
            let after = visitor.cookie("/", SESSION)?.context("a session")?;
            assert_ne!(format!("{SESSION}={after}"), before);
            let mut old = scene.visitor();
            old.hold(&format!("{before}; Path=/"))?;
            assert_eq!(scene.user(&mut old).await?, None, "the session from before is over");
        }
    }
    Ok(())
}

/// An attempt that fails takes nobody's session away, and gives nobody another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_leaves_a_session_alone() -> Result<()> {
    let scene = Scene::oidc().await?;
    let mut visitor = scene.visitor();
    assert_eq!(scene.attempt(&mut visitor, "ada").await?, Outcome::ada());
    let before = visitor.cookie("/", SESSION)?;
    let callback = with_parameter(&scene.at("api/auth/oidc/handler/frame")?, "code", Some("guessed"));
    let answer = visitor.get(with_parameter(&callback, "state", Some("00")).as_str()).await?;
    assert_eq!(scene.reason(&answer)?, SignInError::Expired);
    assert_eq!(visitor.cookie("/", SESSION)?, before);
    assert_eq!(scene.user(&mut visitor).await?.as_deref(), Some("user:default/ada"));
    Ok(())
}

impl Scene {
    /// The whole way for somebody who had a session before. Returns who they are then.
    async fn attempt_over(&self, visitor: &mut callboard_tests::visitor::Visitor, login: &str) -> Result<String> {
        let callback = self.callback(visitor, login).await?;
        let answer = visitor.get(callback.as_str()).await?;
        assert_eq!(answer.header("location"), Some(self.at(PAGE)?.as_str()), "{answer:?}");
        self.user(visitor).await?.context("nobody is signed in")
    }
}
