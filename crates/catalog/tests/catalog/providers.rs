//! Providers: runs, what they change, and what they leave alone.

use std::sync::Arc;

use callboard_catalog::EntityProvider;
use callboard_model::api::RunCounts;
use callboard_model::provided::ProvidedItem;
use serde_json::{Value, json};

use crate::support::{
    Answer, FakeProvider, Fixture, component, component_value, location, location_ref, provided, unchanged, versioned,
};

fn counts(listed: u64, added: u64, changed: u64, removed: u64, unchanged: u64) -> RunCounts {
    RunCounts { listed, added, changed, removed, unchanged }
}

fn spec(name: &str, lifecycle: &str) -> callboard_model::provided::ProvidedItem {
    provided(component_value(name, json!({"lifecycle": lifecycle})))
}

#[tokio::test]
async fn a_run_is_a_difference() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;

    provider.pages(vec![
        Answer::Items(vec![spec("a", "x"), spec("b", "x")]),
        Answer::Items(vec![spec("c", "x"), spec("a", "y")]),
    ]);
    let info = fixture.run_provider().await;
    assert_eq!((info.last_error, info.counts), (None, counts(3, 3, 0, 0, 0)));
    assert_eq!(provider.cursors(), [None, Some("1".to_owned())]);
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b", "component:default/c"]);
    // What comes twice in a run counts the first time.
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["lifecycle"], "x");
    let uid = fixture.get("component:default/b").await.unwrap()["metadata"]["uid"].clone();

    provider.items(vec![spec("a", "x"), spec("b", "y"), spec("d", "x")]);
    assert_eq!(fixture.run_provider().await.counts, counts(3, 1, 1, 1, 1));
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b", "component:default/d"]);
    let b = fixture.get("component:default/b").await.unwrap();
    assert_eq!((&b["spec"]["lifecycle"], &b["metadata"]["uid"]), (&json!("y"), &uid));

    // An item that is only said to be unchanged stays as it is.
    provider.items(vec![unchanged("component:default/a"), spec("b", "z"), unchanged("component:default/nobody")]);
    let info = fixture.run_provider().await;
    assert_eq!(info.counts, counts(3, 0, 1, 1, 1));
    assert_eq!((info.problem_count, info.problems[0].entity_ref.as_str()), (1, "component:default/nobody"));
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b"]);
}

#[tokio::test]
async fn a_failed_run_changes_nothing() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::with("p", "", json!({"frequency": {"trigger": "manual"}, "timeout": "PT0.3S"}));
    fixture.set_provider(&provider).await;
    provider.items(vec![spec("a", "x"), spec("b", "x")]);
    let good = fixture.run_provider().await;

    provider.pages(vec![Answer::Items(vec![spec("a", "y")]), Answer::Fail("the bucket is gone".to_owned())]);
    let info = fixture.run_provider().await;
    assert_eq!(info.last_error.as_deref(), Some("the bucket is gone"));
    assert_eq!((info.last_success, info.counts), (good.last_success.clone(), good.counts));
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b"]);
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["lifecycle"], "x");

    provider.pages(vec![Answer::Items(vec![spec("a", "y")]), Answer::Hang]);
    let info = fixture.run_provider().await;
    let error = info.last_error.unwrap();
    assert!(error.contains("longer than its timeout of 300 ms and was ended at page 2"), "{error}");
    assert_eq!(fixture.refs().await.len(), 2);

    provider.items(vec![spec("a", "y")]);
    let info = fixture.run_provider().await;
    assert_eq!((info.last_error, info.counts), (None, counts(1, 0, 1, 1, 0)));
}

