//! Processors of plugins: when they are called, for what, and what becomes of what they say.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use callboard_catalog::{EntityProcessor, ProcessorError};
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::location_ref::Presence;
use callboard_model::processing::{EmittedError, EmittedLocation, EmittedRelation, Hook, ProcessInput, ProcessOutput};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, provided};

type Answer = Result<ProcessOutput, ProcessorError>;

/// A processor that does what the test says, and notes what it was asked.
struct Fake {
    name: String,
    after: Vec<String>,
    hooks: Vec<Hook>,
    filter: Option<Predicate>,
    digest: String,
    answer: Box<dyn Fn(&ProcessInput) -> Answer + Send + Sync>,
    /// The names of the entities of each call.
    calls: Mutex<Vec<Vec<String>>>,
}

impl Fake {
    fn new(name: &str, hook: Hook, answer: impl Fn(&ProcessInput) -> Answer + Send + Sync + 'static) -> Fake {
        Fake {
            name: name.to_owned(),
            after: Vec::new(),
            hooks: vec![hook],
            filter: None,
            digest: "1".to_owned(),
            answer: Box::new(answer),
            calls: Mutex::default(),
        }
    }

    fn after(self, after: &[&str]) -> Fake {
        Fake { after: after.iter().map(|&name| name.to_owned()).collect(), ..self }
    }

    fn filter(self, filter: Value) -> Fake {
        Fake { filter: Some(Predicate::from_value(&filter).unwrap()), ..self }
    }

    fn digest(self, digest: &str) -> Fake {
        Fake { digest: digest.to_owned(), ..self }
    }

    /// The names that it was asked for since the last call, sorted.
    fn asked(&self) -> Vec<String> {
        let mut names: Vec<String> = std::mem::take(&mut *self.calls.lock().unwrap()).into_iter().flatten().collect();
        names.sort();
        names
    }
}

#[async_trait]
impl EntityProcessor for Fake {
    fn name(&self) -> &str {
        &self.name
    }

    fn after(&self) -> &[String] {
        &self.after
    }

    fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    fn filter(&self) -> Option<&Predicate> {
        self.filter.as_ref()
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    async fn process(&self, _: Hook, inputs: Arc<[ProcessInput]>) -> Vec<Answer> {
        self.calls.lock().unwrap().push(inputs.iter().map(|input| input.entity.name().to_owned()).collect());
        inputs.iter().map(|input| (self.answer)(input)).collect()
    }
}

/// Adds a letter to an annotation.
fn marks(name: &str, hook: Hook, letter: &'static str) -> Fake {
    Fake::new(name, hook, move |input| {
        let mut entity = input.entity.clone();
        let before = entity.annotation("example.com/marks").unwrap_or_default().to_owned();
        entity.set_annotation("example.com/marks", format!("{before}{letter}"));
        Ok(ProcessOutput::of(entity))
    })
}

fn marks_of(entity: &Value) -> &str {
    entity["metadata"]["annotations"]["example.com/marks"].as_str().unwrap_or_default()
}

fn says_nothing(_: &ProcessInput) -> Answer {
    Ok(ProcessOutput::default())
}

fn component_with(name: &str, spec: Value) -> callboard_model::provided::ProvidedItem {
    provided(component_value(name, spec))
}

async fn with_components(settings: Value, names: &[&str]) -> (Fixture, Arc<FakeProvider>) {
    let fixture = Fixture::start(settings).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(names.iter().map(|name| component_with(name, json!({}))).collect());
    (fixture, provider)
}

async fn set(fixture: &Fixture, processors: Vec<&Arc<Fake>>) {
    let processors = processors.into_iter().map(|one| Arc::clone(one) as Arc<dyn EntityProcessor>).collect();
    fixture.catalog.set_processors(processors).await.unwrap();
}

#[tokio::test]
async fn order_is_what_they_and_app_config_say() {
    let settings = json!({ "processorOptions": {
        "x/last": { "priority": 30 }, "x/first": { "priority": 10 }, "x/off": { "disabled": true },
    } });
    let (fixture, _) = with_components(settings, &["a"]).await;
    let all = [
        marks("x/last", Hook::PreProcess, "l"),
        marks("x/post", Hook::PostProcess, "P"),
        marks("x/b", Hook::PreProcess, "b").after(&["x/a", "validate"]),
        marks("x/a", Hook::PreProcess, "a"),
        marks("x/off", Hook::PreProcess, "-"),
        marks("x/first", Hook::PreProcess, "f"),
        marks("x/c1", Hook::PreProcess, "c").after(&["y/c2"]),
        marks("y/c2", Hook::PreProcess, "c").after(&["x/c1"]),
    ];
    let all = all.map(Arc::new);
    set(&fixture, all.iter().collect()).await;
    fixture.run_provider().await;
    assert_eq!(marks_of(&fixture.appears("component:default/a").await), "fablP");
    assert!(all.iter().all(|one| one.asked().len() == usize::from(!["x/off", "x/c1", "y/c2"].contains(&&*one.name))));
}

#[tokio::test]
async fn the_filter_is_about_the_entity_as_it_then_stands() {
    let (fixture, _) = with_components(json!({}), &["a", "b"]).await;
    let tags = Arc::new(marks("x/tags", Hook::PreProcess, "t").filter(json!({ "metadata.name": "b" })));
    let sees = json!({ "kind": "Component", "metadata.annotations.example.com/marks": "t" });
    let sees = Arc::new(Fake::new("x/sees", Hook::PostProcess, says_nothing).filter(sees));
    set(&fixture, vec![&tags, &sees]).await;
    fixture.run_provider().await;
    assert_eq!((tags.asked(), sees.asked()), (vec!["b".to_owned()], vec!["b".to_owned()]));
}

#[tokio::test]
async fn those_due_together_cross_together() {
    let names: Vec<String> = (0..200).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (fixture, _) = with_components(json!({}), &names).await;
    let fake = Arc::new(Fake::new("x/a", Hook::PostProcess, says_nothing));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    let calls = fake.calls.lock().unwrap().len();
    assert!(calls <= 20, "{calls} calls for 200 entities");
    assert_eq!(fake.asked().len(), 200);
}

#[tokio::test]
async fn an_error_keeps_the_last_good_version() {
    let (fixture, provider) = with_components(json!({}), &["a"]).await;
    let picky = Arc::new(Fake::new("x/picky", Hook::PostProcess, |input| match input.entity.spec_text("type") {
        Some("bad") => {
            let errors = ["no owner", "no name"]
                .map(|message| EmittedError { name: "InputError".to_owned(), message: message.to_owned() });
            Ok(ProcessOutput { errors: errors.to_vec(), ..ProcessOutput::default() })
        }
        Some("broken") => Err(ProcessorError { message: "x: it is down".to_owned(), retry: true }),
        Some("script") => {
            let mut entity = input.entity.clone();
            entity.set_annotation("backstage.io/view-url", "javascript:alert(1)");
            Ok(ProcessOutput::of(entity))
        }
        Some("invalid") => {
            let mut value = input.entity.to_value();
            value["spec"].as_object_mut().unwrap().remove("lifecycle");
            Ok(ProcessOutput::of(Entity::from_value(value).unwrap()))
        }
        _ => Ok(ProcessOutput::default()),
    }));
    set(&fixture, vec![&picky]).await;
    fixture.run_provider().await;
    let messages = |entity: &Value| -> Vec<String> {
        let items = entity["status"]["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["message"].as_str().unwrap().to_owned()).collect()
    };
    for (spec_type, expected) in
        [("bad", "processor `x/picky`: no owner"), ("broken", "it is down"), ("invalid", "lifecycle")]
    {
        provider.items(vec![component_with("a", json!({ "type": spec_type }))]);
        fixture.run_provider().await;
        let found = fixture
            .becomes("component:default/a", |entity| messages(entity).iter().any(|text| text.contains(expected)))
            .await;
        assert_eq!(found["spec"]["type"], "service", "{spec_type}");
    }
    // What could not work is asked again; what said no is not.
    let due = async || fixture.db.fetch_all(callboard_store::query("SELECT 1 FROM queue", vec![])).await.unwrap().len();
    assert_eq!(due().await, 0);
    provider.items(vec![component_with("a", json!({ "type": "broken" }))]);
    fixture.run_provider().await;
    assert_eq!(due().await, 1);
    provider.items(vec![component_with("a", json!({ "type": "script" }))]);
    fixture.run_provider().await;
    let found = fixture.becomes("component:default/a", |entity| entity["spec"]["type"] == "script").await;
    assert_eq!(messages(&found), [""; 0]);
    let url = found["metadata"]["annotations"]["backstage.io/view-url"].as_str().unwrap();
    assert!(url.starts_with("https://backstage.io/"), "{url}");
}

#[tokio::test]
async fn another_version_runs_for_what_it_concerns() {
    let (fixture, provider) = with_components(json!({}), &["a", "b", "c"]).await;
    provider.items(vec![
        component_with("a", json!({ "type": "library" })),
        component_with("b", json!({})),
        component_with("c", json!({})),
    ]);
    let other = Arc::new(marks("x/other", Hook::PreProcess, "o"));
    let library = || marks("x/library", Hook::PreProcess, "1").filter(json!({ "spec.type": "library" }));
    let first = Arc::new(library());
    set(&fixture, vec![&other, &first]).await;
    fixture.run_provider().await;
    assert_eq!((other.asked().len(), first.asked().len()), (3, 1));
    let settled = async |processors: Vec<&Arc<Fake>>| {
        set(&fixture, processors).await;
        fixture.settles().await;
    };
    // The same again: nothing.
    settled(vec![&other, &first]).await;
    assert_eq!((other.asked().len(), first.asked().len()), (0, 0));
    // Another version: what it is for.
    let second = Arc::new(library().digest("2"));
    settled(vec![&other, &second]).await;
    assert_eq!((other.asked(), second.asked()), (vec!["a".to_owned()], vec!["a".to_owned()]));
    // Another filter: what it was for, and what it is for now.
    let moved = Arc::new(marks("x/library", Hook::PreProcess, "2").filter(json!({ "metadata.name": "b" })));
    settled(vec![&other, &moved]).await;
    assert_eq!((other.asked(), moved.asked()), (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()]));
    // Gone: what it had a say in, which is then as it would be without.
    settled(vec![&other]).await;
    assert_eq!(other.asked(), ["b"]);
    assert_eq!(marks_of(&fixture.appears("component:default/b").await), "o");
    // None of it is forgotten by a restart.
    let fixture = fixture.restart(json!({})).await;
    set(&fixture, vec![&other]).await;
    fixture.settles().await;
    assert_eq!(other.asked(), [""; 0]);
}

/// Emits an entity, a relation to it, and a Location.
fn emits(kind: &'static str) -> Fake {
    Fake::new("x/emits", Hook::PostProcess, move |input| {
        let Some(name) = input.entity.spec_text("database") else { return Ok(ProcessOutput::default()) };
        let entity = json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": kind,
            "metadata": {
                "name": name,
                "annotations": { "backstage.io/managed-by-origin-location": "url:https://trusted.example" },
            },
            "spec": { "type": "database", "owner": "team-a", "profile": {}, "memberOf": [] },
        });
        let this = input.entity.entity_ref();
        let target = EntityRef::new(kind, "default", name);
        let location = EmittedLocation {
            kind: "url".to_owned(),
            target: "https://x.example/more.yaml".to_owned(),
            presence: Presence::Required,
        };
        Ok(ProcessOutput {
            relations: vec![
                EmittedRelation::to("dependsOn", target.clone()),
                EmittedRelation::from("dependencyOf", target, this),
            ],
            entities: vec![Entity::from_value(entity).unwrap()],
            locations: vec![location],
            ..ProcessOutput::default()
        })
    })
    .filter(json!({ "kind": "Component" }))
}

