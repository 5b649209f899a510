//! Compares a component's type with what its manifest declares and app-config grants.

use callboard_model::manifest::Manifest;
use callboard_model::rights::Rights;
use semver::Version;

use crate::bindings::{HOST_VERSION, PLUGIN_VERSION};
use crate::inspect::Inspection;
use crate::{capability, extension, needs};

/// What std on `wasm32-wasip2` imports, whether or not it is used. All of it is linked over an empty context: there
/// are no arguments, no variables and no input, and what is written goes to the plugin's log.
const WASI: [&str; 18] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The extension points among exports, named as in WIT.
pub(crate) fn extension_points(exports: &[String]) -> Vec<&'static str> {
    extension::NAMES
        .into_iter()
        .filter(|name| exports.iter().any(|export| split(export).0 == format!("callboard:plugin/{name}")))
        .collect()
}

/// Whether a plugin may have a capability at all.
pub(crate) fn allows(rights: &Rights, capability: &str) -> bool {
    match capability {
        "log" => rights.log,
        "config" => !rights.config.is_empty(),
        "http" => !rights.http.is_empty(),
        "kv" => rights.kv,
        "catalog" => !rights.catalog.kinds.is_empty(),
        "workspace" => rights.workspace,
        _ => false,
    }
}

/// Refuses an import that no plugin may have, or that is not declared, or not granted. `granted` is app-config's side.
pub(crate) fn check_imports(inspection: &Inspection, granted: &Rights) -> Result<(), String> {
    inspection.imports.iter().try_for_each(|import| check_import(import, &inspection.manifest, granted))
}

fn check_import(import: &str, manifest: &Manifest, granted: &Rights) -> Result<(), String> {
    let (name, version) = split(import);
    if WASI.contains(&name) {
        return if version.is_some_and(|version| needs::same_line(&Version::new(0, 2, 0), &version)) {
            Ok(())
        } else {
            Err(format!("it imports {import}, but this portal offers version 0.2 of it; build it for wasm32-wasip2"))
        };
    }
    if let Some(reason) = refused_wasi(name) {
        return Err(format!("it imports {import}. {reason}"));
    }
    let Some(capability) = name.strip_prefix("callboard:host/") else {
        return Err(format!(
            "it imports {import}, which no portal offers; a plugin imports interfaces of callboard:host only"
        ));
    };
    if !capability::NAMES.contains(&capability) && capability != "types" {
        return Err(format!(
            "it imports {import}, which this portal ({HOST_VERSION} of callboard:host) does not know: upgrade the \
             portal"
        ));
    }
    match version {
        Some(version) if needs::same_line(&HOST_VERSION, &version) => {}
        Some(version) => {
            return Err(format!(
                "it imports {import}, but this portal offers {HOST_VERSION} of callboard:host: {}",
                needs::upgrade(&HOST_VERSION, &version)
            ));
        }
        None => return Err(format!("it imports {import} without a version; build it with the SDK")),
    }
    if capability == "types" {
        return Ok(());
    }
    if !allows(&manifest.rights, capability) {
        return Err(format!(
            "it imports {import}, but its manifest does not declare the right. In plugin.yaml, add below `rights`:\n  \
             {}",
            example_line(capability, &Rights::default())
        ));
    }
    if !allows(granted, capability) {
        return Err(format!(
            "it imports {import}, but app-config does not grant the right. In app-config, add below \
             `plugins.{}.grant`:\n  {}",
            manifest.id,
            example_line(capability, &manifest.rights)
        ));
    }
    Ok(())
}

