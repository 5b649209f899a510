//! Reading URLs: Locations, placeholders, conditions.

use serde_json::json;

use crate::support::{Fixture, Validators, component};

const ROOT: &str = "https://x.example/a/root.yaml";

fn settings() -> serde_json::Value {
    json!({"locations": [{"type": "url", "target": ROOT}], "processingInterval": {"seconds": 1}})
}

fn api(definition: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: pets}}\nspec: {{type: openapi, lifecycle: l, \
         owner: o, definition: {definition}}}\n"
    )
}

#[tokio::test]
async fn a_url_is_read_again_and_only_changes_are_work() {
    let fixture = Fixture::start(settings()).await;
    fixture.web.put(ROOT, &component("a", ""));
    // The first read may have been before the page was there; a refresh does not wait for the retry.
    fixture.settles().await;
    fixture.web.put(ROOT, &component("a", ""));
    let root = format!(
        "location:default/{}",
        callboard_model::location_ref::LocationRef::parse(&format!("url:{ROOT}")).unwrap().generated_name()
    );
    if fixture.get(&root).await.is_none() {
        let sql = "UPDATE queue SET due_at = 0";
        fixture.db.execute(callboard_store::query(sql, vec![])).await.unwrap();
    }
    fixture.appears("component:default/a").await;
    fixture.settles().await;
    fixture.web.reads();
    let audit = fixture.audit().await;
    fixture.until("it was read again", async || fixture.web.reads().contains(&format!("={ROOT}")).then_some(())).await;
    assert_eq!(audit.written().await, Vec::<String>::new());
    fixture.web.put(ROOT, &component("a", "  system: s\n"));
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;
    // A refresh asks at once, and under the same condition.
    fixture.settles().await;
    fixture.web.reads();
    let entity_ref = callboard_model::entity_ref::EntityRef::parse("component:default/a", None, None).unwrap();
    fixture.catalog.refresh(&callboard_model::access::Access::All, &entity_ref).await.unwrap();
    fixture.until("it was read again", async || fixture.web.reads().contains(&format!("={ROOT}")).then_some(())).await;
}

async fn started(pages: &[(&str, &str)]) -> Fixture {
    let web = crate::support::Web::default();
    for (url, text) in pages {
        web.put(url, text);
    }
    let db = crate::support::database().await;
    Fixture::start_with(tempfile::tempdir().unwrap(), db, web, settings()).await
}

#[tokio::test]
async fn placeholders() {
    let check = async |definition: &str, more: &[(&str, &str)], expected: &str| {
        let root = api(definition);
        let mut pages = vec![(ROOT, root.as_str())];
        pages.extend(more);
        let fixture = started(&pages).await;
        assert_eq!(fixture.appears("api:default/pets").await["spec"]["definition"], expected, "{definition}");
    };
    check("{$text: ./def.json}", &[("https://x.example/a/def.json", "{}")], "{}").await;
    check("{$text: ../def.json}", &[("https://x.example/def.json", "up")], "up").await;
    check("{$text: 'https://y.example/v2/swagger.json'}", &[("https://y.example/v2/swagger.json", "y")], "y").await;
    check("{$json: ./s.json}", &[("https://x.example/a/s.json", "\"json\"")], "json").await;
    check("{$yaml: ./s.yaml}", &[("https://x.example/a/s.yaml", "yaml")], "yaml").await;
    // What comes in is not looked through again.
    check("{$json: ./s.json}", &[("https://x.example/a/s.json", "\"$text: x\"")], "$text: x").await;
}

#[tokio::test]
async fn placeholders_that_fail() {
    let check = async |definition: &str, more: &[(&str, &str)], expected: &str| {
        let root = api(definition);
        let mut pages = vec![(ROOT, root.as_str())];
        pages.extend(more);
        let fixture = started(&pages).await;
        let errors = fixture
            .until("it fails", async || {
                let select = "SELECT e.errors FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = 'api:default/pets'";
                let row = fixture.db.fetch_optional(callboard_store::query(select, vec![])).await.unwrap()?;
                row.get::<Option<String>>(0).unwrap()
            })
            .await;
        assert!(errors.contains(expected), "{definition}: {errors}");
        assert_eq!(fixture.get("api:default/pets").await, None);
    };
    check("{$text: 7}", &[], "Placeholder $text expected a string value parameter").await;
    check("{$text: ./none}", &[], "could not read location https://x.example/a/none").await;
    check("{$json: ./s}", &[("https://x.example/a/s", "{")], "failed to parse JSON data").await;
    check("{$yaml: ./s}", &[("https://x.example/a/s", "a: 1\n---\nb: 2\n")], "Placeholder $yaml").await;
    check("{$text: 'ftp://x.example/a'}", &[], "only http and https").await;
    check("{$text: x, other: y}", &[], "definition").await;
}

