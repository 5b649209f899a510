//! What a plugin reads of the catalog is what whoever looks may read, and of that what it is granted: whatever it asks for,
//! and whatever it has from elsewhere. Its tab asks for whatever the test says.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use callboard_model::api::PluginState;
use callboard_tests::client::Client;
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use http::header;
use http_body_util::Full;
use rand::prelude::*;
use serde_json::{Value, json};

use super::guest;

/// Everybody may see it, so that everybody may open the tab on its page.
const DOOR: &str = "component:default/door";
/// Bob may read services, and nobody but Ada and the guest what is named so.
const SECRET: &str = "secret";

/// Declared are components, APIs and groups.
fn grant() -> Value {
    json!({ "config": ["wish"], "catalog": { "kinds": ["component", "API", "Resource"] } })
}

fn entities() -> String {
    let entity = |kind: &str, name: &str, spec: Value, tag: usize| {
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": kind,
            "metadata": { "name": name, "tags": [format!("t{tag}")], "labels": { "tier": tag.to_string() } },
            "spec": spec,
        })
        .to_string()
    };
    let of = |kind: &str, lifecycle: &str| json!({ "type": kind, "lifecycle": lifecycle, "owner": "user:guest", "definition": "none" });
    let mut all = vec![
        entity("Component", "door", of("door", "production"), 0),
        entity("Component", SECRET, of("safe", "production"), 1),
        entity("API", &format!("{SECRET}-api"), of("safe", "production"), 1),
        entity("Resource", "hoard", json!({ "type": "service", "owner": "user:guest" }), 0),
        entity("Group", "wood", json!({ "type": "service", "children": [] }), 0),
    ];
    for number in 0..12 {
        let kind = ["service", "website", "library"][number % 3];
        let lifecycle = ["production", "experimental"][number % 2];
        all.push(entity("Component", &format!("c{number}"), of(kind, lifecycle), number % 4));
        all.push(entity("API", &format!("a{number}"), of(kind, lifecycle), number % 4));
    }
    all.join("\n---\n")
}

fn config(more: Value) -> Result<Value> {
    let guest = guest("catalog_reader");
    let mut config = with_plugin(&guest.id, &environment::guest(guest.name)?, &grant());
    let people = ["ada", "bob"].map(|name| json!({ "entityRef": format!("user:default/{name}") }));
    let rest = json!({
        "auth": { "providers": { "development": { "users": people } } },
        "backend": { "auth": { "externalAccess": [
            { "type": "static", "options": { "token": "free-token-of-a-test", "subject": "free" } },
            { "type": "static", "options": { "token": "bound-token-of-a-test", "subject": "bound" },
                "accessRestrictions": [{ "plugin": "plugin" }] },
        ] } },
        "permission": { "policy": policy() },
        "plugins": { &guest.id: { "limits": { "uiDeadline": "60 seconds", "pageDeadline": "60 seconds" } } },
        "catalog": { "locations": [{ "type": "file", "target": "entities.yaml" }] },
    });
    merge(&mut config, rest);
    merge(&mut config, more);
    Ok(config)
}

fn policy() -> Vec<Value> {
    vec![
        json!({ "allow": ["*"], "to": ["user:default/guest"] }),
        json!({ "allow": ["plugin.use", "plugin.act"], "to": ["anyone"] }),
        json!({ "allow": ["catalog.entity.read"], "to": ["anyone"], "where": { "spec.type": "door" } }),
        json!({ "allow": ["catalog.entity.read"], "to": ["user:default/ada"] }),
        json!({ "allow": ["catalog.entity.read"], "to": ["user:default/bob"], "where": { "spec.type": "service" } }),
    ]
}

async fn portal(more: Value) -> Result<TestPortal> {
    portal_of(&entities(), more).await
}

