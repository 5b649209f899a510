//! Is not hostile: it writes a project, and asks a service with a secret of the task. What it may, the hostile actions must
//! be able to do as well.

use callboard_sdk::scaffolder_actions::{Run, read};
use callboard_sdk::{Context, Error, ScaffolderActions, http, log, workspace};
use serde_json::{Value, json};

struct Good;

#[derive(serde::Deserialize)]
struct Project {
    name: String,
    #[serde(default)]
    files: usize,
}

impl ScaffolderActions for Good {
    fn run(context: &Context, action: &str, input: &Value, run: &Run) -> Result<Value, Error> {
        match action {
            "good:project" => project(context, &read(input)?, run),
            "good:ask" => ask(input, run),
            "good:nothing" => Ok(json!({})),
            other => Err(Error::NotFound(format!("there is no action {other}"))),
        }
    }
}

callboard_sdk::export!(manifest: "examples/good_actions.yaml", scaffolder_actions: Good);

fn project(context: &Context, input: &Project, run: &Run) -> Result<Value, Error> {
    let Project { name, files } = input;
    log::info(&format!("writing {name}"));
    workspace::write("README.md", format!("# {name}\n").as_bytes())?;
    for number in 0..*files {
        workspace::write(&format!("src/{number}.txt"), name.as_bytes())?;
    }
    // More than goes over at once, in either direction.
    let large = vec![b'x'; 5 * 1024 * 1024];
    workspace::write("large", &large)?;
    if workspace::read("large", usize::MAX)? != large {
        return Err(Error::Invalid("what was read is not what was written".to_owned()));
    }
    workspace::remove("large")?;
    workspace::write("run", b"#!/bin/sh\n")?;
    workspace::set_executable("run", true)?;
    workspace::copy("run", "bin/run")?;
    workspace::rename("run", "bin/again")?;
    log::warn("two\nlines \u{1b}[31mand a colour");
    let paths: Vec<String> = workspace::list_all(".", true)?.into_iter().map(|entry| entry.path).collect();
    let info = json!({
        "user": context.user,
        "time": u64::try_from(context.time.as_millis()).unwrap_or(u64::MAX),
        "task": run.task_id,
        "step": run.step_id,
        "attempt": run.attempt,
        "dry": run.is_dry_run,
        "secrets": run.secrets,
    });
    Ok(json!({ "paths": paths, "info": info }))
}

fn ask(input: &Value, run: &Run) -> Result<Value, Error> {
    let url = format!("{}{}", callboard_guests::settings()?.url, input["path"].as_str().unwrap_or_default());
    let answer = http::Request::get(&url).credential(run.secret("TOKEN")?).send()?;
    let body = String::from_utf8_lossy(&answer.bytes(1024 * 1024)?).into_owned();
    Ok(json!({ "status": answer.status, "body": body }))
}
