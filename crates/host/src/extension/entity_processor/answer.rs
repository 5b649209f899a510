//! What a processor answered, held against what it was handed and what it may.

use std::collections::BTreeSet;
use std::time::Duration;

use callboard_model::entity::Entity;
use callboard_model::location_ref::{MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use callboard_model::processing::{EmittedRelation, Hook, ProcessFailure, ProcessInput, ProcessOutcome, ProcessOutput};
use callboard_model::relations;
use serde::Deserialize;
use serde_json::Value;

use crate::call::output::clean;
use crate::error::{ErrorKind, GuestError};
use crate::extension::entity_processor::POINT;
use crate::extension::{may_bring, may_locate};
use crate::limits::{
    BATCH_BYTES, EMITTED_ENTITIES, EMITTED_NOTES, EMITTED_RELATIONS, FRESH_FOR, FRESH_FOR_LEAST, FRESH_FOR_MOST,
};

/// Why there is no result for an entity.
pub(super) type Problem = (ErrorKind, String);

/// A relation's type: it becomes part of a search key.
const RELATION_CHARS: usize = 63;
/// A refresh key: it is stored and looked up.
const KEY_CHARS: usize = 500;
/// What is kept of an error's message.
const MESSAGE_CHARS: usize = 4_000;

/// What there is to know about a call to judge its answer.
pub(super) struct Answer<'a> {
    pub(super) hook: Hook,
    /// That the plugin may emit.
    pub(super) kinds: &'a [String],
    /// Whether the guest asked anybody.
    pub(super) has_asked: bool,
}