async fn portal_of(entities: &str, more: Value) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("entities.yaml"), entities)?;
    let portal = TestPortal::start_in(folder, config(more)?).await?;
    let plugin = portal.plugin("catalog-reader").await?;
    assert_eq!(plugin.state, PluginState::Running, "{:?}", plugin.reason);
    for entity in ["api:default/a11", "component:default/c11", "component:default/secret", "resource:default/hoard"] {
        portal.until_entity(entity).await?;
    }
    Ok(portal)
}

/// What the tab shows to somebody.
async fn look(client: &Client, wish: &Value) -> Result<Value> {
    let body = json!({ "entityRef": DOOR, "cursor": wish.to_string() });
    let tree: Value = client.post("api/plugins/catalog-reader/ui/tab/render", &body).await?.ok()?.json()?;
    shown(&tree)
}

fn shown(tree: &Value) -> Result<Value> {
    let text = tree.pointer("/root/text").and_then(Value::as_str).context("a text")?;
    Ok(serde_json::from_str(text)?)
}

/// The refs of what a query found.
fn found(outcome: &Value) -> Result<Vec<String>> {
    let entities = outcome["query"]["entities"].as_array().with_context(|| outcome.to_string())?;
    Ok(entities.iter().map(name).collect())
}

fn name(entity: &Value) -> String {
    let text = |pointer: &str| entity.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    format!("{}:{}", text("/kind"), text("/metadata/name"))
}

