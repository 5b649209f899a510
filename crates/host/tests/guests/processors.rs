//! Processors: what they may do comes through, what they may not is told by name, and a fault costs only the entity that
//! is to blame for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_host::{ErrorKind, GuestError, Limits, Plugin, PluginError};
use callboard_model::api::PluginState;
use callboard_model::entity::Entity;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutput};
use serde_json::{Value, json};

use crate::fixture::{Fixture, nobody, shared_cache, spec};

const DEADLINE: Duration = Duration::from_secs(1);

async fn fixture() -> Fixture {
    let limits = Limits { processor_deadline: DEADLINE, ..Limits::default() };
    Fixture::with(limits, &shared_cache()).await
}

fn input(name: &str, annotations: Value) -> ProcessInput {
    let location = "url:https://example.com/catalog-info.yaml";
    let mut entity = json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": { "name": name, "annotations": {
            "backstage.io/managed-by-location": location,
            "backstage.io/managed-by-origin-location": location,
        } },
        "spec": { "type": "service", "lifecycle": "production", "owner": "group:default/a" },
    });
    for (key, value) in annotations.as_object().into_iter().flatten() {
        entity["metadata"]["annotations"][key] = value.clone();
    }
    ProcessInput {
        entity: Entity::from_value(entity).unwrap(),
        location: location.parse().unwrap(),
        origin_location: location.parse().unwrap(),
    }
}

fn inputs(names: &[&str]) -> Arc<[ProcessInput]> {
    names.iter().map(|name| input(name, json!({}))).collect()
}

/// Has the hostile processor process entities of these names.
async fn attack(
    fixture: &Fixture,
    processor: &str,
    hook: Hook,
    names: &[&str],
) -> Vec<Result<ProcessOutput, PluginError>> {
    let plugin = fixture.load("hostile_processor").await;
    let results = plugin.process(&nobody(), processor, hook, inputs(names)).await;
    assert_eq!(results.len(), names.len(), "one for each: {results:?}");
    for (index, (result, name)) in results.iter().zip(names).enumerate() {
        if let Err(error) = result {
            assert_eq!(
                (error.plugin.as_str(), error.extension_point, error.function),
                ("hostile-processor", "entity-processor", "process")
            );
            let place = format!("processor `{processor}`, {hook}, item {index} (component:default/{name}): ");
            assert!(error.message.starts_with(&place), "{error}");
        }
    }
    results
}

