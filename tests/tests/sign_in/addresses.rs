//! Where signing in begins and where it ends: at the portal's own addresses.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Scene, parameter};

/// Addresses that are not the portal's, however much they look it. `HOST` is the portal's host and port.
const FOREIGN: &[&str] = &[
    "https://elsewhere.example/",
    "http://elsewhere.example/",
    "//elsewhere.example/",
    "///elsewhere.example/",
    "/\\elsewhere.example/",
    "\\\\elsewhere.example/",
    "http:elsewhere.example",
    "http:\\\\elsewhere.example/",
    "http:///elsewhere.example/",
    "http://HOST@elsewhere.example/",
    "http://HOST%40elsewhere.example/",
    "http://HOST%2f@elsewhere.example/",
    "http://HOST\\@elsewhere.example/",
    "http://HOST.elsewhere.example/",
    "http://elsewhere.example/http://HOST/",
    "http://elsewhere.example?http://HOST/",
    "http://elsewhere.example#http://HOST/",
    "http://ada@HOST/",
    "https://HOST/",
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "ftp://HOST/",
    "javascript:alert(1)//HOST",
    "data:text/html,<script>alert(1)</script>",
    "java\tscript:alert(1)",
    " https://elsewhere.example/",
    "\thttps://elsewhere.example/",
    "https://elsewhere.example/\r\nset-cookie: a=b",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_away() -> Result<()> {
    let scene = Scene::oidc().await?;
    let url = scene.portal.url();
    let host = format!("{}:{}", url.host_str().context("a host")?, url.port().context("a port")?);
    for foreign in FOREIGN {
        let foreign = foreign.replace("HOST", &host);
        let mut visitor = scene.visitor();
        let answer = visitor.get(scene.start_at(&foreign)?.as_str()).await?;
        assert_eq!(answer.status, 400, "{foreign}: {answer:?}");
        let body: Value = answer.json()?;
        let message = body.pointer("/error/message").and_then(Value::as_str).context("a message")?;
        assert!(message.contains("redirectUrl"), "{foreign}: {message}");
    }
    Ok(())
}

/// Every page of the portal may be where somebody wants to go.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_arrives_where_they_wanted_to() -> Result<()> {
    let scene = Scene::oidc().await?;
    for page in ["", "catalog", "catalog/default/api/a?tab=definition#there", "docs/a%20b/%C3%A4?x=%26&y=1", "?q=//x"] {
        let page = scene.at(page)?;
        let mut visitor = scene.visitor();
        let answer = visitor.get(scene.start_at(page.as_str())?.as_str()).await?;
        let authorize = answer.header("location").with_context(|| format!("{page}: {answer:?}"))?.parse()?;
        let callback = scene.peer.sign_in(&mut visitor, &authorize, "ada").await?;
        let answer = visitor.get(callback.as_str()).await?;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, Some(page.as_str())), "{answer:?}");
        assert!(scene.user(&mut visitor).await?.is_some(), "{page}");
    }
    Ok(())
}

/// What is missing or unknown is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_is_none() -> Result<()> {
    let scene = Scene::oidc().await?;
    let page = scene.at("catalog")?;
    for (path, status, words) in [
        (format!("oidc/start?flow=redirect&redirectUrl={page}"), 400, "env"),
        (format!("oidc/start?env=&flow=redirect&redirectUrl={page}"), 400, "env"),
        (format!("oidc/start?env=production&flow=redirect&redirectUrl={page}"), 404, "production"),
        ("oidc/start?env=development&flow=redirect".to_owned(), 400, "redirectUrl"),
        (format!("oidc/start?env=development&flow=sideways&redirectUrl={page}"), 400, "flow"),
        (format!("okta/start?env=development&flow=redirect&redirectUrl={page}"), 404, "Unknown auth provider 'okta'"),
        ("okta/handler/frame?code=1&state=1".to_owned(), 404, "Unknown auth provider 'okta'"),
        ("okta/refresh?env=development".to_owned(), 404, "Unknown auth provider 'okta'"),
    ] {
        let answer = scene.visitor().get(&format!("api/auth/{path}")).await?;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let body: Value = answer.json()?;
        let message = body.pointer("/error/message").and_then(Value::as_str).context("a message")?;
        assert!(message.contains(words), "{path}: {message}");
    }
    Ok(())
}

/// The address that people come back to is the one that the configuration says, whatever a request says.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_configured() -> Result<()> {
    let scene = Scene::oidc().await?;
    let expected = scene.at("api/auth/oidc/handler/frame")?;
    let start = scene.start_at(scene.at("catalog")?.as_str())?;
    for (name, value) in [
        ("x-forwarded-host", "elsewhere.example"),
        ("forwarded", "host=elsewhere.example;proto=https"),
        ("x-forwarded-proto", "https"),
        ("x-original-url", "http://elsewhere.example/"),
    ] {
        let answer = scene.visitor().request(http::Method::GET, start.as_str(), &[(name, value)]).await?;
        let authorize = answer.header("location").context("where to")?.parse()?;
        assert_eq!(parameter(&authorize, "redirect_uri").as_deref(), Some(expected.as_str()), "{name}");
    }
    let more = format!("{start}&redirect_uri=http://elsewhere.example/&client_id=another&response_type=token");
    let answer = scene.visitor().get(&more).await?;
    if let Some(to) = answer.header("location") {
        let authorize = to.parse()?;
        assert_eq!(parameter(&authorize, "redirect_uri").as_deref(), Some(expected.as_str()));
        assert_eq!(parameter(&authorize, "response_type").as_deref(), Some("code"));
    }
    Ok(())
}