/// What the HTTP API answers the same person.
async fn listed(client: &Client, query: &Value) -> Result<Vec<Value>> {
    let answer: Value = client.post("api/catalog/entities/by-query", query).await?.ok()?.json()?;
    Ok(answer["items"].as_array().context("items")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_their_own() -> Result<()> {
    let portal = portal(json!({})).await?;
    let (ada, bob) = (portal.signed_in("user:default/ada").await?, portal.signed_in("user:default/bob").await?);
    let wish = json!({
        "get": ["component:default/c0", "component:default/c1", "API:Default/A1", "component:default/nothing"],
        "query": { "filter": { "kind": "component" }, "order": "metadata.name", "fields": ["kind", "metadata.name"] },
    });
    let names = |outcome: &Value| -> Vec<Option<String>> {
        let got = outcome["get"].as_array().cloned().unwrap_or_default();
        got.iter().map(|entity| (!entity.is_null()).then(|| name(entity))).collect()
    };
    let of_ada = look(&ada, &wish).await?;
    let c = |name: &str| Some(name.to_owned());
    assert_eq!(names(&of_ada), [c("component:c0"), c("component:c1"), c("api:a1"), None]);
    assert_eq!(found(&of_ada)?.len(), 14, "{of_ada}");
    assert_eq!(of_ada["query"]["entities"][0], json!({ "kind": "Component", "metadata": { "name": "c0" } }));

    let of_bob = look(&bob, &wish).await?;
    assert_eq!(names(&of_bob), [c("component:c0"), None, None, None]);
    let services = ["component:c0", "component:c3", "component:c6", "component:c9", "component:door"];
    assert_eq!(found(&of_bob)?, services);
    assert_eq!(found(&look(&portal.anonymous(), &wish).await?)?, ["component:door"]);
    // A button is pressed by somebody, too.
    let wish = json!({ "query": { "fields": ["metadata.name"] } });
    for (client, count) in [(&bob, 9), (&portal.anonymous(), 1)] {
        let body = json!({ "entityRef": DOOR, "value": wish.to_string() });
        let answer = client.post("api/plugins/catalog-reader/ui/tab/actions/look", &body).await?;
        let outcome: Value = answer.ok()?.json()?;
        let outcome: Value = serde_json::from_str(outcome["message"].as_str().context("a message")?)?;
        assert_eq!(outcome["query"]["entities"].as_array().map(Vec::len), Some(count), "{outcome}");
    }
    Ok(())
}

/// Bob opens a tab whose plugin asks for what he may not read, in every way that there is.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_read() -> Result<()> {
    let portal = portal(json!({})).await?;
    let (ada, bob) = (portal.signed_in("user:default/ada").await?, portal.signed_in("user:default/bob").await?);
    let pages = async |client: &Client| {
        let wish = json!({ "query": { "order": "metadata.name", "limit": 24 } });
        let outcome = look(client, &wish).await?;
        Ok::<_, anyhow::Error>(outcome["query"]["next"].as_str().context("a cursor")?.to_owned())
    };
    let of_ada = pages(&ada).await?;
    let of_http: Value =
        ada.json("api/catalog/entities/by-query?limit=1&filter=spec.type=safe&orderField=metadata.name").await?;
    let of_http = of_http["pageInfo"]["nextCursor"].as_str().context("a cursor")?.to_owned();
    // What it remembers is not signed.
    let forged = |query: Value| {
        let mut cursor: Value = serde_json::from_slice(&STANDARD.decode(&of_http)?)?;
        cursor["query"] = query;
        cursor["orderFieldValues"][0] = json!("");
        Ok::<_, anyhow::Error>(STANDARD.encode(cursor.to_string()))
    };
    let forged = [forged(json!({}))?, forged(json!({ "spec.type": "safe" }))?];
    // The cursor of another leads Ada to it, so that what follows proves something.
    for cursor in [&of_ada, &of_http, &forged[0], &forged[1]] {
        let seen = look(&ada, &json!({ "query": { "cursor": cursor } })).await?;
        ensure!(seen.to_string().contains(SECRET), "{seen}");
    }
    let query = |change: Value| json!({ "raw": true, "query": change });
    let get = |name: &str| json!({ "raw": true, "get": [name] });
    let wishes = [
        get("component:default/secret"),
        get("Component:Default/SECRET"),
        get("component:secret"),
        get("api:default/secret-api"),
        query(json!({ "filter": { "metadata.name": SECRET } })),
        query(json!({ "filter": { "metadata.name": { "$hasPrefix": "sec" } } })),
        query(json!({ "filter": { "spec.type": "safe" } })),
        query(json!({ "filter": { "$not": { "spec.type": "service" } } })),
        query(json!({ "filter": { "$any": [{ "spec.type": "service" }, { "kind": { "$exists": true } }] } })),
        query(json!({ "filter": {} })),
        query(json!({ "filter": {}, "order": "metadata.name", "fields": ["metadata"] })),
        query(json!({ "filter": {}, "cursor": of_ada })),
        query(json!({ "filter": {}, "cursor": of_http })),
        query(json!({ "filter": {}, "cursor": forged[0] })),
        query(json!({ "filter": {}, "cursor": forged[1] })),
    ];
    for wish in wishes {
        let seen = look(&bob, &wish).await?.to_string();
        ensure!(!seen.contains(SECRET), "{wish}: {seen}");
    }
    // Nor by asking about it in other words: its own page has no such tab for him, and no such entity.
    let answer = bob
        .post("api/plugins/catalog-reader/ui/tab/render", &json!({ "entityRef": "component:default/secret" }))
        .await?;
    assert_eq!(answer.status, 404);
    Ok(())
}

/// Ada may read everything; the plugin is granted components and APIs of what it declares.
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_not_granted() -> Result<()> {
    let portal = portal(json!({})).await?;
    let ada = portal.signed_in("user:default/ada").await?;
    let all = listed(&ada, &json!({ "limit": 1000 })).await?;
    let kinds: BTreeSet<String> =
        all.iter().map(|entity| entity["kind"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(kinds, BTreeSet::from(["API", "Component", "Group", "Location", "Resource"].map(ToOwned::to_owned)));
    let of_http: Value = ada.json("api/catalog/entities/by-query?limit=1&orderField=metadata.name").await?;
    let of_http = of_http["pageInfo"]["nextCursor"].as_str().context("a cursor")?;
    let refs =
        ["resource:default/hoard", "Resource:default/hoard", "RESOURCE:hoard", "group:default/wood", "Group:WOOD"];
    let wish = json!({ "raw": true, "get": refs });
    assert_eq!(look(&ada, &wish).await?["get"], json!([null, null, null, null, null]));
    for question in [
        json!({ "filter": {} }),
        json!({ "filter": { "kind": "Resource" } }),
        json!({ "filter": { "KIND": "rEsOuRcE" } }),
        json!({ "filter": { "$any": [{ "kind": "resource" }, { "kind": "group" }] } }),
        json!({ "filter": { "$not": { "kind": "component" } } }),
        json!({ "filter": { "kind": "component" }, "cursor": of_http }),
    ] {
        let seen = look(&ada, &json!({ "raw": true, "query": question })).await?;
        for entity in found(&seen)? {
            ensure!(entity.starts_with("component:") || entity.starts_with("api:"), "{question}: {entity}");
        }
        ensure!(!seen.to_string().contains("hoard"), "{question}: {seen}");
    }
    // Pages are as full as they say: nothing is taken away after they were counted.
    let seen = look(&ada, &json!({ "query": { "order": "kind", "limit": 27 } })).await?;
    assert_eq!((found(&seen)?.len(), seen["query"]["next"].is_null()), (27, true), "{seen}");
    Ok(())
}

/// Whoever calls with a token reads by way of a plugin what they could read with the token itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_widened() -> Result<()> {
    let portal = portal(json!({})).await?;
    let (ada, bob) = (portal.signed_in("user:default/ada").await?, portal.signed_in("user:default/bob").await?);
    let make = async |client: &Client, scope: &[&str]| {
        let wish = json!({ "name": scope.join(" "), "scope": scope, "days": 1 });
        let made: Value = client.post("api/auth/tokens", &wish).await?.ok()?.json()?;
        Ok::<_, anyhow::Error>(made["secret"].as_str().context("a secret")?.to_owned())
    };
    let wish = json!({ "get": ["component:default/c0"], "query": { "fields": ["metadata.name"] } });
    let check = async |what: &str, token: &str, expected: usize| {
        // The page, since it is there for those who may read no entity.
        for (extension, entity) in [("attack", None), ("tab", Some(DOOR))] {
            let url = portal.url().join(&format!("api/plugins/catalog-reader/ui/{extension}/render"))?;
            let request = http::Request::post(url.as_str())
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::CONTENT_TYPE, "application/json");
            let body = json!({ "entityRef": entity, "cursor": wish.to_string() });
            let answer = portal.anonymous().request(request.body(Full::new(Bytes::from(body.to_string())))?).await?;
            if entity.is_some() && expected == 0 {
                assert_eq!(answer.status, 404, "{what}: {}", answer.text());
                continue;
            }
            let seen = shown(&answer.ok()?.json()?)?;
            assert_eq!(seen["query"]["entities"].as_array().map(Vec::len), Some(expected), "{what}: {seen}");
            assert_eq!(seen["get"][0].is_null(), expected == 0, "{what}: {seen}");
        }
        Ok::<_, anyhow::Error>(())
    };
    check("hers, without the catalog", &make(&ada, &["plugin.use"]).await?, 0).await?;
    check("hers, with what is about locations", &make(&ada, &["plugin.*", "catalog.location.*"]).await?, 0).await?;
    check("hers, with the catalog", &make(&ada, &["plugin.use", "catalog.entity.read"]).await?, 27).await?;
    check("his, with everything that he may", &make(&bob, &["*"]).await?, 9).await?;
    check("his, with plugins", &make(&bob, &["plugin.**"]).await?, 0).await?;
    check("a program's", "free-token-of-a-test", 27).await?;
    check("a program's that is for plugins", "bound-token-of-a-test", 0).await?;
    Ok(())
}

/// A provider and a processor work for nobody: no rule but one that names the plugin lets them read.
#[tokio::test(flavor = "multi_thread")]
async fn work_for_nobody() -> Result<()> {
    let wish = json!({ "get": ["component:default/c1"], "query": { "fields": ["metadata.name"] } }).to_string();
    let more = |rules: &[Value]| {
        let mut policy = policy();
        // None of these means a plugin.
        policy.push(json!({ "allow": ["*"], "to": ["signed-in"] }));
        policy.push(json!({ "allow": ["catalog.entity.read"], "to": ["anyone"] }));
        policy.extend_from_slice(rules);
        json!({ "wish": wish, "permission": { "policy": policy } })
    };
    let first = portal(more(&[])).await?;
    let run = first.run_provider("catalog-reader", "catalog-reader").await?;
    let error = run.last_error.context("the provider's outcome")?;
    let line = r#"{ allow: [catalog.entity.read], to: ["plugin:catalog-reader"] }"#;
    let said = error.replace('\\', "");
    ensure!(said.contains("Denied") && said.contains(line), "the line to add: {error}");
    ensure!(!error.contains("c1\"") && !error.contains("door"), "{error}");

    let rule = json!({ "allow": ["catalog.entity.read"], "to": ["plugin:catalog-reader"],
        "where": { "spec.type": "website" } });
    let folder = first.stop().await?;
    let looked = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": { "name": "looked", "annotations": { "example.com/look": "yes" } },
        "spec": { "type": "door", "lifecycle": "production", "owner": "user:guest" },
    });
    std::fs::write(folder.path().join("looked.yaml"), looked.to_string())?;
    let mut config = config(more(&[rule]))?;
    let locations = json!([{ "type": "file", "target": "entities.yaml" }, { "type": "file", "target": "looked.yaml" }]);
    config["catalog"]["locations"] = locations;
    let second = TestPortal::start_in(folder, config).await?;
    let run = second.run_provider("catalog-reader", "catalog-reader").await?;
    let error = run.last_error.context("the provider's outcome")?;
    for name in ["a1", "a4", "a7", "a10", "c1", "c4", "c7", "c10"] {
        ensure!(error.contains(&format!("\"{name}\"")), "{name}: {error}");
    }
    ensure!(!error.contains("door") && !error.contains(SECRET) && !error.contains("\"c0\""), "{error}");
    let entity = second.until_entity("component:default/looked").await?;
    let seen =
        entity.pointer("/metadata/annotations/example.com~1seen").and_then(Value::as_str).context("an annotation")?;
    ensure!(seen.contains("\"c4\"") && !seen.contains("door") && !seen.contains(SECRET), "{seen}");
    Ok(())
}