impl Answer<'_> {
    /// One result for each item. The outer error is about the answer as a whole.
    ///
    /// `handed` are those that the guest was handed, in their order.
    pub(super) fn read(
        &self,
        json: &str,
        handed: &[&ProcessInput],
    ) -> Result<Vec<Result<ProcessOutput, Problem>>, String> {
        if json.len() > BATCH_BYTES {
            return Err(format!("its results have {} bytes, but at most {BATCH_BYTES} cross at once", json.len()));
        }
        let results = results(json)
            .map_err(|error| format!("its results are not a JSON list: {}", clean(&error.to_string(), 300)))?;
        if results.len() != handed.len() {
            return Err(format!(
                "it gave {} results for {} entities; there must be one for each",
                results.len(),
                handed.len()
            ));
        }
        let judged = |(result, input): (Result<ProcessOutcome, Problem>, &&ProcessInput)| match result? {
            ProcessOutcome::Output(output) => self.output(*output, input).map_err(wrong),
            ProcessOutcome::Failed(failure) => Err(reported(&failure)),
        };
        Ok(results.into_iter().zip(handed).map(judged).collect())
    }

    fn output(&self, output: ProcessOutput, input: &ProcessInput) -> Result<ProcessOutput, String> {
        let entity = output.entity.filter(|entity| *entity != input.entity);
        if let Some(entity) = &entity {
            self.check_entity(entity, &input.entity)?;
        }
        let emits = !(output.relations.is_empty() && output.entities.is_empty() && output.locations.is_empty());
        if self.hook == Hook::PreProcess && emits {
            return Err(
                "it emits something in pre-process; that is for post-process, when the entity is valid".to_owned()
            );
        }
        bounded("relations", output.relations.len(), EMITTED_RELATIONS)?;
        bounded("entities", output.entities.len(), EMITTED_ENTITIES)?;
        bounded("locations", output.locations.len(), EMITTED_ENTITIES)?;
        bounded("refresh keys", output.refresh_keys.len(), EMITTED_NOTES)?;
        bounded("errors", output.errors.len(), EMITTED_NOTES)?;
        let this = input.entity.entity_ref();
        output.relations.iter().try_for_each(|relation| check_relation(relation, input))?;
        let mut refs = BTreeSet::from([this.clone()]);
        for emitted in &output.entities {
            may_bring(POINT, emitted, self.kinds)?;
            let emitted = emitted.entity_ref();
            if emitted == this {
                return Err("it emits the entity itself; what that shall be belongs into `entity`".to_owned());
            }
            if let Some(twice) = refs.replace(emitted) {
                return Err(format!("it emits {} twice", clean(&twice.to_string(), 300)));
            }
        }
        for location in &output.locations {
            may_locate(Some(&location.kind), self.kinds)?;
            location.location_ref().map_err(|error| clean(&error.to_string(), 300))?;
        }
        if let Some(key) = output.refresh_keys.iter().find(|key| key.is_empty() || clean(key, KEY_CHARS) != **key) {
            let key = clean(key, 100);
            return Err(format!("`{key}` cannot be a refresh key: 1 to {KEY_CHARS} printable characters"));
        }
        let mut errors = output.errors;
        for error in &mut errors {
            error.name = clean(&error.name, 100);
            error.message = clean(&error.message, MESSAGE_CHARS);
        }
        Ok(ProcessOutput {
            entity,
            errors,
            fresh_for_ms: self.fresh_for(output.fresh_for_ms),
            relations: output.relations,
            entities: output.entities,
            locations: output.locations,
            refresh_keys: output.refresh_keys,
        })
    }

    fn check_entity(&self, after: &Entity, before: &Entity) -> Result<(), String> {
        if after.entity_ref() != before.entity_ref() {
            return Err(format!(
                "it made {} of it; kind, namespace and name must stay",
                clean(&after.entity_ref().to_string(), 300)
            ));
        }
        // Rules and permissions go by where an entity is from, which is not for a plugin to say.
        for annotation in [MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION] {
            if after.annotation(annotation) != before.annotation(annotation) {
                return Err(format!("it changed the annotation {annotation}, which is the catalog's"));
            }
        }
        if self.hook == Hook::PostProcess {
            let rest = |entity: &Entity| {
                let fields = entity.as_map().iter().filter(|(key, _)| !matches!(key.as_str(), "metadata" | "spec"));
                fields.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
            };
            let names = |entity: &Entity| ["name", "namespace"].map(|key| entity.metadata().get(key).cloned());
            if rest(after) != rest(before) || names(after) != names(before) {
                return Err("it changed more than metadata and spec of an entity that is valid already; that is for \
                            pre-process"
                    .to_owned());
            }
        }
        Ok(())
    }

    /// What a guest worked out from what it was handed holds until that changes; all else for a while.
    fn fresh_for(&self, said: Option<u64>) -> Option<u64> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match said {
            None if !self.has_asked => None,
            None => Some(millis(FRESH_FOR)),
            Some(said) => Some(said.clamp(millis(FRESH_FOR_LEAST), millis(FRESH_FOR_MOST))),
        }
    }
}

/// All at once, or one by one where that does not go, so that only those fail that are wrong.
fn results(json: &str) -> serde_json::Result<Vec<Result<ProcessOutcome, Problem>>> {
    if let Ok(results) = serde_json::from_str::<Vec<_>>(json) {
        return Ok(results.into_iter().map(Ok).collect());
    }
    let one = |result: Value| {
        ProcessOutcome::deserialize(result)
            .map_err(|error| wrong(format!("its result is not right: {}", clean(&error.to_string(), 500))))
    };
    Ok(serde_json::from_str::<Vec<Value>>(json)?.into_iter().map(one).collect())
}

fn wrong(message: String) -> Problem {
    (ErrorKind::Output, message)
}

fn bounded(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count <= most { Ok(()) } else { Err(format!("it gives {count} {what}, but at most {most} are taken")) }
}

/// A relation has the entity at one of its ends, so that nothing is said of two others, and a change of the entity
/// concerns it and its neighbours alone.
fn check_relation(relation: &EmittedRelation, input: &ProcessInput) -> Result<(), String> {
    let this = input.entity.entity_ref();
    let kind = &relation.kind;
    if kind.len() > RELATION_CHARS || !relations::is_type(kind) {
        return Err(format!(
            "`{}` cannot be a relation's type: 1 to {RELATION_CHARS} letters, digits and underscores",
            clean(kind, 100)
        ));
    }
    if relation.target_ref != this && relation.source_ref.as_ref().is_some_and(|source| *source != this) {
        return Err(format!(
            "it emits a relation `{kind}` between two other entities; one end must be the entity itself"
        ));
    }
    Ok(())
}

