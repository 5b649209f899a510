//! What reaches the catalog of what a guest asks: always with what it is granted, never more than its limits.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use callboard_host::{
    Acting, CatalogError, CatalogOrder, CatalogPage, CatalogQuery, CatalogReader, LoadReason, Plugin, limits,
};
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::processing::{Hook, ProcessInput};
use callboard_model::rights::Rights;
use callboard_model::ui::{Input, Node};
use serde_json::{Value, json};

use crate::fixture::{Fixture, nobody, spec};

/// Remembers what it was asked, and answers in one way.
struct Asked {
    answer: Result<String, CatalogError>,
    got: Mutex<Vec<(Predicate, Vec<EntityRef>)>>,
    queried: Mutex<Vec<(Predicate, CatalogQuery)>>,
}

impl Asked {
    fn answering(answer: Result<String, CatalogError>) -> Arc<Asked> {
        Arc::new(Asked { answer, got: Mutex::default(), queried: Mutex::default() })
    }
}

#[async_trait]
impl CatalogReader for Asked {
    async fn get(&self, granted: &Predicate, refs: &[EntityRef]) -> Result<Vec<Option<String>>, CatalogError> {
        self.got.lock().unwrap().push((granted.clone(), refs.to_vec()));
        let answer = self.answer.clone()?;
        Ok(refs.iter().map(|_| Some(answer.clone())).collect())
    }

    async fn query(&self, granted: &Predicate, query: CatalogQuery) -> Result<CatalogPage, CatalogError> {
        self.queried.lock().unwrap().push((granted.clone(), query));
        Ok(CatalogPage { entities: vec![self.answer.clone()?], next: Some("on".to_owned()) })
    }
}

fn entity() -> Value {
    json!({ "apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": { "name": "a" } })
}

fn granting(kinds: &[&str]) -> Rights {
    serde_json::from_value(json!({ "config": ["wish"], "catalog": { "kinds": kinds } })).unwrap()
}

async fn reader(fixture: &Fixture, kinds: &[&str]) -> Plugin {
    let mut spec = spec("catalog_reader", json!({}));
    spec.grant = granting(kinds);
    fixture.host.load(spec).await.unwrap()
}

