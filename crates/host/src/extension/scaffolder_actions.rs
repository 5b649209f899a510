//! `callboard:plugin/scaffolder-actions`: runs steps of scaffolder templates.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callboard_egress::Credential;
use callboard_model::api::LogLevel;
use callboard_model::manifest::{Manifest, ScaffolderActionContribution};
use callboard_model::rights::Rights;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::acting::Acting;
use crate::bindings::scaffolder_actions as wit;
use crate::call::{Carried, Target, output};
use crate::error::{ErrorKind, PluginError};
use crate::limits::{ACTION_BYTES, ACTION_DEADLINE_MOST};
use crate::plugin::Plugin;
use crate::workspace::Workspace;

/// What a step brings along. Nothing of it outlives the run, which ends when its future is dropped.
pub struct ActionRun {
    /// Of the task.
    pub task_id: String,
    /// Of the step within the template.
    pub step_id: String,
    /// 1 for the first time that this step is run.
    pub attempt: u32,
    /// Whether nothing outside of the workspace may be changed.
    pub is_dry_run: bool,
    /// The task's secrets, which the plugin sees as handles.
    pub secrets: Vec<TaskSecret>,
    /// The folder of this attempt, and of no other.
    pub workspace: Arc<Workspace>,
    /// Where the plugin's lines go, instead of to the portal's log.
    pub log: Arc<dyn TaskLog>,
    /// How long the step may take, at most [`ACTION_DEADLINE_MOST`].
    pub deadline: Duration,
}

/// A secret of a task, bound to where it may be sent.
#[derive(Clone)]
pub struct TaskSecret {
    /// As templates name it, such as `USER_OAUTH_TOKEN`.
    pub name: String,
    /// What the host attaches to a request.
    pub credential: Credential,
}

/// The log of a task. Lines come from within the call, one at a time and as they are written; a text is one line without
/// control characters.
pub trait TaskLog: Send + Sync {
    /// Takes a line. It must not wait.
    fn line(&self, level: LogLevel, text: &str);
}

/// As in WIT.
const POINT: &str = "scaffolder-actions";
/// What a handle of a task's secret begins with.
const SECRET: &str = "secret:";

impl Plugin {
    /// The actions that it may run: those of its manifest that are granted.
    pub fn actions(&self) -> impl Iterator<Item = &ScaffolderActionContribution> {
        let granted = &self.inner.effective.scaffolder_actions.actions;
        let all = &self.inner.manifest.contributes.scaffolder_actions;
        all.iter().filter(|action| granted.contains(&action.id))
    }

    /// Runs a step, and answers with its output. `input` is checked before the plugin is called, and the output before
    /// anybody sees it. Dropping the future ends the run.
    ///
    /// # Errors
    /// There is no such action or it is not granted, it knows no dry run, its input does not fit its schema, the guest
    /// failed or answered with an error, or its output does not fit.
    pub async fn run_action(
        &self,
        acting: &Acting,
        action: &str,
        input: &Value,
        run: ActionRun,
    ) -> Result<Value, PluginError> {
        let limit = run.deadline.min(ACTION_DEADLINE_MOST);
        let target = Target { extension_point: POINT, function: "run", acting, limit };
        let refuse = |kind, message| Err(self.error(&target, kind, message));
        let Some(contribution) = self.actions().find(|each| each.id == action) else {
            return refuse(ErrorKind::NotThere, self.no_action(action));
        };
        let (Some(schemas), Some(indices)) =
            (self.inner.action_schemas.get(action).cloned(), self.inner.scaffolder_actions.clone())
        else {
            return refuse(ErrorKind::NotThere, self.no_action(action));
        };
        if run.is_dry_run && !contribution.supports_dry_run {
            return refuse(ErrorKind::NotThere, format!("its action {action} does not support dry-run"));
        }
        let input = match schemas.input_text(action, input) {
            Ok(input) => input,
            Err(message) => return refuse(ErrorKind::Input, message),
        };
        let ActionRun { task_id, step_id, attempt, is_dry_run, secrets, workspace, log, .. } = run;
        workspace.forget_usage();
        let handles = secrets.iter().enumerate().map(|(index, secret)| wit::Secret {
            name: secret.name.clone(),
            credential: format!("{SECRET}{}", index + 1),
        });
        let info = wit::RunInfo { task_id, step_id, attempt, is_dry_run, secrets: handles.collect() };
        let carried = Carried {
            workspace: Some(workspace),
            log: Some(log),
            secrets: secrets.into_iter().map(|secret| secret.credential).collect(),
        };
        let action = action.to_owned();
        self.call_with(
            target,
            carried,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_run(store, &context, &action, &input, &info).await
                })
            },
            move |json| schemas.read_output(&json),
        )
        .await
    }

    fn no_action(&self, action: &str) -> String {
        let declared = self.inner.manifest.contributes.scaffolder_actions.iter().any(|each| each.id == action);
        if declared {
            return format!(
                "app-config does not grant its action {action}. {}",
                line_to_grant(&self.inner.id, &[action])
            );
        }
        format!("it has no action {}", output::clean(action, 200))
    }
}

