//! Requests.

use std::time::Instant;

use anyhow::{Context, Result};
use callboard_store::Engine;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{in_time, on_both, portal};

on_both!(
    requests_that_are_refused,
    a_hundred_thousand_filters,
    requests_that_find_nothing,
    absurd_limits,
    nested_bodies,
    invalid_cursors,
);

/// Each is refused with a status of the request's fault and a message, at once.
async fn requests_that_are_refused(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    let by_query = "api/catalog/entities/by-query";
    let gets = vec![
        format!("{by_query}?filter={}", "a=b,".repeat(10_000)),
        format!("{by_query}?{}filter=a", "filter=a&".repeat(7_000)),
        format!("{by_query}?limit=-1"),
        format!("{by_query}?limit=99999999999999999999"),
        format!("{by_query}?limit=1e3"),
        format!("{by_query}?offset=-1"),
        format!("{by_query}?orderField=metadata.name,sideways"),
        "api/catalog/entities?limit=0".to_owned(),
        "api/catalog/entities?order=up:metadata.name".to_owned(),
        "api/catalog/entities?after=%00".to_owned(),
        format!("api/catalog/entity-facets?{}", "facet=a&".repeat(101).trim_end_matches('&')),
    ];
    for path in gets {
        let begun = Instant::now();
        let answer = portal.client().get(&path).await?;
        let shown: String = path.chars().take(100).collect();
        refused(&answer, &shown)?;
        in_time(begun, &shown);
    }
    let mut nested = json!({ "kind": "a" });
    for _ in 0..100 {
        nested = json!({ "$not": nested });
    }
    let many: Vec<_> = (0..4_001).map(|number| json!({ "x": number.to_string() })).collect();
    let bodies = [
        (by_query, json!({ "query": nested })),
        (by_query, json!({ "query": { "$any": many } })),
        (by_query, json!({ "query": { "kind": { "$in": vec!["a"; 100_000] } } })),
        (by_query, json!({ "limit": -1 })),
        (by_query, json!({ "limit": 1.5 })),
        ("api/catalog/entities/by-refs", json!({ "entityRefs": vec!["a"; 10_001] })),
        ("api/catalog/entities/by-refs", json!({ "entityRefs": "component:default/a" })),
        ("api/catalog/refresh", json!({ "entityRef": "" })),
        ("api/catalog/entity-facets", json!({ "facets": vec!["kind"; 101] })),
        ("api/catalog/locations/by-query", json!({ "limit": 0 })),
        ("api/catalog/locations/by-query", json!({ "limit": 1e300 })),
        ("api/catalog/locations", json!({ "type": "url", "target": "javascript:alert(1)" })),
        ("api/catalog/locations", json!({ "type": "url", "target": "https://a.example/\u{0}" })),
        ("api/catalog/locations?dryRun=true", json!({ "type": "url", "target": "https://a.example/\n" })),
    ];
    for (path, body) in bodies {
        let begun = Instant::now();
        let answer = portal.client().post(path, &body).await?;
        let shown: String = format!("{path} {body}").chars().take(150).collect();
        refused(&answer, &shown)?;
        in_time(begun, &shown);
    }
    assert!(portal.entity("component:default/sound").await?.is_some());
    Ok(())
}

/// No client of ours would send it: a request line of a hundred thousand filters. It is refused, or the connection ends.
async fn a_hundred_thousand_filters(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    let begun = Instant::now();
    let address = portal.url().socket_addrs(|| None)?;
    let (mut read, mut write) = TcpStream::connect(address.as_slice()).await?.into_split();
    let request = format!(
        "GET /api/catalog/entities/by-query?{}filter=a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "filter=a&".repeat(100_000)
    );
    // The server need not read all of it.
    let writing = tokio::spawn(async move { write.write_all(request.as_bytes()).await });
    let mut answer = Vec::new();
    let _ = read.read_to_end(&mut answer).await;
    let _ = writing.await?;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    in_time(begun, "the request");
    assert!(portal.entity("component:default/sound").await?.is_some());
    Ok(())
}

