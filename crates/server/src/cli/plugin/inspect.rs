//! `callboard plugin inspect`.

use std::io::Write;
use std::process::ExitCode;

use callboard_artifact::Source;
use callboard_host::Inspection;
use callboard_model::manifest::{EntityProcessorContribution, EventSubscriberContribution, RouteContribution};
use callboard_model::rights::Rights;
use callboard_model::route::RouteMethod;
use clap::Args;

use super::add::{fetch, parse};
use super::desk::Desk;
use super::shown::plain;
use crate::cli::{ConfigFiles, Failure};
use crate::http::events::WEBHOOKS;

/// See what a plugin is and what it asks for
///
/// Reads the component's manifest and type, and runs nothing of it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Inspect {
    /// Where it is: a .wasm file, an https:// address, or oci://registry/name
    source: String,
    /// The versions that may be used, of a registry
    #[arg(long, value_name = "REQUIREMENT")]
    version: Option<String>,
    #[command(flatten)]
    config: ConfigFiles,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin inspect target/plugins/s3.wasm
  callboard plugin inspect oci://ghcr.io/acme/widgets --version ^1

The answer ends in a block for app-config.yaml that grants all that the plugin asks for; take out what it shall not do.";

pub(super) async fn run(command: Inspect, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let source = parse(&command.source, command.version.as_deref())?;
    if let Source::File(path) = &source {
        // A file needs no configuration, and its author may have none.
        let fail = |message: String| Failure::File { file: command.source.clone(), message };
        let wasm = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        let inspection = callboard_host::inspect(&wasm).map_err(|error| fail(error.to_string()))?;
        describe(&inspection, &command.source, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let offer = fetch(&Desk::open(&command.config)?, &source).await?;
    describe(&offer.inspection, &command.source, out)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(inspection: &Inspection, source: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let manifest = &inspection.manifest;
    writeln!(out, "{} {} (id `{}`)", plain(&manifest.name), manifest.version, manifest.id)?;
    if !manifest.description.is_empty() {
        writeln!(out, "{}", plain(&manifest.description))?;
    }
    writeln!(out, "\n{:<17} {} ({} KiB)", "digest", inspection.digest, inspection.size.div_ceil(1024))?;
    writeln!(
        out,
        "{:<17} callboard:host {}, callboard:plugin {}",
        "needs", manifest.needs.host, manifest.needs.plugin
    )?;
    if let Some(ui) = &manifest.needs.ui {
        writeln!(out, "{:<17} UI tree {ui}", "")?;
    }
    list(out, "extension points", inspection.extension_points.iter().copied())?;
    list(out, "exports", inspection.exports.iter().map(String::as_str))?;
    list(out, "imports", inspection.imports.iter().map(String::as_str))?;
    let shows =
        manifest.contributes.ui.iter().map(|extension| format!("{} \"{}\"", extension.id, plain(&extension.title)));
    let processors = manifest.contributes.entity_processor.iter().map(processor).collect::<Vec<_>>();
    let routes = manifest.contributes.routes.iter().map(|route| route_line(&manifest.id, route)).collect::<Vec<_>>();
    list(out, "processors", processors.iter().map(String::as_str))?;
    let events = manifest.contributes.event_subscriber.iter().flat_map(events).collect::<Vec<_>>();
    list(out, "is told of", events.iter().map(String::as_str))?;
    list(out, "routes", routes.iter().map(String::as_str))?;
    let actions = manifest.contributes.scaffolder_actions.iter().map(|action| action.id.as_str());
    list(out, "actions", actions)?;
    list(out, "shows", shows.collect::<Vec<_>>().iter().map(String::as_str))?;
    writeln!(
        out,
        "\nWhat it asks for, to be granted in app-config.yaml:\n\n{}",
        grant_block(&manifest.id, source, &manifest.rights)
    )
}

/// What a plugin is told of, and who tells it.
fn events(contributed: &EventSubscriberContribution) -> Vec<String> {
    let own = contributed.topics.iter().map(|one| match one.kinds.as_slice() {
        [] => one.topic.clone(),
        kinds => format!("{} of {}", one.topic, plain(&kinds.join(", "))),
    });
    let webhooks = contributed.webhooks.iter().map(|one| {
        format!("{}, by POST {WEBHOOKS}{}, signed with {}", one.topic, one.topic, plain(one.signature.secret()))
    });
    own.chain(webhooks).collect()
}

/// Which request it is, and what it needs.
fn route_line(plugin: &str, route: &RouteContribution) -> String {
    let needs = match (&route.permission, route.method) {
        (Some(permission), _) => format!("{plugin}.{permission}"),
        (None, RouteMethod::Get) => "plugin.use".to_owned(),
        (None, _) => "plugin.act".to_owned(),
    };
    format!("{} /api/{plugin}{}: {needs}", route.method.name(), route.path)
}

/// When a processor runs, and for which entities.
fn processor(processor: &EntityProcessorContribution) -> String {
    let hooks: Vec<&str> = processor.hooks.iter().map(|hook| hook.name()).collect();
    let after =
        if processor.after.is_empty() { String::new() } else { format!(", after {}", processor.after.join(", ")) };
    let filter = match &processor.filter {
        Some(filter) => format!("where {}", plain(&filter.to_value().to_string())),
        None => "all entities".to_owned(),
    };
    format!("{}: {}{after}; {filter}", processor.id, hooks.join(", "))
}

fn list<'a>(out: &mut dyn Write, title: &str, items: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
    let mut title = title;
    for item in items {
        writeln!(out, "{title:<17} {item}")?;
        title = "";
    }
    Ok(())
}

/// The lines for app-config. Texts are JSON, of which YAML takes every one.
fn grant_block(id: &str, source: &str, rights: &Rights) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = vec!["plugins:".to_owned(), format!("  {id}:"), format!("    source: {}", quoted(source))];
    let mut grant = Vec::new();
    if rights.log {
        grant.push("      log: true".to_owned());
    }
    let mut texts = |name: &str, items: Vec<String>, indent: &str| {
        if !items.is_empty() {
            grant.push(format!("{indent}{name}:"));
            grant.extend(items.iter().map(|item| format!("{indent}  - {}", quoted(item))));
        }
    };
    texts("config", rights.config.clone(), "      ");
    texts("http", rights.http.iter().map(ToString::to_string).collect(), "      ");
    if rights.kv {
        grant.push("      kv: true".to_owned());
    }
    for (key, of, items) in [
        ("catalog", "kinds", &rights.catalog.kinds),
        ("entity-processor", "kinds", &rights.entity_processor.kinds),
        ("entity-provider", "kinds", &rights.entity_provider.kinds),
        ("event-subscriber", "topics", &rights.event_subscriber.topics),
        ("scaffolder-actions", "actions", &rights.scaffolder_actions.actions),
    ] {
        if !items.is_empty() {
            grant.push(format!("      {key}:"));
            grant.push(format!("        {of}:"));
            grant.extend(items.iter().map(|item| format!("          - {}", quoted(item))));
        }
    }
    if rights.workspace {
        grant.push("      workspace: true".to_owned());
    }
    if grant.is_empty() {
        lines.push("    grant: {}".to_owned());
    } else {
        lines.push("    grant:".to_owned());
        lines.extend(grant);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_can_be_pasted() {
        let check = |rights: serde_json::Value| {
            let rights: Rights = serde_json::from_value(rights).expect("rights");
            let block = grant_block("s3", "plugins/my \"s3\".wasm", &rights);
            let pasted = callboard_model::yaml::value(&block).expect(&block);
            assert_eq!(pasted["plugins"]["s3"]["source"], "plugins/my \"s3\".wasm");
            let grant: Rights = serde_json::from_value(pasted["plugins"]["s3"]["grant"].clone()).expect(&block);
            assert_eq!(grant, rights, "{block}");
        };
        check(serde_json::json!({}));
        check(serde_json::json!({
            "log": true,
            "config": ["catalog.providers.awsS3"],
            "http": ["GET https://*.s3.*.amazonaws.com", "GET config:integrations.awsS3.endpoint"],
            "kv": true,
            "catalog": {"kinds": ["Component", "API"]},
            "entity-processor": {"kinds": ["Resource"]},
            "entity-provider": {"kinds": ["Location"]},
            "event-subscriber": {"topics": ["catalog.entity", "github"]},
            "scaffolder-actions": {"actions": ["acme:make"]},
            "workspace": true,
        }));
    }

    #[test]
    fn processors_say_when_and_for_what() {
        let check = |contribution: serde_json::Value, expected: &str| {
            let contribution = serde_json::from_value(contribution).expect("a contribution");
            assert_eq!(processor(&contribution), expected);
        };
        check(serde_json::json!({"id": "a", "hooks": ["pre-process"]}), "a: pre-process; all entities");
        check(
            serde_json::json!({
                "id": "a", "hooks": ["pre-process", "post-process"], "after": ["annotate", "x/b"],
                "filter": {"kind": "API"},
            }),
            "a: pre-process, post-process, after annotate, x/b; where {\"kind\":\"api\"}",
        );
    }
}