/// The credential behind a handle of this call.
pub(crate) fn secret<'a>(secrets: &'a [Credential], handle: &str) -> Option<&'a Credential> {
    let number: usize = handle.strip_prefix(SECRET)?.parse().ok()?;
    secrets.get(number.checked_sub(1)?)
}

/// The schemas of an action, compiled once.
#[derive(Debug)]
pub(crate) struct Schemas {
    input: Validator,
    output: Validator,
}

impl Schemas {
    /// Those of all actions of a manifest.
    ///
    /// # Errors
    /// One of them cannot be used. Says which, and why.
    pub(crate) fn all(manifest: &Manifest) -> Result<BTreeMap<String, Arc<Schemas>>, String> {
        let actions = &manifest.contributes.scaffolder_actions;
        let compiled = actions.iter().map(|action| {
            let compile = |key: &str, schema: &Value| {
                compile(schema).map_err(|problem| format!("`{key}` of {}: {problem}", action.id))
            };
            let schemas = Schemas {
                input: compile("inputSchema", &action.input_schema)?,
                output: compile("outputSchema", &action.output_schema)?,
            };
            Ok((action.id.clone(), Arc::new(schemas)))
        });
        compiled.collect()
    }

    /// What is wrong with an input, in the words that Backstage has for it.
    pub(crate) fn check_input(&self, action: &str, input: &Value) -> Result<(), String> {
        problems(&self.input, input).map_err(|problems| format!("Invalid input passed to action {action}, {problems}"))
    }

    fn input_text(&self, action: &str, input: &Value) -> Result<String, String> {
        self.check_input(action, input)?;
        let text = input.to_string();
        if text.len() > ACTION_BYTES {
            return Err(format!("the input of action {action} has {} bytes; at most {ACTION_BYTES} go", text.len()));
        }
        Ok(text)
    }

    fn read_output(&self, json: &str) -> Result<Value, String> {
        if json.len() > ACTION_BYTES {
            return Err(format!("its output has {} bytes, but may have at most {ACTION_BYTES}", json.len()));
        }
        let output: Value = serde_json::from_str(json)
            .map_err(|error| format!("its output is not JSON: {}", output::clean(&error.to_string(), 300)))?;
        problems(&self.output, &output).map_err(|problems| {
            format!("its output does not fit its outputSchema, {}", output::clean(&problems, 1_000))
        })?;
        Ok(output)
    }
}

/// Draft 7, which templates are written in. Patterns are matched in linear time: a plugin's author writes them, and a
/// user's input meets them. Nothing is fetched.
fn compile(schema: &Value) -> Result<Validator, String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("its `type` must be `object`".to_owned());
    }
    let options = jsonschema::options().with_draft(Draft::Draft7).with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| format!("it is not a JSON Schema: {}", error.masked()))
}

/// The first of what is wrong. A value is never repeated: it may be a secret.
fn problems(validator: &Validator, value: &Value) -> Result<(), String> {
    const SHOWN: usize = 5;
    let problems: Vec<String> = validator
        .iter_errors(value)
        .take(SHOWN)
        .map(|error| {
            format!("instance{} {}", error.instance_path().to_string().replace('/', "."), error.masked_with("is"))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join(", ")) }
}

