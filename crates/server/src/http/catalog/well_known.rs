//! What Backstage's services ask each other, below `/.well-known/backstage/permissions` and `/.backstage`.

use axum::extract::State;
use axum::response::Response;
use callboard_model::filter::Predicate;
use serde_json::{Map, Value, json};

use super::schema::{AppliedConditions, ApplyConditionsRequest, KeySet, PermissionMetadata};
use crate::http::body::Fields;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json as answer};
use crate::http::params::NoParams;
use crate::http::state::App;

/// What conditions are about.
const RESOURCE: &str = "catalog-entity";

/// Conditions within each other. Policies have two or three levels.
const DEPTH: usize = 32;

/// The keys that this service signs with: none, because it asks no other service for anything.
#[utoipa::path(get, path = "/.backstage/auth/v1/jwks.json", tag = "catalog", operation_id = "getCatalogKeys",
    responses((status = 200, body = KeySet)))]
pub(super) async fn keys(_: NoParams) -> Response {
    answer(&json!({ "keys": [] }))
}

/// The permissions of the catalog, and the rules that conditions are made of.
#[utoipa::path(get, path = "/.well-known/backstage/permissions/metadata", tag = "catalog",
    operation_id = "getCatalogPermissionMetadata", responses((status = 200, body = PermissionMetadata)))]
pub(super) async fn metadata(_: NoParams) -> Response {
    let rules: Vec<Value> = RULES.iter().map(|rule| rule.describe()).collect();
    answer(&json!({ "permissions": permissions(), "rules": rules }))
}

/// Whether conditions hold for entities. One that the caller may not see is as one that is not there: they do not.
#[utoipa::path(post, path = "/.well-known/backstage/permissions/apply-conditions", tag = "catalog",
    operation_id = "applyCatalogConditions", request_body = ApplyConditionsRequest,
    responses((status = 200, body = AppliedConditions)))]
pub(super) async fn apply_conditions(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    body: Fields,
) -> Result<Response> {
    if !body.0.contains_key("items") {
        return Err(ApiError::input("request/body must have required property 'items'"));
    }
    let mut items = Vec::new();
    for (index, item) in body.objects("items")?.iter().enumerate() {
        let at = |error: ApiError| ApiError::input(format!("items/{index}: {}", error.message));
        let id = item.required("id").map_err(at)?;
        let kind = item.required("resourceType").map_err(at)?;
        if kind != RESOURCE {
            return Err(ApiError::input(format!("Unexpected resource types: {}.", kind.escape_default())));
        }
        let condition = item.0.get("conditions").unwrap_or(&Value::Null);
        let condition = predicate(condition, DEPTH).map_err(at)?;
        let (refs, single) = match item.0.get("resourceRef") {
            Some(Value::String(one)) => (vec![one.clone()], true),
            _ => (item.texts("resourceRef").map_err(at)?.unwrap_or_default(), false),
        };
        let found = app.catalog.by_refs(&caller.access, &refs, Some(&condition), &[]).await?;
        let mut results: Vec<&str> =
            found.iter().map(|entity| if entity.is_some() { "ALLOW" } else { "DENY" }).collect();
        let result = match single {
            true => json!(results.pop().unwrap_or("DENY")),
            false => json!(results),
        };
        items.push(json!({ "id": id, "result": result }));
    }
    Ok(answer(&json!({ "items": items })))
}

fn predicate(condition: &Value, depth: usize) -> Result<Predicate> {
    let wrong = |reason: &str| ApiError::input(format!("conditions: {reason}"));
    let Some(depth) = depth.checked_sub(1) else { return Err(wrong("they are nested too deep")) };
    let map = condition.as_object().ok_or_else(|| wrong("must be object"))?;
    let all = |items: &Value| {
        let items = items.as_array().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| wrong("allOf and anyOf need an array with at least one condition"))?;
        items.iter().map(|item| predicate(item, depth)).collect::<Result<Vec<_>>>()
    };
    if let Some(items) = map.get("allOf") {
        return Ok(Predicate::All(all(items)?));
    }
    if let Some(items) = map.get("anyOf") {
        return Ok(Predicate::Any(all(items)?));
    }
    if let Some(item) = map.get("not") {
        return Ok(Predicate::Not(Box::new(predicate(item, depth)?)));
    }
    let name = map.get("rule").and_then(Value::as_str).ok_or_else(|| wrong("there is no rule in one of them"))?;
    let rule = RULES.iter().find(|rule| rule.name == name);
    let rule = rule.ok_or_else(|| wrong(&format!("there is no rule {}", name.escape_default())))?;
    let none = Map::new();
    let params = map.get("params").and_then(Value::as_object).unwrap_or(&none);
    rule.predicate(params).ok_or_else(|| wrong(&format!("the rule {name} has other parameters")))
}

/// A rule that conditions are made of.
struct Rule {
    name: &'static str,
    description: &'static str,
    form: Form,
}

/// What the parameters of a rule are, and what they say.
enum Form {
    /// Below this path there is a field of the name that the parameter has, and has the `value` where one is given.
    Has { path: &'static str, parameter: &'static str },
    /// `kinds`.
    Kind,
    /// `claims`.
    Owner,
}