#[tokio::test]
async fn a_placeholder_keeps_to_its_repository() {
    let root = "https://github.com/acme/shop/blob/main/api.yaml";
    let check = async |target: &str, allowed: bool| {
        let web = crate::support::Web::default();
        web.put(root, &api(&format!("{{$text: '{target}'}}")));
        web.put(target, "canary");
        let db = crate::support::database().await;
        let settings = json!({"locations": [{"type": "url", "target": root}]});
        let fixture = Fixture::start_with(tempfile::tempdir().unwrap(), db, web, settings).await;
        fixture
            .until("it is processed", async || {
                let select = "SELECT e.errors FROM entity e JOIN ref r ON r.id = e.id \
                          WHERE r.ref = 'api:default/pets' AND (e.errors IS NOT NULL OR e.hash IS NOT NULL)";
                fixture.db.fetch_optional(callboard_store::query(select, vec![])).await.unwrap().map(|_| ())
            })
            .await;
        assert_eq!(fixture.get("api:default/pets").await.is_some(), allowed, "{target}");
        assert_eq!(fixture.web.reads().contains(&target.to_owned()), allowed, "{target}");
    };
    check("https://github.com/acme/shop/blob/main/openapi.json", true).await;
    check("https://raw.githubusercontent.com/Acme/shop/main/openapi.json", true).await;
    check("https://github.com/acme/secrets/blob/main/openapi.json", false).await;
    check("https://raw.githubusercontent.com/other/shop/main/openapi.json", false).await;
    // Not a repository of a known host: what may be read decides.
    check("https://petstore.example/v2/swagger.json", true).await;
}

#[tokio::test]
async fn unchanged_placeholders_are_asked_for_and_not_read() {
    let fixture = started(&[(ROOT, &api("{$text: ./def.json}")), ("https://x.example/a/def.json", "one")]).await;
    fixture.appears("api:default/pets").await;
    fixture.settles().await;
    fixture.web.reads();
    let audit = fixture.audit().await;
    let mut seen = Vec::new();
    fixture
        .until("both were asked again", async || {
            seen.extend(fixture.web.reads());
            (seen.contains(&format!("={ROOT}")) && seen.contains(&"=https://x.example/a/def.json".to_owned()))
                .then_some(())
        })
        .await;
    assert_eq!(audit.written().await, Vec::<String>::new());
    fixture.web.put("https://x.example/a/def.json", "two");
    fixture.becomes("api:default/pets", |entity| entity["spec"]["definition"] == "two").await;
    // While it cannot be read, the last good version stays, with the reason.
    fixture.web.fail("https://x.example/a/def.json", "the server is on fire");
    let pets = fixture.becomes("api:default/pets", |entity| entity.get("status").is_some()).await;
    assert_eq!(pets["spec"]["definition"], "two");
    assert!(pets["status"]["items"][0]["message"].as_str().unwrap().contains("on fire"));
    fixture.web.put("https://x.example/a/def.json", "three");
    let pets = fixture.becomes("api:default/pets", |entity| entity.get("status").is_none()).await;
    assert_eq!(pets["spec"]["definition"], "three");
}

/// Whatever a server says of it: what counts is the content.
#[tokio::test]
async fn the_same_content_is_no_change() {
    let definition = "https://x.example/a/def.json";
    let fixture = started(&[(ROOT, &api("{$text: ./def.json}")), (definition, "one")]).await;
    fixture.appears("api:default/pets").await;
    fixture.settles().await;
    let audit = fixture.audit().await;
    let read = async |which: [&str; 2]| {
        fixture.web.reads();
        let mut seen = Vec::new();
        let what = format!("{which:?} were read");
        let all = async || {
            seen.extend(fixture.web.reads());
            which.iter().all(|url| seen.iter().any(|seen| seen == url)).then_some(())
        };
        fixture.until(&what, all).await;
        assert_eq!(audit.written().await, Vec::<String>::new(), "{what}");
    };
    let (unread_root, unread_definition) = (format!("={ROOT}"), format!("={definition}"));
    fixture.web.say(Validators::OfDeployment(1));
    read([ROOT, definition]).await;
    // From then on they are asked whether they changed since.
    read([&unread_root, &unread_definition]).await;
    fixture.web.say(Validators::OfDeployment(2));
    read([ROOT, definition]).await;
    // Some servers never say anything.
    fixture.web.say(Validators::None);
    read([ROOT, definition]).await;
    read([ROOT, definition]).await;
    fixture.web.put(definition, "two");
    fixture.becomes("api:default/pets", |entity| entity["spec"]["definition"] == "two").await;
}

/// A file that gets another name is the same file to everybody but the disk.
#[tokio::test]
async fn what_moves_within_a_location_stays() {
    let fixture = Fixture::start(json!({})).await;
    let list = |target: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: l}}\nspec: {{targets: [{target}]}}\n"
        )
    };
    fixture.web.put("https://x.example/l.yaml", &list("./a.yaml"));
    fixture.web.put("https://x.example/a.yaml", &component("a", ""));
    fixture.web.put("https://x.example/b.yaml", &component("a", ""));
    let location = serde_json::from_value(json!({"type": "url", "target": "https://x.example/l.yaml"})).unwrap();
    fixture.catalog.register_location(&location, None).await.unwrap();
    let before = fixture.get("component:default/a").await.unwrap();
    fixture.web.put("https://x.example/l.yaml", &list("./b.yaml"));
    fixture.catalog.register_location(&location, Some(callboard_catalog::OnConflict::Refresh)).await.unwrap();
    let after = fixture.get("component:default/a").await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    let annotation = &after["metadata"]["annotations"]["backstage.io/managed-by-location"];
    assert_eq!(annotation, "url:https://x.example/b.yaml");
}