/// What is odd but has an answer: nothing is found, and nothing breaks.
async fn requests_that_find_nothing(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    for path in [
        "api/catalog/entities/by-query?filter=kind=%00",
        "api/catalog/entities/by-query?filter=%00=a",
        "api/catalog/entities/by-query?filter=kind=%01%02%7F%EF%BF%BF",
        "api/catalog/entities/by-query?fullTextFilterTerm=%00",
        "api/catalog/entities/by-query?filter=kind=';DROP TABLE entity;--",
        "api/catalog/entity-facets?facet=%00",
        "api/catalog/entities/by-query?fullTextFilterTerm=a&fullTextFilterFields=%00",
        "api/catalog/entities/by-query?orderField=%00",
        "api/catalog/entities?order=asc:%00",
        "api/catalog/entities?filter=relations.%00=%00",
    ] {
        let path = path.replace(' ', "%20");
        let answer = portal.client().get(&path).await?;
        assert!(answer.status.as_u16() < 500, "{path}: {} {}", answer.status, answer.text());
        if answer.status.is_success() {
            let body: Value = answer.json()?;
            let items = body.as_array().or_else(|| body["items"].as_array());
            assert_eq!(items.map_or(0, Vec::len), 0, "{path}: {body}");
        }
    }
    for path in [
        "entities/by-name/component/default/%00",
        "entities/by-name/component/%0A/x",
        "entities/by-name/%00/default/x",
        "entities/by-name/component/default/%00/ancestry",
        "entities/by-uid/%00",
        "entities/by-uid/%00/freshness",
        "locations/%00",
        "locations/by-entity/component/default/%00",
        "entities/by-name/component/default/%FF",
    ] {
        let answer = portal.client().get(&format!("api/catalog/{path}")).await?;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {} {}", answer.status, answer.text());
    }
    let nul = "\u{0}";
    for (path, body) in [
        ("entities/by-refs", json!({ "entityRefs": ["component:default/\u{0}", nul], "query": { nul: nul } })),
        ("entities/by-query", json!({ "query": { "kind": { "$in": [nul, "\u{1}"] } } })),
        ("entities/by-query", json!({ "query": { "kind": { "$hasPrefix": nul } } })),
        ("entities/by-query", json!({ "query": { "relations": { "$contains": { "type": nul, "targetRef": nul } } } })),
        ("locations/by-query", json!({ "query": { "id": nul } })),
        ("refresh", json!({ "entityRef": "component:default/\u{0}" })),
        ("validate-entity", json!({ "entity": { "kind": nul }, "location": "url:https://a.example/\u{0}" })),
        ("analyze-location", json!({ "location": { "type": "url", "target": "https://a.example/\u{0}" } })),
    ] {
        let answer = portal.client().post(&format!("api/catalog/{path}"), &body).await?;
        assert!(answer.status.as_u16() < 500, "{path} {body}: {} {}", answer.status, answer.text());
        if answer.status.is_success() && path != "analyze-location" {
            let found: Value = answer.json()?;
            let items = found["items"].as_array().context("items")?;
            assert!(items.iter().all(Value::is_null), "{path} {body}: {found}");
        }
    }
    let put = json!({ "type": "url", "target": "https://a.example/" });
    let answer = portal.client().send(Method::PUT, "api/catalog/locations/%00", Some(&put)).await?;
    assert_eq!(answer.status.as_u16(), 404, "{}", answer.text());
    for path in ["api/catalog/locations/%00", "api/catalog/entities/by-uid/%00"] {
        let answer = portal.client().delete(path).await?;
        assert!(matches!(answer.status.as_u16(), 204 | 404), "{path}: {} {}", answer.status, answer.text());
    }
    Ok(())
}

