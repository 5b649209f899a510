//! What nobody should send, and what becomes of it: a clear refusal of the request, or an error of that entity alone. In
//! bounded time and memory, and with everything else going on.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use callboard_tests::portal::{KINDS, TestPortal};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here may take, a busy machine allowed for: what is refused is refused at once.
const AT_ONCE: Duration = Duration::from_secs(20);

const SOUND: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: sound }\n\
                     spec: { type: service, lifecycle: production, owner: readers }\n";

/// A portal with a sound file and these beside it.
async fn portal(files: &[(&str, String)]) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sound.yaml"), SOUND)?;
    let mut locations = vec![json!({ "type": "file", "target": "sound.yaml" })];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
        locations.push(json!({ "type": "file", "target": name }));
    }
    let config = json!({ "catalog": { "rules": [{ "allow": KINDS }], "locations": locations } });
    let portal = TestPortal::start_in(folder, config).await?;
    portal.until_entity("component:default/sound").await?;
    Ok(portal)
}

fn component(name: &str, more: &str) -> String {
    SOUND.replace("name: sound", &format!("name: {name}")) + more
}

/// A file is read as nothing but an error: nobody sees an entity of it, and the portal goes on.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read() -> Result<()> {
    let laughs = (1..10).fold("  a0: &a0 [lol, lol]\n".to_owned(), |mut text, level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        // Writing into a text cannot fail.
        let _ = writeln!(text, "  a{level}: &a{level} [{aliases}]");
        text
    });
    let deep = |open: &str| format!("x: {}\n", open.repeat(100_000));
    let block = |text: &str| SOUND.replace("{ name: sound }", &format!("\n  name: bad\n{text}"));
    let files = [
        ("bomb.yaml", block(&laughs)),
        ("brackets.yaml", component("bad", &deep("["))),
        ("braces.yaml", component("bad", &deep("{a: "))),
        ("dashes.yaml", component("bad", &deep("\n- "))),
        ("document.yaml", block(&format!("  description: {}\n", "x".repeat((16 << 20) + 1)))),
        ("file.yaml", format!("{SOUND}{}", "# filled up\n".repeat((32 << 20) / 12 + 1))),
        ("documents.yaml", format!("{}{}", component("bad", ""), "---\nx: 1\n".repeat(10_001))),
        ("twice.yaml", component("bad", "kind: Component\n")),
        ("control.yaml", component("bad", "x: \"\u{1}\"\n")),
        ("nul.yaml", component("bad", "x: a\u{0}b\n")),
        ("infinite.yaml", component("bad", "x: .inf\n")),
        ("unknown.yaml", component("bad", "x: *nothing\n")),
    ];
    let begun = Instant::now();
    let portal = portal(&files).await?;
    // A file that is read after all the others, and is sound, tells that the others were read.
    for (name, _) in &files {
        let file = portal.folder().join(name);
        std::fs::write(&file, component(&name.replace(".yaml", "-mended"), ""))?;
        portal.until_entity(&format!("component:default/{}", name.replace(".yaml", "-mended"))).await?;
        assert!(portal.entity("component:default/bad").await?.is_none(), "{name} was read");
    }
    assert!(begun.elapsed() < AT_ONCE * 6, "it took {} s", begun.elapsed().as_secs());
    Ok(())
}

/// The last good version stays, with the error beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_bad() -> Result<()> {
    let portal = portal(&[("file.yaml", component("kept", ""))]).await?;
    portal.until_entity("component:default/kept").await?;
    std::fs::write(portal.folder().join("file.yaml"), component("kept", "kind: Component\n"))?;
    let refs = json!({ "query": { "kind": "location" } });
    portal
        .until("the error", async || {
            let page: Value = portal.client().post("api/catalog/entities/by-query", &refs).await?.ok()?.json()?;
            Ok(page.to_string().contains("stands twice"))
        })
        .await?;
    assert!(portal.entity("component:default/kept").await?.is_some());
    Ok(())
}