#[tokio::test]
async fn an_unchanged_run_writes_and_reads_nothing() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let url = |number: usize| format!("https://b.example/{number}.yaml");
    let items = || (0..30).map(|number| versioned(location(&url(number)), Some("v1"), &[("x.dev/key", "k")])).collect();
    for number in 0..30 {
        fixture.web.put(&url(number), &component(&format!("c{number}"), ""));
    }
    provider.items(items());
    fixture.run_provider().await;
    fixture.appears("component:default/c29").await;
    fixture.settles().await;
    assert_eq!(fixture.web.reads().len(), 30);
    let audit = fixture.audit().await;

    provider.items(items());
    assert_eq!(fixture.run_provider().await.counts, counts(30, 0, 0, 0, 30));
    assert_eq!((fixture.web.reads(), audit.written().await), (vec![], Vec::<String>::new()));

    // A new version of one is one read, and the same content then writes no document.
    let mut changed: Vec<_> = items();
    changed[7] = versioned(location(&url(7)), Some("v2"), &[("x.dev/key", "k")]);
    provider.items(changed);
    assert_eq!(fixture.run_provider().await.counts, counts(30, 0, 1, 0, 29));
    assert_eq!(fixture.web.reads(), [url(7)]);
    let written = audit.written().await;
    assert!(written.iter().all(|name| ["entity update", "source"].contains(&name.as_str())), "{written:?}");
}

#[tokio::test]
async fn facts_win_over_files_and_reach_what_is_read_directly() {
    let fixture = Fixture::start(json!({"rules": [{"allow": ["Component", "Location"]}]})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let url = "https://b.example/all.yaml";
    let nested =
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: more}\nspec: {target: ./more.yaml}\n";
    let own = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a, annotations: {x.dev/key: mine, \
               x.dev/other: kept}}\nspec: {type: t, lifecycle: l, owner: o}\n";
    fixture.web.put(url, &format!("{nested}---\n{own}"));
    fixture.web.put("https://b.example/more.yaml", &component("below", ""));
    provider.items(vec![versioned(location(url), Some("1"), &[("x.dev/key", "all.yaml"), ("x.dev/size", "3")])]);
    fixture.run_provider().await;
    let annotations = async |name: &str| fixture.appears(name).await["metadata"]["annotations"].clone();
    let location = annotations(&location_ref(url)).await;
    assert_eq!((&location["x.dev/key"], &location["x.dev/size"]), (&json!("all.yaml"), &json!("3")));
    let a = annotations("component:default/a").await;
    assert_eq!((&a["x.dev/key"], &a["x.dev/other"]), (&json!("all.yaml"), &json!("kept")));
    assert_eq!(a["backstage.io/managed-by-location"], format!("url:{url}"));
    let below = annotations("component:default/below").await;
    assert_eq!(below["x.dev/key"], Value::Null);
    assert_eq!(below["backstage.io/managed-by-location"], "url:https://b.example/more.yaml");
    assert_eq!(below["backstage.io/managed-by-origin-location"], format!("url:{url}"));
    assert_eq!(below["backstage.io/source-location"], "url:https://b.example/");
    assert_eq!(below["backstage.io/view-url"], "https://b.example/more.yaml");

    // What a provider removes goes with everything below it.
    provider.items(vec![]);
    assert_eq!(fixture.run_provider().await.counts, counts(0, 0, 0, 1, 0));
    assert_eq!(fixture.refs().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_read_is_reported_with_its_source() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let pages = [
        ("https://b.example/good.yaml", Some(component("good", ""))),
        ("https://b.example/logo.png", Some("\u{1}PNG: [".to_owned())),
        ("https://b.example/list.json", Some("[1, 2]".to_owned())),
        ("https://b.example/text.txt", Some("hello".to_owned())),
        ("https://b.example/invalid.yaml", Some(component("invalid", "").replace("  lifecycle: production\n", ""))),
        ("https://b.example/none.yaml", None),
    ];
    for (url, text) in &pages {
        if let Some(text) = text {
            fixture.web.put(url, text);
        }
    }
    provider.items(pages.iter().map(|(url, _)| versioned(location(url), Some("1"), &[])).collect());
    fixture.run_provider().await;
    fixture.settles().await;
    let info = fixture
        .until("all problems are there", async || {
            let info = fixture.status().await;
            (info.problem_count == 5).then_some(info)
        })
        .await;
    assert_eq!(info.last_error, None);
    let find = |target: &str| {
        let mut found = info.problems.iter().filter(|problem| problem.target.ends_with(target));
        found.next().unwrap_or_else(|| panic!("{target} is not in {:?}", info.problems)).message.clone()
    };
    for (target, expected) in [
        ("logo.png", "url:https://b.example/logo.png"),
        ("list.json", "Expected object at root"),
        ("text.txt", "Expected object at root, got string"),
        ("none.yaml", "no matching files found for https://b.example/none.yaml"),
        ("invalid.yaml", "lifecycle"),
    ] {
        let message = find(target);
        assert!(message.contains(expected), "{target}: {message}");
    }
    assert_eq!(fixture.refs().await.iter().filter(|name| name.starts_with("component")).count(), 1);
}