/// Refuses an export that nobody would call, and a contribution that no export backs.
pub(crate) fn check_exports(inspection: &Inspection) -> Result<(), String> {
    for export in &inspection.exports {
        let (name, version) = split(export);
        let Some(point) = name.strip_prefix("callboard:plugin/") else { continue };
        if !extension::NAMES.contains(&point) {
            return Err(format!(
                "it exports {export}, which this portal ({PLUGIN_VERSION} of callboard:plugin) does not know: upgrade \
                 the portal"
            ));
        }
        if let Some(version) = version.filter(|version| !needs::same_line(&PLUGIN_VERSION, version)) {
            return Err(format!(
                "it exports {export}, but this portal calls {PLUGIN_VERSION} of callboard:plugin: {}",
                needs::upgrade(&PLUGIN_VERSION, &version)
            ));
        }
    }
    let contributes = &inspection.manifest.contributes;
    let pairs = [
        ("entity-processor", !contributes.entity_processor.is_empty()),
        ("entity-provider", contributes.entity_provider.is_some()),
        ("event-subscriber", contributes.event_subscriber.is_some()),
        ("lifecycle", contributes.lifecycle.is_some()),
        ("routes", !contributes.routes.is_empty()),
        ("scaffolder-actions", !contributes.scaffolder_actions.is_empty()),
        ("ui", !contributes.ui.is_empty()),
    ];
    for (point, contributed) in pairs {
        match (inspection.extension_points.contains(&point), contributed) {
            (true, false) => {
                return Err(format!(
                    "it exports {point}, but plugin.yaml names nothing under `contributes.{point}`, so it would never \
                     be called"
                ));
            }
            (false, true) => {
                return Err(format!(
                    "plugin.yaml names `contributes.{point}`, but the component does not export it; add it to \
                     `callboard_sdk::export!`"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused_wasi(name: &str) -> Option<&'static str> {
    let package = name.split('/').next()?;
    Some(match package {
        "wasi:filesystem" => {
            "A plugin has no files: it keeps what it needs with callboard:host/kv (something in it uses `std::fs`, or \
             a path)"
        }
        "wasi:sockets" => {
            "A plugin opens no connections of its own: it asks callboard:host/http (something in it uses `std::net`)"
        }
        "wasi:http" => "A plugin asks callboard:host/http, which checks its grant at every redirect",
        _ => return None,
    })
}

fn example_line(capability: &str, declared: &Rights) -> String {
    let list = |items: Vec<String>, example: &str| {
        if items.is_empty() { example.to_owned() } else { items.join(", ") }
    };
    match capability {
        "config" => {
            format!("config: [ {} ]", list(declared.config.clone(), "the.path.that.it.reads"))
        }
        "http" => {
            let rights = declared.http.iter().map(|right| format!("\"{right}\"")).collect();
            format!("http: [ {} ]", list(rights, "\"GET https://the.host.it.asks\""))
        }
        "catalog" => {
            format!("catalog: {{ kinds: [ {} ] }}", list(declared.catalog.kinds.clone(), "Component"))
        }
        other => format!("{other}: true"),
    }
}

/// `callboard:host/http@0.1.0` into its name and version.
fn split(import: &str) -> (&str, Option<Version>) {
    match import.split_once('@') {
        Some((name, version)) => (name, version.parse().ok()),
        None => (import, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection(imports: &[&str], exports: &[&str], manifest: &str) -> Inspection {
        let exports: Vec<String> = exports.iter().map(|&each| each.to_owned()).collect();
        Inspection {
            manifest: crate::manifest::read(&format!(
                "format: 1\nid: test\nname: T\nversion: 0.1.0\nneeds: {{ host: ^0.1, plugin: ^0.1 }}\n{manifest}"
            ))
            .unwrap(),
            imports: imports.iter().map(|&each| each.to_owned()).collect(),
            extension_points: extension_points(&exports),
            exports,
            digest: String::new(),
            size: 0,
        }
    }

    fn check(import: &str, declared: &str, granted: &str, expected: Result<(), &str>) {
        let inspection = inspection(&[import], &[], &format!("rights: {declared}"));
        let granted: Rights = serde_json::from_value(callboard_model::yaml::value(granted).unwrap()).unwrap();
        match (check_imports(&inspection, &granted), expected) {
            (Ok(()), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (result, _) => panic!("{import}: {result:?}"),
        }
    }

    #[test]
    fn imports() {
        check("callboard:host/types@0.1.0", "{}", "{}", Ok(()));
        check("callboard:host/log@0.1.0", "{ log: true }", "{ log: true }", Ok(()));
        check("callboard:host/log@0.1.3", "{ log: true }", "{ log: true }", Ok(()));
        check("callboard:host/log@0.2.0", "{ log: true }", "{ log: true }", Err("upgrade the portal"));
        check("callboard:host/log", "{ log: true }", "{ log: true }", Err("without a version"));
        check("callboard:host/kv@0.1.0", "{}", "{ kv: true }", Err("In plugin.yaml, add below `rights`:\n  kv: true"));
        check(
            "callboard:host/kv@0.1.0",
            "{ kv: true }",
            "{}",
            Err("In app-config, add below `plugins.test.grant`:\n  kv: true"),
        );
        check(
            "callboard:host/http@0.1.0",
            "{ http: ['GET https://api.example.com'] }",
            "{}",
            Err("http: [ \"GET https://api.example.com\" ]"),
        );
        let kinds = "{ catalog: { kinds: [API, Group] } }";
        check("callboard:host/catalog@0.1.0", kinds, "{ catalog: { kinds: [User] } }", Ok(()));
        check("callboard:host/catalog@0.1.0", kinds, "{ catalog: {} }", Err("  catalog: { kinds: [ API, Group ] }"));
        check("callboard:host/catalog@0.1.0", "{}", kinds, Err("below `rights`:\n  catalog: { kinds: [ Component ] }"));
        let workspace = "{ workspace: true }";
        check("callboard:host/workspace@0.1.0", workspace, workspace, Ok(()));
        check("callboard:host/workspace@0.1.0", "{}", workspace, Err("add below `rights`:\n  workspace: true"));
        check(
            "callboard:host/workspace@0.1.0",
            workspace,
            "{}",
            Err("In app-config, add below `plugins.test.grant`:\n  workspace: true"),
        );
        check("callboard:host/unheard-of@0.1.0", "{}", "{}", Err("does not know: upgrade the portal"));
        check("wasi:cli/stderr@0.2.6", "{}", "{}", Ok(()));
        check("wasi:cli/stderr@0.3.0", "{}", "{}", Err("build it for wasm32-wasip2"));
        check("wasi:filesystem/types@0.2.6", "{}", "{}", Err("A plugin has no files"));
        check("wasi:sockets/tcp@0.2.0", "{}", "{}", Err("no connections of its own"));
        check("wasi:http/outgoing-handler@0.2.0", "{}", "{}", Err("callboard:host/http"));
        check("wasi:keyvalue/store@0.2.0", "{}", "{}", Err("which no portal offers"));
        check("env", "{}", "{}", Err("which no portal offers"));
    }

    #[test]
    fn exports() {
        let check = |exports: &[&str], manifest: &str, expected: Result<(), &str>| match (
            check_exports(&inspection(&[], exports, manifest)),
            expected,
        ) {
            (Ok(()), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (result, _) => panic!("{exports:?}: {result:?}"),
        };
        let provider = "contributes: { entity-provider: {} }";
        check(&["callboard:plugin/entity-provider@0.1.0"], provider, Ok(()));
        let processor = "contributes: { entity-processor: [{ id: a, hooks: [post-process] }] }";
        check(&["callboard:plugin/entity-processor@0.1.0"], processor, Ok(()));
        check(&[], processor, Err("does not export it"));
        check(&["callboard:plugin/routes@0.1.0"], "", Err("would never be called"));
        check(&[], "contributes: { routes: [{ method: GET, path: / }] }", Err("does not export it"));
        check(&["callboard:plugin/entity-provider@0.2.0"], provider, Err("upgrade the portal"));
        check(&["callboard:plugin/checks@0.1.0"], "", Err("does not know: upgrade the portal"));
        check(&["something:else/x@1.0.0"], "", Ok(()));
        check(&["callboard:plugin/ui@0.1.0"], "", Err("would never be called"));
        check(&[], provider, Err("does not export it"));
    }
}