#[tokio::test]
async fn what_is_emitted_is_there_as_long_as_it_is_emitted() {
    let rules = json!({ "rules": [{ "allow": ["Component", "Location", "Resource"] }] });
    let (fixture, provider) = with_components(rules, &[]).await;
    fixture.web.put("https://x.example/more.yaml", &component("more", ""));
    provider.items(vec![component_with("a", json!({ "database": "db" }))]);
    let fake = Arc::new(emits("Resource"));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    let database = fixture.appears("resource:default/db").await;
    let annotations = &database["metadata"]["annotations"];
    assert_eq!(annotations["backstage.io/managed-by-location"], "test:x");
    assert_eq!(annotations["backstage.io/managed-by-origin-location"], "test:x");
    let relation = json!({ "type": "dependencyOf", "targetRef": "component:default/a" });
    assert!(database["relations"].as_array().unwrap().contains(&relation), "{database}");
    let more = fixture.appears("component:default/more").await;
    assert_eq!(more["metadata"]["annotations"]["backstage.io/managed-by-origin-location"], "test:x");
    provider.items(vec![component_with("a", json!({}))]);
    fixture.run_provider().await;
    fixture.disappears("resource:default/db").await;
    fixture.disappears("component:default/more").await;
    let left = fixture.appears("component:default/a").await;
    assert!(!left.to_string().contains("dependsOn"), "{left}");
    // And it goes with what emits it.
    provider.items(vec![component_with("a", json!({ "database": "db" }))]);
    fixture.run_provider().await;
    fixture.appears("resource:default/db").await;
    provider.items(vec![]);
    fixture.run_provider().await;
    assert_eq!(fixture.refs().await, [""; 0]);
}