#[tokio::test]
async fn a_run_that_a_restart_cut_off_goes_on() {
    let mut fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::with("p", "", json!({"frequency": {"trigger": "manual"}, "timeout": "PT10M"}));
    fixture.set_provider(&provider).await;
    provider.pages(vec![Answer::Items(vec![spec("a", "x")]), Answer::Items(vec![spec("b", "x")]), Answer::Hang]);
    fixture.catalog.trigger("p").unwrap();
    // The third page is asked for only after the second was staged.
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        let mut seen = 0;
        while seen < 3 {
            seen += provider.cursors().len();
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    fixture.stop().await;
    assert_eq!(fixture.refs().await, Vec::<String>::new());

    let fixture = fixture.restart(json!({})).await;
    provider.pages(vec![
        Answer::Fail("not again".to_owned()),
        Answer::Fail("nor this".to_owned()),
        Answer::Items(vec![spec("c", "x")]),
    ]);
    fixture.set_provider(&provider).await;
    fixture.appears("component:default/c").await;
    fixture.settles().await;
    assert_eq!(provider.cursors(), [Some("2".to_owned())]);
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b", "component:default/c"]);
    assert_eq!(fixture.status().await.counts, counts(3, 3, 0, 0, 0));
}

#[tokio::test]
async fn the_first_to_name_an_entity_keeps_it() {
    let fixture = Fixture::start(json!({})).await;
    let (one, two) = (FakeProvider::new("one"), FakeProvider::new("two"));
    let both = || vec![Arc::clone(&one) as Arc<dyn EntityProvider>, Arc::clone(&two) as Arc<dyn EntityProvider>];
    fixture.catalog.set_providers(both()).await.unwrap();
    one.items(vec![spec("a", "one")]);
    two.items(vec![spec("a", "two"), spec("b", "two")]);
    fixture.catalog.trigger("one").unwrap();
    fixture.appears("component:default/a").await;
    fixture.catalog.trigger("two").unwrap();
    fixture.appears("component:default/b").await;
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["lifecycle"], "one");
    let status = fixture.catalog.provider_status().await.unwrap();
    let message = &status[1].problems[0].message;
    assert!(message.contains("is in the catalog already, from one"), "{message}");

    // Once the first gives it up, the next run of the second gets it.
    one.items(vec![]);
    fixture.catalog.trigger("one").unwrap();
    fixture.disappears("component:default/a").await;
    fixture.catalog.trigger("two").unwrap();
    assert_eq!(fixture.appears("component:default/a").await["spec"]["lifecycle"], "two");
}

#[tokio::test]
async fn providers_that_are_gone() {
    for (strategy, owners, kept) in
        [("delete", vec![], false), ("delete", vec!["s3".to_owned()], true), ("keep", vec![], true)]
    {
        let fixture = Fixture::start(json!({"orphanProviderStrategy": strategy})).await;
        let provider = FakeProvider::with("p", "s3", json!({"frequency": {"trigger": "manual"}, "timeout": "PT10S"}));
        fixture.set_provider(&provider).await;
        provider.items(vec![spec("a", "x")]);
        fixture.run_provider().await;
        fixture.appears("component:default/a").await;
        let fixture = fixture.restart(json!({"orphanProviderStrategy": strategy})).await;
        fixture.catalog.set_providers_keeping(vec![], &owners).await.unwrap();
        assert_eq!(fixture.get("component:default/a").await.is_some(), kept, "{strategy} {owners:?}");
        assert!(fixture.catalog.trigger("p").unwrap_err().to_string().contains("no provider called p"));
    }
}

#[tokio::test]
async fn names_are_unique() {
    let fixture = Fixture::start(json!({})).await;
    let twice = vec![FakeProvider::new("p") as Arc<dyn EntityProvider>, FakeProvider::new("p")];
    let error = fixture.catalog.set_providers(twice).await.unwrap_err();
    assert!(error.to_string().contains("two providers called p"), "{error}");
    let own = fixture.catalog.set_providers(vec![FakeProvider::new("ConfigLocationProvider")]).await;
    assert!(own.is_err());
}