/// Limits that no list comes near are none: everything is there, in no more memory than that.
async fn absurd_limits(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    let begun = Instant::now();
    for path in [
        "entities/by-query?filter=kind=component&limit=9223372036854775807",
        "entities?filter=kind=component&limit=9223372036854775807",
    ] {
        let found: Value = portal.client().json(&format!("api/catalog/{path}")).await?;
        let items = found.as_array().or_else(|| found["items"].as_array()).context("items")?;
        assert_eq!(items.len(), 1, "{path}");
    }
    let most = u64::MAX;
    for (path, body, items) in [
        ("entities/by-query", json!({ "limit": most, "query": { "kind": "component" } }), 1),
        ("entities/by-query", json!({ "limit": most, "offset": most }), 0),
        ("locations/by-query", json!({ "limit": most }), 0),
    ] {
        let found: Value = portal.client().post(&format!("api/catalog/{path}"), &body).await?.ok()?.json()?;
        assert_eq!(found["items"].as_array().map(Vec::len), Some(items), "{path} {body}");
    }
    in_time(begun, "absurd limits");
    Ok(())
}

/// A body of as many brackets as fit into one.
async fn nested_bodies(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    for path in ["entities/by-query", "entities/by-refs", "entity-facets", "locations/by-query", "validate-entity"] {
        let text = format!(r#"{{"query":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(portal.url().join(&format!("api/catalog/{path}"))?.as_str())
            .header("origin", portal.url().origin().ascii_serialization())
            .header("content-type", "application/json")
            .header("cookie", portal.client().cookie.as_deref().unwrap_or_default())
            .body(text.into())?;
        let begun = Instant::now();
        let answer = portal.client().request(request).await?;
        in_time(begun, path);
        refused(&answer, path)?;
        assert!(answer.text().contains("recursion limit"), "{path}: {}", answer.text());
    }
    Ok(())
}

/// Cursors that nobody was given.
async fn invalid_cursors(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    let base64 = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let by_query = "api/catalog/entities/by-query";
    let cursors = [
        "@@".to_owned(),
        "\u{0}".to_owned(),
        base64(""),
        base64("[]"),
        base64("{}"),
        base64("\"x\""),
        base64(&"[".repeat(10_000)),
        base64(r#"{"limit":0,"offset":0}"#),
        base64(r#"{"limit":-1,"afterId":1}"#),
        base64(r#"{"orderFieldValues":["a","b","c"]}"#),
        base64(r#"{"orderFieldValues":["\u0000"]}"#),
        base64(r#"{"orderFields":[],"orderFieldValues":["u"],"query":{"$nope":1}}"#),
        base64(r#"{"orderFields":[{"field":"kind","order":"up"}],"orderFieldValues":["a","u"]}"#),
    ];
    for cursor in &cursors {
        for path in [
            format!("{by_query}?cursor={}", encoded(cursor)),
            format!("api/catalog/entities?after={}", encoded(cursor)),
        ] {
            let begun = Instant::now();
            refused(&portal.client().get(&path).await?, &path)?;
            in_time(begun, &path);
        }
        for path in [by_query, "api/catalog/locations/by-query"] {
            let what = format!("{path} {cursor:?}");
            refused(&portal.client().post(path, &json!({ "cursor": cursor })).await?, &what)?;
        }
    }
    for length in [50_000, 100_000] {
        let cursor = base64(&"[".repeat(length));
        let begun = Instant::now();
        refused(&portal.client().post(by_query, &json!({ "cursor": cursor })).await?, "a long cursor")?;
        in_time(begun, "a long cursor");
    }
    Ok(())
}

fn refused(answer: &callboard_tests::client::Answer, what: &str) -> Result<()> {
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{what}: {status} {}", answer.text());
    // A request line that is too long never reaches the API.
    if !matches!(status, 414 | 431) {
        let body: Value = answer.json().with_context(|| what.to_owned())?;
        let message = body["error"]["message"].as_str().with_context(|| format!("{what}: {body}"))?;
        assert!(!message.is_empty() && message.len() < 2_000, "{what}: {message}");
    }
    Ok(())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