#[tokio::test]
async fn rules_hold_for_what_is_emitted() {
    let (fixture, provider) = with_components(json!({}), &[]).await;
    provider.items(vec![component_with("a", json!({}))]);
    let fake = Arc::new(emits("User"));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    provider.items(vec![component_with("a", json!({ "database": "mallory" }))]);
    fixture.run_provider().await;
    let found = fixture.becomes("component:default/a", |entity| entity.get("status").is_some()).await;
    assert!(found["status"].to_string().contains("not of an allowed kind"), "{found}");
    assert_eq!(fixture.refs().await, ["component:default/a"]);
}

#[tokio::test]
async fn a_result_holds_as_long_as_it_says() {
    let (fixture, _) = with_components(json!({}), &["pure", "short", "long"]).await;
    let count = Arc::new(Mutex::new(0));
    let fake = Arc::new(Fake::new("x/asks", Hook::PostProcess, move |input| {
        let fresh_for_ms = match input.entity.name() {
            "pure" => None,
            "short" => Some(50),
            _ => Some(3_600_000),
        };
        let mut entity = input.entity.clone();
        *count.lock().unwrap() += 1;
        entity.set_annotation("example.com/marks", count.lock().unwrap().to_string());
        Ok(ProcessOutput { fresh_for_ms, ..ProcessOutput::of(entity) })
    }));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    // By itself, and more than once.
    for _ in 0..2 {
        let before = marks_of(&fixture.appears("component:default/short").await).to_owned();
        fixture.becomes("component:default/short", |entity| marks_of(entity) != before).await;
    }
    let asked = fake.asked();
    let count = |name: &str| asked.iter().filter(|asked| *asked == name).count();
    assert_eq!((count("pure"), count("long")), (1, 1), "{asked:?}");
    // Whoever asks for it is told what is so now; what depends on nothing stays what it is.
    for (name, again) in [("long", true), ("pure", false)] {
        let entity_ref = EntityRef::new("Component", "default", name);
        let before = marks_of(&fixture.appears(&entity_ref.to_string()).await).to_owned();
        fixture.catalog.refresh(&callboard_model::access::Access::All, &entity_ref).await.unwrap();
        fixture
            .until("it was looked at", async || {
                let left = "SELECT 1 FROM queue q JOIN ref r ON r.id = q.entity_id WHERE q.forced = 1";
                fixture.db.fetch_optional(callboard_store::query(left, vec![])).await.unwrap().is_none().then_some(())
            })
            .await;
        let after = marks_of(&fixture.appears(&entity_ref.to_string()).await).to_owned();
        assert_eq!(before != after, again, "{name}");
    }
}

#[tokio::test]
async fn keys_refresh_what_depends_on_them() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(["a", "b"].map(|name| component_with(name, json!({}))).to_vec());
    let long = "k".repeat(400);
    let key = long.clone();
    let fake = Arc::new(Fake::new("x/keys", Hook::PreProcess, move |input| {
        let own = format!("team:{}", input.entity.name());
        Ok(ProcessOutput { refresh_keys: vec![own, key.clone()], ..ProcessOutput::default() })
    }));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    fake.asked();
    for (key, expected) in [("team:a", vec!["a"]), (long.as_str(), vec!["a", "b"]), ("team:c", vec![])] {
        assert_eq!(fixture.catalog.refresh_keys(&[key.to_owned()]).await.unwrap(), expected.len());
        fixture.settles().await;
        assert_eq!(fake.asked(), expected);
    }
    let url = "https://github.com/o/r/blob/main/a.yaml";
    fixture.web.put(url, &component("c", ""));
    provider.items(vec![provided(crate::support::location(url))]);
    fixture.run_provider().await;
    fixture.web.reads();
    for key in [url, "https://github.com/o/r/tree/main/a.yaml"] {
        assert_eq!(fixture.catalog.refresh_keys(&[format!("url:{key}")]).await.unwrap(), 1, "{key}");
        fixture.settles().await;
        assert_eq!(fixture.web.reads(), [url], "{key}");
    }
}