/// What the guest itself says of an entity.
fn reported(failure: &ProcessFailure) -> Problem {
    let kind = match failure.code.as_str() {
        "denied" => GuestError::Denied,
        "invalid" => GuestError::Invalid,
        "not-found" => GuestError::NotFound,
        "unavailable" => GuestError::Unavailable,
        "throttled" => GuestError::Throttled,
        "too-large" => GuestError::TooLarge,
        other => GuestError::Other { code: clean(other, 200) },
    };
    (ErrorKind::Guest(kind), clean(&failure.message, MESSAGE_CHARS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input() -> ProcessInput {
        let entity = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": "a", "namespace": "default", "annotations": {
                MANAGED_BY_LOCATION: "url:https://example.com/a.yaml",
                MANAGED_BY_ORIGIN_LOCATION: "url:https://example.com/a.yaml",
            }},
            "spec": {"type": "service"},
        });
        let location = "url:https://example.com/a.yaml";
        ProcessInput {
            entity: Entity::from_value(entity).unwrap(),
            location: location.parse().unwrap(),
            origin_location: location.parse().unwrap(),
        }
    }

    /// The entity with something else at a place.
    fn changed(pointer: &str, value: Value) -> Value {
        let mut entity = input().entity.into_value();
        *entity.pointer_mut(pointer).unwrap() = value;
        json!({"entity": entity})
    }

    fn answer(hook: Hook, has_asked: bool, result: &Value) -> Result<ProcessOutput, Problem> {
        let kinds = ["Resource".to_owned()];
        let input = input();
        let answer = Answer { hook, kinds: &kinds, has_asked };
        let mut results = answer.read(&json!([result]).to_string(), &[&input]).unwrap();
        results.pop().unwrap()
    }

    fn check(hook: Hook, result: Value, expected: Result<(), &str>) {
        match (answer(hook, false, &result), expected) {
            (Ok(_), Ok(())) => {}
            (Err((kind, message)), Err(part)) => {
                assert_eq!(kind, ErrorKind::Output);
                assert!(message.contains(part), "{result}: {message}");
            }
            (found, _) => panic!("{result}: {found:?}"),
        }
    }

    #[test]
    fn entities() {
        use Hook::{PostProcess, PreProcess};
        for hook in [PreProcess, PostProcess] {
            check(hook, json!({}), Ok(()));
            check(hook, changed("/spec", json!({"type": "x"})), Ok(()));
            check(hook, changed("/metadata/name", json!("b")), Err("it made component:default/b of it"));
            check(hook, changed("/kind", json!("API")), Err("it made api:default/a of it"));
            check(hook, changed("/metadata/namespace", json!("other")), Err("must stay"));
            check(hook, changed("/metadata/annotations", json!({})), Err("managed-by-location"));
            check(hook, json!({"entity": {"kind": "Component"}}), Err("Malformed envelope"));
            check(hook, json!({"entity": 5}), Err("Malformed envelope"));
            check(hook, json!("text"), Err("expected a map"));
        }
        check(PreProcess, changed("/kind", json!("component")), Ok(()));
        check(PostProcess, changed("/kind", json!("component")), Err("more than metadata and spec"));
        check(PostProcess, changed("/apiVersion", json!("v2")), Err("more than metadata and spec"));
        check(PostProcess, changed("/metadata/name", json!("A")), Err("more than metadata and spec"));
        let same = json!({"entity": input().entity});
        assert_eq!(answer(PostProcess, false, &same).unwrap().entity, None, "what is the same is no change");
    }

    #[test]
    fn emitted() {
        let check_both = |result: Value, expected: Result<(), &str>| {
            check(Hook::PostProcess, result.clone(), expected);
            check(Hook::PreProcess, result, Err("it emits something in pre-process"));
        };
        let emitted = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": {"type": "file"}});
        check_both(json!({"entities": [emitted("Resource", "x"), emitted("resource", "y")]}), Ok(()));
        check_both(json!({"entities": [emitted("User", "x")]}), Err("entity-processor: { kinds: [User] }"));
        check_both(json!({"entities": [emitted("Location", "x")]}), Err("Location of type file"));
        check_both(
            json!({"entities": [emitted("Resource", "x"), emitted("resource", "X")]}),
            Err("resource:default/x twice"),
        );
        check_both(json!({"locations": [{"type": "url", "target": "https://example.com/x.yaml"}]}), Ok(()));
        check_both(json!({"locations": [{"type": "file", "target": "/etc/passwd"}]}), Err("Location of type file"));
        check_both(json!({"locations": [{"type": "url", "target": "javascript:x"}]}), Err("javascript"));
        let relation = |kind: &str, source: &str, target: &str| json!({"relations": [{"type": kind, "sourceRef": source, "targetRef": target}]});
        check_both(json!({"relations": [{"type": "dependsOn", "targetRef": "resource:default/x"}]}), Ok(()));
        check_both(relation("dependsOn", "component:default/a", "resource:default/x"), Ok(()));
        check_both(relation("dependencyOf", "resource:default/x", "Component:a"), Ok(()));
        check_both(relation("ownerOf", "user:default/mallory", "system:default/x"), Err("between two other entities"));
        check_both(relation("a b", "resource:default/x", "component:a"), Err("cannot be a relation's type"));
        check_both(relation("a.b", "resource:default/x", "component:a"), Err("cannot be a relation's type"));
        check_both(relation("", "resource:default/x", "component:a"), Err("cannot be a relation's type"));
        check(Hook::PostProcess, json!({"refreshKeys": ["team:a"], "errors": [{"message": "m"}]}), Ok(()));
        check(Hook::PreProcess, json!({"refreshKeys": ["team:a"], "errors": [{"message": "m"}]}), Ok(()));
        check(Hook::PostProcess, json!({"refreshKeys": ["a\nb"]}), Err("cannot be a refresh key"));
        check(Hook::PostProcess, json!({"refreshKeys": [""]}), Err("cannot be a refresh key"));
        check(Hook::PostProcess, json!({"refreshKeys": vec!["a"; 101]}), Err("101 refresh keys"));
        let output = answer(Hook::PostProcess, false, &json!({"errors": [{"message": "two\nlines"}]})).unwrap();
        assert_eq!(output.errors[0].message, "two lines");
    }

    #[test]
    fn times() {
        let check = |has_asked: bool, said: Value, expected: Option<u64>| {
            let output = answer(Hook::PostProcess, has_asked, &json!({"freshForMs": said})).unwrap();
            assert_eq!(output.fresh_for_ms, expected, "{has_asked} {said}");
        };
        check(false, Value::Null, None);
        check(true, Value::Null, Some(3_600_000));
        check(true, json!(600_000), Some(600_000));
        check(true, json!(0), Some(60_000));
        check(false, json!(600_000), Some(600_000));
        check(true, json!(u64::MAX), Some(2_592_000_000));
    }

    #[test]
    fn failures() {
        let check = |code: &str, expected: GuestError| {
            let problem = answer(Hook::PreProcess, false, &json!({"error": {"code": code, "message": "a\nb"}}));
            assert_eq!(problem.unwrap_err(), (ErrorKind::Guest(expected), "a b".to_owned()));
        };
        check("unavailable", GuestError::Unavailable);
        check("invalid", GuestError::Invalid);
        check("NoSuchTeam", GuestError::Other { code: "NoSuchTeam".to_owned() });
    }

    #[test]
    fn whole_answers() {
        let check = |json: &str, expected: &str| {
            let input = input();
            let answer = Answer { hook: Hook::PostProcess, kinds: &[], has_asked: false };
            let message = answer.read(json, &[&input]).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        check("[]", "0 results for 1 entities");
        check("[{}, {}]", "2 results for 1 entities");
        check("{}", "not a JSON list");
        check("[", "not a JSON list");
        check(&format!("[{}]", "[".repeat(1_000)), "not a JSON list");
        check(&" ".repeat(BATCH_BYTES + 1), "4194305 bytes");
    }
}
