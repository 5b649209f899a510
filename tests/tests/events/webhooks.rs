//! What a webhook takes, and what it does not, without telling whoever sends it.

use anyhow::Result;
use callboard_model::api::AuditPage;
use callboard_tests::portal::{TestPortal, merge};
use callboard_tests::webhook::{SECRET, send, signature};
use serde_json::json;

use super::{config, kept_by, say, words};

const BODY: &[u8] = br#"{"word":"signed"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_signed_is_taken() -> Result<()> {
    let portal = TestPortal::start(config()?).await?;
    let client = portal.anonymous();
    let good = signature(BODY);
    let other = signature(b"{}");
    let id = ("x-github-delivery", "corpus");
    let name = "x-hub-signature-256";
    let mut refusals = 0;
    let mut check = async |topic: &str, headers: &[(&str, &str)], body: &[u8], expected: u16| -> Result<()> {
        let answer = send(&client, topic, headers, body).await?;
        assert_eq!(answer.status.as_u16(), expected, "{topic} {headers:?}: {}", answer.text());
        if expected == 403 {
            refusals += 1;
            // The same words for everything, whatever there is.
            assert!(answer.text().contains("This webhook is not for you"), "{}", answer.text());
            for word in ["secret", "signature", "x-hub", "good-subscriber", SECRET] {
                assert!(!answer.text().contains(word), "{word}: {}", answer.text());
            }
        }
        Ok(())
    };
    check("hook", &[], BODY, 403).await?;
    check("hook", &[id], BODY, 403).await?;
    check("hook", &[(name, &other), id], BODY, 403).await?;
    check("hook", &[(name, &good)], BODY, 403).await?;
    check("hook", &[(name, &good), id], br#"{"word":"another"}"#, 403).await?;
    check("hook", &[(name, &good.replace("sha256=", "SHA256=")), id], BODY, 403).await?;
    check("hook", &[(name, &good.replace("sha256=", "sha1=")), id], BODY, 403).await?;
    check("hook", &[("x-hub-signature", &good), id], BODY, 403).await?;
    check("hook", &[("x-gitlab-token", SECRET), id], BODY, 403).await?;
    check("token", &[(name, &good), id], BODY, 403).await?;
    check("token", &[("x-gitlab-token", "guess"), ("x-gitlab-event-uuid", "1")], BODY, 403).await?;
    check("token", &[("x-gitlab-token", SECRET)], BODY, 403).await?;
    for topic in ["other", "HOOK", "hook%00", "catalog.entity", "hook.push", "%e2%80%ae"] {
        check(topic, &[(name, &good), id], BODY, 403).await?;
    }
    // A session is no signature, and a page of another site is turned away before anything else.
    let cookie = portal.client().cookie.clone().unwrap_or_default();
    let own = portal.url().origin().ascii_serialization();
    check("hook", &[id, ("cookie", &cookie), ("origin", &own)], BODY, 403).await?;
    let foreign = [(name, good.as_str()), id, ("origin", "https://evil.example")];
    assert_eq!(send(&client, "hook", &foreign, BODY).await?.status.as_u16(), 403);

    let large = vec![b'x'; 3 * 1024 * 1024 + 1];
    check("hook", &[(name, &signature(&large)), id], &large, 413).await?;
    let form = http::Request::post(client.base().join("api/events/http/hook")?.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .header(name, good.as_str())
        .header("x-github-delivery", "corpus");
    let answer = client.request(form.body(http_body_util::Full::new(BODY.into()))?).await?;
    assert_eq!(answer.status.as_u16(), 415);
    for body in [b"{".as_slice(), b"", b"\xff", "[".repeat(200).as_bytes()] {
        check("hook", &[(name, &signature(body)), id], body, 400).await?;
    }

    // None of it reached the plugin. What is right does, once, however often it comes.
    check("hook", &[(name, &good), id], BODY, 202).await?;
    check("hook", &[(name, &good), id], BODY, 202).await?;
    check("hook", &[(name, &good), ("x-github-delivery", "another")], BODY, 202).await?;
    let same_id = br#"{"word":"same-id"}"#;
    check("hook", &[(name, &signature(same_id)), id], same_id, 202).await?;
    check("token", &[("x-gitlab-token", SECRET), ("x-gitlab-event-uuid", "1")], br#"{"word":"token"}"#, 202).await?;
    assert_eq!(say(&client, "last", "last").await?.status.as_u16(), 202);
    portal.until("all is taken", async || Ok(words(&kept_by(&portal).await?).len() == 3)).await?;
    let kept = kept_by(&portal).await?;
    let mut taken = words(&kept);
    taken.sort_unstable();
    assert_eq!(taken, ["last", "signed", "token"]);

    // The operator is told what the sender was not.
    portal
        .until("the refusals are in the audit log", async || {
            let page: AuditPage =
                portal.client().json("api/audit?permission=webhook&decision=denied&limit=500").await?;
            let reasons: Vec<&str> = page.items.iter().map(|entry| entry.rule.as_str()).collect();
            assert!(!reasons.iter().any(|reason| reason.contains(SECRET)), "{reasons:?}");
            let has = |word: &str| reasons.iter().any(|reason| reason.contains(word));
            Ok(has("x-hub-signature-256 is missing")
                && has("does not go with the body")
                && has("no plugin has a webhook"))
        })
        .await?;
    assert!(refusals > 15, "{refusals}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_no_webhook() -> Result<()> {
    let mut config = config()?;
    config["plugins"]["good-subscriber"]["grant"]["event-subscriber"] = json!({ "topics": ["token"] });
    let portal = TestPortal::start(&config).await?;
    assert_eq!(say(&portal.anonymous(), "1", "hello").await?.status.as_u16(), 403);
    let plugin = portal.plugin("good-subscriber").await?;
    let granted: Vec<(&str, bool)> = plugin.events.iter().map(|event| (event.topic.as_str(), event.granted)).collect();
    assert_eq!(granted, [("catalog.entity", false), ("hook", false), ("token", true)]);

    // Without a secret nobody can show that they are the sender.
    merge(&mut config, super::config()?);
    config["hook"] = json!({});
    let portal = portal.restart(&config).await?;
    assert_eq!(portal.plugin("good-subscriber").await?.reason, None);
    assert_eq!(say(&portal.anonymous(), "1", "hello").await?.status.as_u16(), 403);
    Ok(())
}