#[tokio::test]
async fn default_steps_can_be_left_out() {
    let url = "https://x.example/a.yaml";
    for (settings, text) in [
        (json!({ "disableDefaultProcessors": true }), "No processor was able to handle reading"),
        (json!({ "processorOptions": { "url-reader": { "disabled": true } } }), "No processor was able to"),
    ] {
        let fixture = Fixture::start(settings).await;
        fixture.web.put(url, &component("a", ""));
        let provider = FakeProvider::new("p");
        fixture.set_provider(&provider).await;
        provider.items(vec![provided(crate::support::location(url))]);
        fixture.run_provider().await;
        let row = fixture.db.fetch_all(callboard_store::query("SELECT errors FROM entity", vec![])).await.unwrap();
        let errors: String = row[0].get(0).unwrap();
        assert!(errors.contains(text), "{errors}");
        assert!(fixture.web.reads().is_empty());
    }
}

/// Placeholders and annotations are there before any processor has its turn.
#[tokio::test]
async fn the_catalogs_own_steps_come_first() {
    let (fixture, provider) = with_components(json!({}), &[]).await;
    fixture.web.put("https://x.example/note.txt", "words");
    let mut entity = component_value("a", json!({ "note": { "$text": "./note.txt" } }));
    entity["metadata"]["annotations"]["backstage.io/managed-by-location"] = json!("url:https://x.example/a.yaml");
    provider.items(vec![provided(entity)]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let fake = Arc::new(Fake::new("x/sees", Hook::PreProcess, move |input| {
        let url = input.entity.annotation("backstage.io/view-url").map(str::to_owned);
        note.lock().unwrap().push((input.entity.spec_text("note").map(str::to_owned), url));
        says_nothing(input)
    }));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    let expected = (Some("words".to_owned()), Some("https://x.example/a.yaml".to_owned()));
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn an_entity_stays_the_one_that_it_is() {
    for (hook, pointer) in [
        (Hook::PreProcess, "/metadata/name"),
        (Hook::PreProcess, "/metadata/namespace"),
        (Hook::PostProcess, "/metadata/name"),
    ] {
        let (fixture, _) = with_components(json!({}), &["a"]).await;
        let fake = Arc::new(Fake::new("x/renames", hook, move |input| {
            let mut value = input.entity.to_value();
            value["metadata"]["namespace"] = json!("default");
            *value.pointer_mut(pointer).unwrap() = json!("other");
            Ok(ProcessOutput::of(Entity::from_value(value).unwrap()))
        }));
        set(&fixture, vec![&fake]).await;
        fixture.run_provider().await;
        let errors: Value = serde_json::from_str(&fixture.fails("component:default/a").await).unwrap();
        let message = "Fatal: The entity kind, namespace, or name changed during processing";
        assert_eq!(errors, json!([{ "name": "ConflictError", "message": message }]), "{hook} {pointer}");
        assert_eq!(fixture.refs().await, [""; 0]);
    }
}

/// Only once, and never the entity itself; each with the location of the one that emits it.
#[tokio::test]
async fn what_is_emitted_twice_counts_once() {
    let (fixture, provider) = with_components(json!({}), &[]).await;
    provider.items(vec![component_with("a", json!({}))]);
    let fake = Fake::new("x/emits", Hook::PostProcess, |input| {
        let entity =
            |name: &str, system: &str| Entity::from_value(component_value(name, json!({ "system": system }))).unwrap();
        let entities = vec![entity("A", "other"), entity("b", "first"), entity("b", "second")];
        Ok(ProcessOutput { entities, entity: Some(input.entity.clone()), ..ProcessOutput::default() })
    });
    let fake = Arc::new(fake.filter(json!({ "metadata.name": "a" })));
    set(&fixture, vec![&fake]).await;
    fixture.run_provider().await;
    assert_eq!(fixture.appears("component:default/b").await["spec"]["system"], "first");
    fixture.settles().await;
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b"]);
    let a = fixture.get("component:default/a").await.unwrap();
    assert_eq!((a["spec"].get("system"), a.get("status")), (None, None));
}