/// A rule that is taken away counts no more from then on, without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_taken_away() -> Result<()> {
    let wish = json!({ "query": { "filter": { "metadata.name": "c1" } } }).to_string();
    let with = |rule: Option<Value>| {
        let policy: Vec<Value> = policy().into_iter().chain(rule).collect();
        json!({ "wish": wish, "permission": { "policy": policy } })
    };
    let portal = portal(with(Some(json!({ "allow": ["catalog.*.read"], "to": ["plugin:catalog-reader"] })))).await?;
    let outcome = async || {
        let run = portal.run_provider("catalog-reader", "catalog-reader").await?;
        run.last_error.context("the provider's outcome")
    };
    let before = outcome().await?;
    ensure!(before.contains("\"c1\"") && !before.contains("Denied"), "{before}");
    std::fs::write(portal.folder().join("app-config.yaml"), config(with(None))?.to_string())?;
    portal.until("the rule counts no more", async || Ok(outcome().await?.contains("Denied"))).await
}

/// What a plugin asks for never fills the server's memory, nor its own.
#[tokio::test(flavor = "multi_thread")]
async fn large_entities() -> Result<()> {
    let large = (0..5).map(|number| {
        let spec = json!({ "type": "service", "lifecycle": "production", "owner": "user:guest",
            "definition": "x".repeat(1_500_000) });
        let metadata = json!({ "name": format!("large{number}") });
        json!({ "apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": metadata, "spec": spec }).to_string()
    });
    let portal = portal_of(&[large.collect::<Vec<_>>().join("\n---\n"), entities()].join("\n---\n"), json!({})).await?;
    portal.until_entity("api:default/large4").await?;
    let ada = portal.signed_in("user:default/ada").await?;
    let refs = |count: usize| (0..count).map(|number| format!("api:default/large{number}")).collect::<Vec<_>>();
    let seen = look(&ada, &json!({ "brief": true, "get": refs(2) })).await?;
    assert_eq!(seen["get"], json!(["large0", "large1"]));
    let seen = look(&ada, &json!({ "brief": true, "get": refs(3) })).await?;
    assert_eq!(
        seen["get"]["error"],
        r#"TooLarge("these entities have more than 4194304 bytes together; ask for fewer at once")"#
    );
    let mut pages = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let filter = json!({ "metadata.name": { "$hasPrefix": "large" } });
        let question = json!({ "filter": filter, "order": "metadata.name", "cursor": cursor });
        let seen = look(&ada, &json!({ "brief": true, "query": question })).await?;
        pages.push(seen["query"]["entities"].clone());
        cursor = seen["query"]["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(json!(pages), json!([["large0", "large1"], ["large2", "large3"], ["large4"]]));
    Ok(())
}

/// A condition that some of the entities satisfy.
fn predicate(random: &mut StdRng, depth: u32) -> Value {
    let nested = |random: &mut StdRng| -> Vec<Value> {
        (0..random.random_range(1..4)).map(|_| predicate(random, depth - 1)).collect()
    };
    let pick = |random: &mut StdRng, values: &[&str]| values.choose(random).copied().unwrap_or_default().to_owned();
    match random.random_range(if depth == 0 { 3..9 } else { 0..9 }) {
        0 => json!({ "$all": nested(random) }),
        1 => json!({ "$any": nested(random) }),
        2 => json!({ "$not": predicate(random, depth - 1) }),
        3 => json!({ "kind": pick(random, &["component", "API", "Resource", "group", "Location"]) }),
        4 => json!({ "spec.type": pick(random, &["service", "website", "door", "safe"]) }),
        5 => json!({ "metadata.tags": { "$in": [pick(random, &["t0", "t1"]), pick(random, &["t2", "t3"])] } }),
        6 => json!({ "metadata.name": { "$hasPrefix": pick(random, &["c", "a1", "s", "h", ""]) } }),
        7 => json!({ pick(random, &["spec.lifecycle", "spec.children", "metadata.labels.tier"]): { "$exists": true } }),
        _ => json!({ "relations.ownedBy": pick(random, &["user:default/guest", "user:default/ada"]) }),
    }
}

/// What the plugin finds is what the HTTP API lists to the same person, as far as kinds are granted, in whatever pages.
#[tokio::test(flavor = "multi_thread")]
async fn it_finds_what_the_api_lists() -> Result<()> {
    let portal = portal(json!({})).await?;
    let (ada, bob) = (portal.signed_in("user:default/ada").await?, portal.signed_in("user:default/bob").await?);
    let seed: u64 = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..40 {
        let filter = predicate(&mut random, 3);
        let client = if round % 2 == 0 { &ada } else { &bob };
        let query =
            json!({ "query": filter, "limit": 1000, "orderBy": [{ "field": "metadata.name", "order": "asc" }] });
        let expected: Vec<String> = listed(client, &query)
            .await?
            .iter()
            .map(name)
            .filter(|name| name.starts_with("component:") || name.starts_with("api:"))
            .collect();
        let limit = random.random_range(1..30);
        let mut pages = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let question = json!({ "filter": filter, "order": "metadata.name", "limit": limit, "cursor": cursor,
                "fields": ["kind", "metadata.name"] });
            let seen = look(client, &json!({ "query": question })).await?;
            let page = found(&seen)?;
            cursor = seen["query"]["next"].clone();
            ensure!(
                cursor.is_null() || page.len() == limit,
                "seed {seed}, {filter}: a page of {} of {limit}",
                page.len()
            );
            pages.extend(page);
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(pages, expected, "seed {seed}, round {round}, limit {limit}: {filter}");
    }
    Ok(())
}