/// Each is refused with a status of the request's fault and a message, at once.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_refused() -> Result<()> {
    let portal = portal(&[]).await?;
    let by_query = "api/catalog/entities/by-query";
    let base64 = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let mut gets = vec![
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
    let cursors = [
        "@@".to_owned(),
        "\u{0}".to_owned(),
        base64(""),
        base64("[]"),
        base64("{}"),
        base64("\"x\""),
        base64(&"[".repeat(10_000)),
        base64(r#"{"orderFieldValues":["a","b","c"]}"#),
        base64(r#"{"orderFields":[],"orderFieldValues":["u"],"query":{"$nope":1}}"#),
        base64(r#"{"orderFields":[{"field":"kind","order":"up"}],"orderFieldValues":["a","u"]}"#),
    ];
    gets.extend(cursors.iter().map(|cursor| format!("{by_query}?cursor={}", encoded(cursor))));
    for path in gets {
        let begun = Instant::now();
        let answer = portal.client().get(&path).await?;
        let shown: String = path.chars().take(100).collect();
        refused(&answer, &shown)?;
        assert!(begun.elapsed() < AT_ONCE, "{shown} took {} s", begun.elapsed().as_secs());
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
        (by_query, json!({ "cursor": "\u{0}" })),
        (by_query, json!({ "cursor": base64(&"[".repeat(50_000)) })),
        (by_query, json!({ "cursor": base64(&"[".repeat(100_000)) })),
        ("api/catalog/entities/by-refs", json!({ "entityRefs": vec!["a"; 10_001] })),
        ("api/catalog/entities/by-refs", json!({ "entityRefs": "component:default/a" })),
        ("api/catalog/refresh", json!({ "entityRef": "" })),
        ("api/catalog/locations", json!({ "type": "url", "target": "javascript:alert(1)" })),
    ];
    for (path, body) in bodies {
        let begun = Instant::now();
        let answer = portal.client().post(path, &body).await?;
        let shown: String = format!("{path} {body}").chars().take(150).collect();
        refused(&answer, &shown)?;
        assert!(begun.elapsed() < AT_ONCE, "{shown} took {} s", begun.elapsed().as_secs());
    }
    assert!(portal.entity("component:default/sound").await?.is_some());
    Ok(())
}

/// No client of ours would send it: a request line of a hundred thousand filters. It is refused, or the connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_filters() -> Result<()> {
    let portal = portal(&[]).await?;
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
    assert!(begun.elapsed() < AT_ONCE, "it took {} s", begun.elapsed().as_secs());
    assert!(portal.entity("component:default/sound").await?.is_some());
    Ok(())
}

/// What is odd but has an answer: nothing is found, and nothing breaks.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_find_nothing() -> Result<()> {
    let portal = portal(&[]).await?;
    for path in [
        "api/catalog/entities/by-query?filter=kind=%00",
        "api/catalog/entities/by-query?filter=%00=a",
        "api/catalog/entities/by-query?filter=kind=%01%02%7F%EF%BF%BF",
        "api/catalog/entities/by-query?fullTextFilterTerm=%00",
        "api/catalog/entities/by-query?filter=kind=';DROP TABLE entity;--",
        "api/catalog/entity-facets?facet=%00",
    ] {
        let path = path.replace(' ', "%20");
        let answer = portal.client().get(&path).await?;
        assert!(answer.status.as_u16() < 500, "{path}: {} {}", answer.status, answer.text());
        if answer.status.is_success() {
            let body: Value = answer.json()?;
            assert_eq!(body["items"].as_array().map_or(0, Vec::len), 0, "{path}: {body}");
        }
    }
    for path in ["component/default/%00", "component/%0A/x", "%00/default/x"] {
        let answer = portal.client().get(&format!("api/catalog/entities/by-name/{path}")).await?;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {} {}", answer.status, answer.text());
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