/// Refuses a plugin of whose actions none is granted: it would be there and never be asked.
pub(crate) fn check_grant(manifest: &Manifest, granted: &Rights) -> Result<(), String> {
    let actions: Vec<&str> = manifest.contributes.scaffolder_actions.iter().map(|action| action.id.as_str()).collect();
    let granted = &granted.scaffolder_actions.actions;
    if actions.is_empty() || granted.iter().any(|granted| actions.contains(&granted.as_str())) {
        return Ok(());
    }
    Err(format!("app-config grants none of its scaffolder actions. {}", line_to_grant(&manifest.id, &actions)))
}

fn line_to_grant(plugin: &str, actions: &[&str]) -> String {
    format!(
        "In app-config, add below `plugins.{plugin}.grant`:\n  scaffolder-actions: {{ actions: [ {} ] }}",
        actions.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas(input: Value, output: Value) -> Schemas {
        Schemas { input: compile(&input).unwrap(), output: compile(&output).unwrap() }
    }

    #[test]
    fn inputs_and_outputs() {
        let shape = json!({
            "type": "object",
            "required": ["name"],
            "properties": { "name": { "type": "string", "pattern": "^[a-z]+$" }, "count": { "type": "integer" } },
            "additionalProperties": false,
        });
        let schemas = schemas(shape.clone(), shape);
        let check = |value: Value, expected: Result<(), &str>| {
            let found = schemas.check_input("acme:make", &value);
            assert_eq!(schemas.read_output(&value.to_string()).is_ok(), expected.is_ok(), "{value}");
            match (found, expected) {
                (Ok(()), Ok(())) => {}
                (Err(message), Err(part)) => {
                    assert!(message.starts_with("Invalid input passed to action acme:make, instance"), "{message}");
                    assert!(message.contains(part) && !message.contains("CANARY"), "{message}");
                }
                (result, _) => panic!("{value}: {result:?}"),
            }
        };
        check(json!({ "name": "a" }), Ok(()));
        check(json!({ "name": "a", "count": 1 }), Ok(()));
        check(json!({}), Err("\"name\" is a required property"));
        check(json!({ "name": "CANARY" }), Err("instance.name"));
        check(json!({ "name": 5 }), Err("instance.name"));
        check(json!({ "name": "a", "count": "CANARY" }), Err("instance.count"));
        check(json!({ "name": "a", "more": 1 }), Err("instance"));
        check(json!([]), Err("instance"));
        check(json!(null), Err("instance"));
        let large = json!({ "name": "a".repeat(ACTION_BYTES) });
        assert!(schemas.input_text("x", &large).unwrap_err().contains("at most 1048576"));
        assert!(schemas.read_output(&large.to_string()).unwrap_err().contains("at most 1048576"));
        assert!(schemas.read_output("{").unwrap_err().contains("not JSON"));
        assert!(schemas.read_output(&"[".repeat(10_000)).unwrap_err().contains("not JSON"));
    }

    #[test]
    fn schemas_that_cannot_be_used() {
        for (schema, part) in [
            (json!({}), "must be `object`"),
            (json!({ "type": "string" }), "must be `object`"),
            (json!(true), "must be `object`"),
            (json!({ "type": "object", "properties": { "a": { "type": 5 } } }), "not a JSON Schema"),
            (json!({ "type": "object", "properties": { "a": { "pattern": "(" } } }), "not a JSON Schema"),
            (json!({ "type": "object", "$ref": "https://example.com/schema.json" }), "not a JSON Schema"),
            (json!({ "type": "object", "allOf": [{ "$ref": "file:///etc/passwd" }] }), "not a JSON Schema"),
        ] {
            let message = compile(&schema).expect_err(&schema.to_string());
            assert!(message.contains(part), "{schema}: {message}");
        }
        // Backtracking would take for ever.
        let schemas = schemas(
            json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } }),
            json!({ "type": "object" }),
        );
        assert!(schemas.check_input("x", &json!({ "a": format!("{}!", "a".repeat(50_000)) })).is_err());
    }

    #[test]
    fn handles() {
        let origin = "https://api.example.com".parse().unwrap();
        let secrets = [Credential::bearer(&origin, &callboard_egress::Secret::new("canary")).unwrap()];
        assert!(secret(&secrets, "secret:1").is_some());
        for handle in ["secret:0", "secret:2", "secret:", "secret:-1", "credential:1", "1", ""] {
            assert!(secret(&secrets, handle).is_none(), "{handle}");
        }
    }
}
