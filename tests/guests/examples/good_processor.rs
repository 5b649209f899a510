//! Is not hostile: it adds an annotation, a relation and an entity. What it may, the hostile processor must be able to do
//! as well.

use callboard_sdk::entity_processor::{
    EmittedError, EmittedLocation, EmittedRelation, Hook, Presence, ProcessInput, ProcessOutput,
};
use callboard_sdk::{Context, Entity, EntityProcessor, EntityRef, Error, config, kv};
use serde_json::json;

struct Good;

impl EntityProcessor for Good {
    fn process(_: &Context, processor: &str, hook: Hook, input: ProcessInput) -> Result<ProcessOutput, Error> {
        match (processor, hook) {
            ("greeting", Hook::PreProcess) => greeting(input),
            ("database", Hook::PostProcess) => database(&input),
            ("visits", Hook::PostProcess) => visits(input),
            (other, hook) => Err(Error::NotFound(format!("there is no processor `{other}` for {hook}"))),
        }
    }
}

callboard_sdk::export!(manifest: "examples/good_processor.yaml", entity_processor: Good);

const GREETING: &str = "example.com/greeting";
const DATABASE: &str = "example.com/database";
const MORE: &str = "example.com/more";

/// Changes the entity.
fn greeting(input: ProcessInput) -> Result<ProcessOutput, Error> {
    let greeting: Option<String> = config::get("greeting")?;
    let Some(greeting) = greeting else { return Ok(ProcessOutput::default()) };
    let mut entity = input.entity;
    let greeting = format!("{greeting}, {}", entity.name());
    entity.set_annotation(GREETING, greeting);
    Ok(ProcessOutput::of(entity))
}

/// Emits what the entity leads to.
fn database(input: &ProcessInput) -> Result<ProcessOutput, Error> {
    let Some(name) = input.entity.annotation(DATABASE) else { return Ok(ProcessOutput::default()) };
    if name.is_empty() {
        let error = EmittedError { name: "InputError".to_owned(), message: format!("{DATABASE} is empty") };
        return Ok(ProcessOutput { errors: vec![error], ..ProcessOutput::default() });
    }
    if name == "down" {
        return Err(Error::Unavailable("the list of databases does not answer".to_owned()));
    }
    let this = input.entity.entity_ref();
    let database = EntityRef::new("Resource", this.namespace(), name);
    let entity = Entity::from_value(json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": { "name": name, "namespace": this.namespace() },
        "spec": { "type": "database", "owner": input.entity.spec_text("owner") },
    }));
    let more = input.entity.annotation(MORE).map(|target| EmittedLocation {
        kind: "url".to_owned(),
        target: target.to_owned(),
        presence: Presence::Optional,
    });
    Ok(ProcessOutput {
        relations: vec![
            EmittedRelation::to("dependsOn", database.clone()),
            EmittedRelation::from("dependencyOf", database, this),
        ],
        entities: vec![entity.map_err(|error| Error::Invalid(error.to_string()))?],
        locations: more.into_iter().collect(),
        refresh_keys: vec![format!("database:{name}")],
        ..ProcessOutput::default()
    })
}

/// Comes to another result each time, and does not say for how long it holds.
fn visits(input: ProcessInput) -> Result<ProcessOutput, Error> {
    let key = input.entity.entity_ref().to_string();
    let before = kv::get(&key)?.and_then(|value| String::from_utf8(value).ok()?.parse::<u64>().ok()).unwrap_or(0);
    kv::set(&key, (before + 1).to_string().as_bytes())?;
    let mut entity = input.entity;
    entity.set_annotation("example.com/visits", (before + 1).to_string());
    Ok(ProcessOutput::of(entity))
}