#[tokio::test]
async fn schedules_are_kept() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::with("p", "", json!({"frequency": "PT0.2S", "timeout": "PT10S"}));
    provider.items(vec![spec("a", "x")]);
    fixture.set_provider(&provider).await;
    fixture.appears("component:default/a").await;
    provider.items(vec![spec("b", "x")]);
    fixture.appears("component:default/b").await;
    fixture.disappears("component:default/a").await;
    let info = fixture.status().await;
    assert!(info.schedule.starts_with("every"), "{}", info.schedule);
    assert!(info.next_run.is_some() || info.running);
}

#[tokio::test]
async fn a_run_of_other_settings_begins_anew() {
    let mut fixture = Fixture::start(json!({})).await;
    let before = FakeProvider::reconfigured("p", "bucket a");
    before.pages(vec![Answer::Items(vec![spec("a", "x")]), Answer::Hang]);
    fixture.set_provider(&before).await;
    fixture.catalog.trigger("p").unwrap();
    let mut seen = 0;
    while seen < 2 {
        seen += before.cursors().len();
        tokio::task::yield_now().await;
    }
    fixture.stop().await;
    let fixture = fixture.restart(json!({})).await;
    let after = FakeProvider::reconfigured("p", "bucket b");
    after.pages(vec![Answer::Items(vec![spec("b", "x")])]);
    fixture.set_provider(&after).await;
    fixture.appears("component:default/b").await;
    assert_eq!((after.cursors(), fixture.refs().await), (vec![None], vec!["component:default/b".to_owned()]));
}

#[tokio::test]
async fn a_delta_leaves_the_rest_alone_and_may_go_on_at_once() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.pages(vec![
        Answer::Again(vec![spec("a", "x")]),
        Answer::Again(vec![spec("b", "x")]),
        Answer::Delta(vec![spec("a", "y")]),
    ]);
    fixture.catalog.trigger("p").unwrap();
    fixture.becomes("component:default/a", |entity| entity["spec"]["lifecycle"] == "y").await;
    fixture.appears("component:default/b").await;
    assert_eq!(provider.cursors(), [None, Some("1".to_owned()), Some("2".to_owned())]);
    // One run must be of one kind.
    provider.pages(vec![Answer::Delta(vec![]), Answer::Items(vec![])]);
    let info = fixture.run_provider().await;
    assert!(info.last_error.is_some_and(|error| error.contains("between full and delta")));
    assert_eq!(fixture.refs().await.len(), 2);
}

#[tokio::test]
async fn a_delta_says_what_is_gone() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let gone = |name: &str| ProvidedItem::Removed { removed: format!("component:default/{name}") };
    provider.items(vec![spec("a", "x"), spec("b", "x"), spec("c", "x")]);
    fixture.run_provider().await;
    // One that was never there is no surprise, and what a run says of an entity first counts.
    provider.pages(vec![Answer::Delta(vec![gone("a"), spec("b", "y"), gone("none"), gone("b")])]);
    assert_eq!(fixture.run_provider().await.counts, counts(1, 0, 1, 1, 0));
    assert_eq!(fixture.refs().await, ["component:default/b", "component:default/c"]);
    // What another provider brings does not go.
    let other = FakeProvider::new("q");
    fixture.catalog.set_providers(vec![provider.clone(), other.clone() as Arc<dyn EntityProvider>]).await.unwrap();
    other.pages(vec![Answer::Delta(vec![gone("b")])]);
    fixture.catalog.trigger("q").unwrap();
    fixture
        .until("the other ran", async || {
            let status = fixture.catalog.provider_status().await.unwrap();
            status.iter().find(|info| info.name == "q").and_then(|info| info.last_success.clone())
        })
        .await;
    assert_eq!(fixture.refs().await, ["component:default/b", "component:default/c"]);
    // In a full run it says nothing that its absence would not.
    provider.items(vec![gone("b"), spec("c", "x")]);
    assert_eq!(fixture.run_provider().await.counts, counts(1, 0, 0, 1, 1));
    assert_eq!(fixture.refs().await, ["component:default/c"]);
}