/// What the guest says came of a wish.
async fn outcome(plugin: &Plugin, catalog: &Arc<Asked>, wish: Value) -> Value {
    let acting = Acting { user: None, catalog: catalog.clone() };
    let input = Input { cursor: Some(wish.to_string()), ..Input::default() };
    let tree = plugin.render(&acting, "attack", &input).await.unwrap();
    let Node::Text(paragraph) = tree.root else { panic!("{:?}", tree.root) };
    serde_json::from_str(&paragraph.text.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_comes_with_the_grant() {
    let fixture = Fixture::new().await;
    // Declared are Component, API and Group.
    let plugin = reader(&fixture, &["api", "User", "GROUP"]).await;
    let catalog = Asked::answering(Ok(entity().to_string()));
    let granted = Predicate::one_of("kind", ["api", "group"]);

    let wish = json!({ "get": ["API:a", "User:other/B"], "query": {
        "filter": { "kind": "User" }, "fields": ["kind"], "order": "-metadata.name", "limit": 7, "cursor": "theirs",
    } });
    let found = outcome(&plugin, &catalog, wish).await;
    assert_eq!(found["get"], json!([entity(), entity()]));
    assert_eq!(found["query"], json!({ "entities": [entity()], "next": "on" }));
    let refs = ["api:default/a", "user:other/b"].map(|text| text.parse::<EntityRef>().unwrap()).to_vec();
    assert_eq!(*catalog.got.lock().unwrap(), [(granted.clone(), refs)]);
    let query = CatalogQuery {
        filter: Predicate::equals("kind", "User"),
        fields: vec!["kind".to_owned()],
        order: Some(CatalogOrder { field: "metadata.name".to_owned(), descending: true }),
        limit: 7,
        cursor: Some("theirs".to_owned()),
    };
    assert_eq!(*catalog.queried.lock().unwrap(), [(granted, query)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_does_not_reach_the_catalog() {
    let fixture = Fixture::new().await;
    let plugin = reader(&fixture, &["API"]).await;
    let catalog = Asked::answering(Ok(entity().to_string()));
    let check = async |wish: Value, expected: &str| {
        let found = outcome(&plugin, &catalog, wish.clone()).await;
        let error = [&found["get"]["error"], &found["query"]["error"]].into_iter().find_map(Value::as_str);
        let error = error.unwrap_or_else(|| panic!("{wish}: {found}"));
        assert!(error.starts_with(expected), "{wish}: {error}");
    };
    let many = vec!["api:default/a"; limits::CATALOG_REFS + 1];
    check(json!({ "raw": true, "get": many }), "TooLarge(\"101 refs at once").await;
    check(json!({ "raw": true, "get": ["a"] }), "Invalid(\"`a` is no entity ref").await;
    check(json!({ "raw": true, "get": ["api:default/a", ""] }), "Invalid").await;
    let query = async |change: Value, expected: &str| {
        let mut question = json!({ "filter": {} });
        question.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        check(json!({ "raw": true, "query": question }), expected).await;
    };
    query(json!({ "limit": 0 }), "Invalid(\"the limit is 0").await;
    query(json!({ "limit": limits::CATALOG_PAGE + 1 }), "TooLarge(\"the limit is 201").await;
    query(json!({ "filter": "{" }), "Invalid(\"the filter is not right").await;
    query(json!({ "filter": "null" }), "Invalid(\"the filter is not right").await;
    query(json!({ "filter": { "$or": [] } }), "Invalid(\"the filter is not right").await;
    assert!(catalog.got.lock().unwrap().is_empty() && catalog.queried.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_bounded_and_errors_are_told() {
    let fixture = Fixture::new().await;
    let plugin = reader(&fixture, &["API"]).await;
    let check = async |answer: Result<String, CatalogError>, expected: &str| {
        let catalog = Asked::answering(answer);
        let wish = json!({ "raw": true, "get": vec!["api:default/a"; 5], "query": { "filter": {} } });
        let found = outcome(&plugin, &catalog, wish).await;
        for error in [&found["get"]["error"], &found["query"]["error"]] {
            let error = error.as_str().unwrap_or_else(|| panic!("{found}"));
            assert!(error.starts_with(expected), "{error}");
        }
    };
    check(Ok("x".repeat(limits::BATCH_BYTES + 1)), "TooLarge(\"what was asked for has").await;
    check(Err(CatalogError::Denied("d".to_owned())), "Denied(\"d\")").await;
    check(Err(CatalogError::Invalid("i".to_owned())), "Invalid(\"i\")").await;
    check(Err(CatalogError::TooLarge("l".to_owned())), "TooLarge(\"l\")").await;
    check(Err(CatalogError::Unavailable("u".to_owned())), "Unavailable(\"u\")").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_nothing_that_was_asked_for() {
    let fixture = Fixture::new().await;
    let plugin = reader(&fixture, &["User"]).await;
    let catalog = Asked::answering(Ok(entity().to_string()));
    let found = outcome(&plugin, &catalog, json!({ "get": ["user:default/a"], "query": {} })).await;
    for error in [&found["get"]["error"], &found["query"]["error"]] {
        let error = error.as_str().unwrap_or_default();
        assert!(error.starts_with("Denied"), "{found}");
        assert!(
            error.contains("`plugins.catalog-reader.grant`: catalog: { kinds: [ Component, API, Group ] }"),
            "{error}"
        );
    }
    assert!(catalog.got.lock().unwrap().is_empty() && catalog.queried.lock().unwrap().is_empty());

    let mut spec = spec("catalog_reader", json!({}));
    spec.grant = serde_json::from_value(json!({ "config": ["wish"] })).unwrap();
    let error = fixture.host.load(spec).await.unwrap_err();
    assert!(matches!(error.reason, LoadReason::Import(_)), "{error}");
    assert!(
        error.to_string().contains("`plugins.catalog-reader.grant`:\n  catalog: { kinds: [ Component, API, Group ] }")
    );
}

/// What a processor finds in the catalog may be another the next time.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_has_asked() {
    let fixture = Fixture::new().await;
    let catalog = Asked::answering(Ok(entity().to_string()));
    let input = ProcessInput {
        entity: serde_json::from_value(json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": { "name": "a" }, "spec": {},
        }))
        .unwrap(),
        location: "url:https://example.com/a".parse().unwrap(),
        origin_location: "url:https://example.com/a".parse().unwrap(),
    };
    for (wish, fresh_for_ms) in
        [(json!({}), None), (json!({ "get": [] }), Some(3_600_000)), (json!({ "query": {} }), Some(3_600_000))]
    {
        let plugin = fixture.load_with("catalog_reader", json!({ "wish": wish.to_string() })).await;
        assert!(plugin.processors().iter().all(|processor| !processor.pure), "it may ask the catalog");
        let acting = Acting { catalog: catalog.clone(), ..nobody() };
        let mut results = plugin.process(&acting, "look", Hook::PostProcess, [input.clone()].into()).await;
        assert_eq!(results.pop().unwrap().unwrap().fresh_for_ms, fresh_for_ms, "{wish}");
    }
}