const RULES: [Rule; 6] = [
    Rule {
        name: "HAS_ANNOTATION",
        description: "Allow entities with the specified annotation",
        form: Form::Has { path: "metadata.annotations", parameter: "annotation" },
    },
    Rule {
        name: "HAS_LABEL",
        description: "Allow entities with the specified label",
        form: Form::Has { path: "metadata.labels", parameter: "label" },
    },
    Rule {
        name: "HAS_METADATA",
        description: "Allow entities with the specified metadata subfield",
        form: Form::Has { path: "metadata", parameter: "key" },
    },
    Rule {
        name: "HAS_SPEC",
        description: "Allow entities with the specified spec subfield",
        form: Form::Has { path: "spec", parameter: "key" },
    },
    Rule { name: "IS_ENTITY_KIND", description: "Allow entities matching a specified kind", form: Form::Kind },
    Rule { name: "IS_ENTITY_OWNER", description: "Allow entities owned by a specified claim", form: Form::Owner },
];

impl Rule {
    fn predicate(&self, params: &Map<String, Value>) -> Option<Predicate> {
        let texts = |name: &str| {
            let items = params.get(name)?.as_array()?;
            items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        };
        match self.form {
            Form::Has { path, parameter } => {
                let key = format!("{path}.{}", params.get(parameter)?.as_str()?);
                match params.get("value") {
                    None => Some(Predicate::exists(&key)),
                    Some(value) => Some(Predicate::equals(&key, value.as_str()?)),
                }
            }
            Form::Kind => Some(Predicate::one_of("kind", texts("kinds")?)),
            Form::Owner => Some(Predicate::related_to("ownedBy", texts("claims")?)),
        }
    }

    fn describe(&self) -> Value {
        let (required, properties) = match self.form {
            Form::Has { parameter, .. } => {
                (parameter, json!({ parameter: { "type": "string" }, "value": { "type": "string" } }))
            }
            Form::Kind => ("kinds", json!({ "kinds": { "type": "array", "items": { "type": "string" } } })),
            Form::Owner => ("claims", json!({ "claims": { "type": "array", "items": { "type": "string" } } })),
        };
        json!({
            "name": self.name,
            "description": self.description,
            "resourceType": RESOURCE,
            "paramsSchema": {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": properties,
                "required": [required],
                "additionalProperties": false,
            },
        })
    }
}

/// As Backstage lists them. Which of them a policy may name here is in the portal's own description.
fn permissions() -> Vec<Value> {
    let of_entities = |name: &str, action: &str| json!({ "type": "resource", "name": name, "attributes": { "action": action }, "resourceType": RESOURCE });
    let basic = |name: &str, attributes: Value| json!({ "type": "basic", "name": name, "attributes": attributes });
    vec![
        of_entities("catalog.entity.read", "read"),
        of_entities("catalog.entity.delete", "delete"),
        of_entities("catalog.entity.refresh", "update"),
        basic("catalog.entity.create", json!({ "action": "create" })),
        basic("catalog.entity.validate", json!({})),
        basic("catalog.location.read", json!({ "action": "read" })),
        basic("catalog.location.create", json!({ "action": "create" })),
        basic("catalog.location.delete", json!({ "action": "delete" })),
        basic("catalog.location.analyze", json!({})),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        fn check(condition: Value, expected: Value) {
            assert_eq!(predicate(&condition, DEPTH).unwrap().to_value(), expected, "{condition}");
        }
        let rule = |name: &str, params: Value| json!({ "rule": name, "resourceType": RESOURCE, "params": params });
        check(
            rule("HAS_ANNOTATION", json!({"annotation": "a/b"})),
            json!({"metadata.annotations.a/b": {"$exists": true}}),
        );
        check(rule("HAS_LABEL", json!({"label": "L", "value": "V"})), json!({"metadata.labels.l": "v"}));
        check(rule("HAS_METADATA", json!({"key": "title"})), json!({"metadata.title": {"$exists": true}}));
        check(rule("HAS_SPEC", json!({"key": "type", "value": "x"})), json!({"spec.type": "x"}));
        check(rule("IS_ENTITY_KIND", json!({"kinds": ["API", "User"]})), json!({"kind": {"$in": ["api", "user"]}}));
        let kind = rule("IS_ENTITY_KIND", json!({"kinds": ["API"]}));
        check(json!({"not": kind}), json!({"$not": {"kind": {"$in": ["api"]}}}));
        check(
            json!({"allOf": [kind, kind]}),
            json!({"$all": [{"kind": {"$in": ["api"]}}, {"kind": {"$in": ["api"]}}]}),
        );
        check(json!({"anyOf": [kind]}), json!({"$any": [{"kind": {"$in": ["api"]}}]}));
    }

    #[test]
    fn refused() {
        fn check(condition: Value, expected: &str) {
            let message = predicate(&condition, DEPTH).unwrap_err().message;
            assert!(message.contains(expected), "{condition}: {message}");
        }
        check(Value::Null, "must be object");
        check(json!({}), "no rule in one");
        check(json!({"rule": "NOPE"}), "no rule NOPE");
        check(json!({"rule": "HAS_LABEL"}), "other parameters");
        check(json!({"rule": "IS_ENTITY_KIND", "params": {"kinds": "API"}}), "other parameters");
        check(json!({"allOf": []}), "at least one");
        let mut deep = json!({"rule": "HAS_LABEL", "params": {"label": "x"}});
        for _ in 0..DEPTH {
            deep = json!({ "not": deep });
        }
        check(deep, "too deep");
    }
}