/// Every entity fails in the same way, by itself or because others did.
async fn fails(processor: &str, hook: Hook, kind: ErrorKind, part: &str) {
    let fixture = fixture().await;
    let results = attack(&fixture, processor, hook, &["a", "b"]).await;
    for result in results {
        let error = result.expect_err(processor);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(part), "{error}");
        assert!(!error.message.contains('\u{1b}'), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ref_stays() {
    for hook in [Hook::PreProcess, Hook::PostProcess] {
        fails("change-ref", hook, ErrorKind::Output, "it made component:default/somebody-else of it").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_entity_is_from_is_not_for_a_plugin_to_say() {
    fails("change-origin", Hook::PreProcess, ErrorKind::Output, "backstage.io/managed-by-location").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_were_not_granted_are_not_emitted() {
    let line = "`entity-processor: { kinds: [User] }`";
    fails("emit-kinds", Hook::PostProcess, ErrorKind::Output, line).await;
    fails("emit-file", Hook::PostProcess, ErrorKind::Output, "Location of type file").await;
    fails("emit-early", Hook::PreProcess, ErrorKind::Output, "for post-process").await;
    fails("relate-others", Hook::PostProcess, ErrorKind::Output, "between two other entities").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_are_told() {
    fails("malformed", Hook::PostProcess, ErrorKind::Output, "Malformed envelope").await;
    fails("wrong-count", Hook::PostProcess, ErrorKind::Output, "it gave 2 results for 1 entities").await;
    fails("no-json", Hook::PostProcess, ErrorKind::Output, "not a JSON list").await;
    fails("deep-answer", Hook::PostProcess, ErrorKind::Output, "not a JSON list").await;
    fails("giant-output", Hook::PostProcess, ErrorKind::TooMuchData, "more than 16777216 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_together_comes_one_by_one() {
    let fixture = fixture().await;
    let results = attack(&fixture, "wide-output", Hook::PostProcess, &["a", "b", "c"]).await;
    for result in results {
        let message = &result.unwrap().errors[0].message;
        assert!(message.len() < 5_000, "and is cut: {}", message.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_entity() {
    let fixture = fixture().await;
    let results = attack(&fixture, "panic-on-one", Hook::PostProcess, &["a", "b", "marked", "c", "d"]).await;
    for (index, result) in results.iter().enumerate() {
        match result {
            Ok(output) => assert_eq!((index == 2, output), (false, &ProcessOutput::default())),
            Err(error) => {
                assert_eq!((index, &error.kind), (2, &ErrorKind::Trap), "{error}");
                assert!(error.message.contains("the processor says no"), "{error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_costs_one_entity() {
    let fixture = fixture().await;
    let results = attack(&fixture, "loop-on-one", Hook::PostProcess, &["marked", "a", "b"]).await;
    let kinds: Vec<_> = results.iter().map(|result| result.as_ref().map_err(|error| &error.kind)).collect();
    assert_eq!(kinds, [Err(&ErrorKind::Deadline), Ok(&ProcessOutput::default()), Ok(&ProcessOutput::default())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_for_who_is_to_blame_has_an_end() {
    let fixture = fixture().await;
    let started = Instant::now();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let results = attack(&fixture, "loop-forever", Hook::PostProcess, &names).await;
    let count = |kind: ErrorKind| {
        results.iter().filter(|result| result.as_ref().is_err_and(|error| error.kind == kind)).count()
    };
    assert_eq!((count(ErrorKind::Deadline), count(ErrorKind::NotTried)), (3, 5), "{results:?}");
    assert!(started.elapsed() < 8 * DEADLINE, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_always_fails_is_suspended() {
    let fixture = fixture().await;
    let plugin = fixture.load("hostile_processor").await;
    let bystander = fixture.load("good_processor").await;
    let entities = inputs(&["a", "b"]);
    for _ in 0..3 {
        plugin.process(&nobody(), "panic", Hook::PostProcess, entities.clone()).await;
    }
    assert_eq!(plugin.state(), PluginState::Suspended);
    for result in plugin.process(&nobody(), "panic", Hook::PostProcess, entities.clone()).await {
        let error = result.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Suspended { .. }), "{error}");
        assert!(error.message.contains("the processor says no"), "{error}");
    }
    let results = bystander.process(&nobody(), "greeting", Hook::PreProcess, entities.clone()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

async fn good(fixture: &Fixture) -> Plugin {
    fixture.load_with("good_processor", json!({ "greeting": "Hello" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn processors_are_known_without_running_anything() {
    let fixture = fixture().await;
    let plugin = good(&fixture).await;
    assert_eq!(plugin.extension_points(), ["entity-processor"]);
    let processors = plugin.processors();
    let names: Vec<_> = processors.iter().map(|processor| processor.name.as_str()).collect();
    assert_eq!(names, ["good-processor/greeting", "good-processor/database", "good-processor/visits"]);
    let [greeting, database, _] = processors.as_slice() else { panic!("{processors:?}") };
    assert_eq!((greeting.id.as_str(), &greeting.filter), ("greeting", &None));
    assert_eq!(
        (greeting.after.as_slice(), greeting.hooks.as_slice()),
        (["annotate".to_owned()].as_slice(), [Hook::PreProcess].as_slice())
    );
    assert_eq!(database.after, ["good-processor/greeting", "validate", "other-plugin/teams"]);
    assert!(database.filter.is_some());
    assert!(!database.pure, "it may ask its keys and values");

    let hostile = fixture.load("hostile_processor").await;
    assert!(hostile.processors().iter().all(|processor| processor.pure), "it may ask nobody");
    assert_eq!(fixture.load("read_env").await.processors(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_changes_and_emits() {
    let fixture = fixture().await;
    let plugin = good(&fixture).await;
    let process = async |processor: &str, hook, input: ProcessInput| {
        plugin.process(&nobody(), processor, hook, [input].into()).await.pop().expect("a result")
    };

    let output = process("greeting", Hook::PreProcess, input("a", json!({}))).await.unwrap();
    let entity = output.entity.as_ref().expect("changed");
    assert_eq!(entity.annotation("example.com/greeting"), Some("Hello, a"));
    assert_eq!(output.fresh_for_ms, None, "it depends on nothing else");

    let annotations = json!({ "example.com/database": "orders", "example.com/more": "https://example.com/more.yaml" });
    let output = process("database", Hook::PostProcess, input("a", annotations)).await.unwrap();
    let this = "component:default/a".parse().unwrap();
    let relations: Vec<_> = output.relations.into_iter().map(|relation| relation.of(&this)).collect();
    let [to, from] = relations.as_slice() else { panic!("{relations:?}") };
    assert_eq!((to.kind.as_str(), to.target.to_string().as_str()), ("dependsOn", "resource:default/orders"));
    assert_eq!((from.kind.as_str(), &from.source, &from.target), ("dependencyOf", &to.target, &this));
    assert_eq!(output.entities[0].entity_ref(), to.target);
    assert_eq!(output.locations[0].target, "https://example.com/more.yaml");
    assert_eq!(output.refresh_keys, ["database:orders"]);
    assert_eq!(output.entity, None, "it stays as it was");

    let output = process("database", Hook::PostProcess, input("a", json!({ "example.com/database": "" }))).await;
    assert_eq!(output.unwrap().errors[0].message, "example.com/database is empty");
    let error = process("database", Hook::PostProcess, input("a", json!({ "example.com/database": "down" }))).await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Guest(GuestError::Unavailable));

    for visits in ["1", "2"] {
        let output = process("visits", Hook::PostProcess, input("a", json!({}))).await.unwrap();
        assert_eq!(output.entity.unwrap().annotation("example.com/visits"), Some(visits));
        assert_eq!(output.fresh_for_ms, Some(3_600_000), "what it keeps may be another the next time");
    }
    assert_eq!(plugin.state(), PluginState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_one_call_goes_in_several() {
    let fixture = fixture().await;
    let plugin = good(&fixture).await;
    let mut entities: Vec<_> = (0..2_500).map(|number| input(&format!("c{number}"), json!({}))).collect();
    let mut huge = input("huge", json!({})).entity.into_value();
    huge["spec"]["definition"] = json!("x".repeat(4 * 1024 * 1024));
    entities[1_700].entity = Entity::from_value(huge).unwrap();
    let entities: Arc<[ProcessInput]> = entities.into();
    let results = plugin.process(&nobody(), "greeting", Hook::PreProcess, entities.clone()).await;
    assert_eq!(results.len(), entities.len());
    for (index, (result, input)) in results.into_iter().zip(&*entities).enumerate() {
        if index == 1_700 {
            let error = result.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Input);
            assert!(error.message.contains("item 1700 (component:default/huge)"), "{error}");
        } else {
            let entity = result.unwrap().entity.expect("changed");
            let greeting = format!("Hello, {}", input.entity.name());
            assert_eq!(entity.annotation("example.com/greeting"), Some(greeting.as_str()));
        }
    }
}

/// The shape that takes most of a guest's memory among those that occur: many small maps.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_batch_fits_into_memory() {
    let fixture = fixture().await;
    let mut spec = spec("good_processor", json!({ "greeting": "Hello" }));
    // So that entities that are tried one by one because their batch did not fit fail as well.
    spec.limits.faults_before_suspension = Some(1);
    let plugin = fixture.host.load(spec).await.unwrap();
    let mut entities: Vec<_> = (0..2_000).map(|number| input(&format!("c{number}"), json!({}))).collect();
    for input in &mut entities {
        let mut entity = input.entity.to_value();
        entity["metadata"]["links"] = json!(vec![json!({ "url": "https://a.b", "title": "t" }); 5]);
        entity["metadata"]["labels"] = json!({ "tier": "1" });
        entity["spec"]["profile"] = json!({ "a": { "b": 1 } });
        input.entity = Entity::from_value(entity).unwrap();
    }
    let entities: Arc<[ProcessInput]> = entities.into();
    let results = plugin.process(&nobody(), "greeting", Hook::PreProcess, entities.clone()).await;
    assert!(results.iter().all(|result| result.as_ref().is_ok_and(|output| output.entity.is_some())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_manifest_does_not_name_is_not_called() {
    let fixture = fixture().await;
    let plugin = good(&fixture).await;
    for (processor, hook) in [("nothing", Hook::PreProcess), ("greeting", Hook::PostProcess)] {
        let results = plugin.process(&nobody(), processor, hook, inputs(&["a", "b"])).await;
        assert_eq!(results.len(), 2);
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotThere);
            assert!(error.message.contains(&format!("`{processor}` for {hook}")), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_changes_with_what_results_depend_on() {
    let fixture = fixture().await;
    let digest = async |config: Value, kinds: &[&str], processor: &str| {
        let mut spec = spec("good_processor", config);
        spec.grant.entity_processor.kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        fixture.host.load(spec).await.unwrap().processor_digest(processor)
    };
    let hello = json!({ "greeting": "Hello" });
    let first = digest(hello.clone(), &["Resource"], "greeting").await;
    assert!(first.is_some());
    assert_eq!(digest(json!({ "greeting": "Hello", "other": 1 }), &["Resource"], "greeting").await, first);
    assert_ne!(digest(json!({ "greeting": "Hi" }), &["Resource"], "greeting").await, first);
    assert_ne!(digest(hello.clone(), &[], "greeting").await, first);
    assert_ne!(digest(hello.clone(), &["Resource"], "database").await, first);
    assert_eq!(digest(hello, &["Resource"], "nothing").await, None);
}
