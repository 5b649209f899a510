//! Reads a manifest and checks what its types cannot say.

use std::collections::BTreeSet;

use callboard_model::manifest::{
    AttachmentPoint, EntityProcessorContribution, Manifest, OnFailure, RouteContribution, ScaffolderActionContribution,
    UiExtension,
};
use callboard_model::processing::{self, Hook};
use callboard_model::route::CORE_APIS;
use serde_json::Value;

use crate::extension::scaffolder_actions::Schemas;
use crate::guest_config::{is_secret_name, schema_problem};
use crate::limits;

mod subscriber;

/// Reads the text of the section, which is plugin.yaml. YAML is a superset of JSON, so either does.
pub(crate) fn read(text: &str) -> Result<Manifest, String> {
    let value = callboard_model::yaml::value(text).map_err(|error| error.to_string())?;
    let manifest: Manifest = serde_json::from_value(value).map_err(|error| error.to_string())?;
    check(&manifest)?;
    Ok(manifest)
}

fn check(manifest: &Manifest) -> Result<(), String> {
    if manifest.format != 1 {
        return Err(format!("format is {}, but this portal reads format 1; upgrade the portal", manifest.format));
    }
    if !is_id(&manifest.id) {
        return Err(format!(
            "id is `{}`, but must be 1 to 63 lower-case letters, digits and dashes and begin with a letter",
            manifest.id
        ));
    }
    check_processors(&manifest.contributes.entity_processor)
        .map_err(|problem| format!("contributes.entity-processor: {problem}"))?;
    check_routes(&manifest.id, &manifest.contributes.routes)
        .map_err(|problem| format!("contributes.routes: {problem}"))?;
    check_actions(manifest).map_err(|problem| format!("contributes.scaffolder-actions: {problem}"))?;
    let mut seen = BTreeSet::new();
    for extension in &manifest.contributes.ui {
        if !is_id(&extension.id) {
            return Err(format!(
                "contributes.ui: the id `{}` must be lower-case letters, digits and dashes and begin with a letter",
                extension.id
            ));
        }
        if !seen.insert(&extension.id) {
            return Err(format!("contributes.ui: there are two extensions with the id `{}`", extension.id));
        }
        check_place(extension).map_err(|problem| format!("contributes.ui: `{}` {problem}", extension.id))?;
        if let Some((action, permission)) = extension.permissions.iter().find(|(_, name)| !is_permission(name)) {
            return Err(format!(
                "contributes.ui: `{permission}`, the permission of the action `{action}` of `{}`, must be words of \
                 lower-case letters, digits and dashes, joined by dots",
                extension.id
            ));
        }
    }
    for path in &manifest.rights.config {
        let Some(schema) = manifest.config_schema.get(path) else {
            return Err(format!(
                "rights.config names `{path}`, but configSchema does not describe it; only what is described is \
                 delivered"
            ));
        };
        check_schema(path, schema)?;
    }
    if let Some(contributed) = &manifest.contributes.event_subscriber {
        subscriber::check(manifest, contributed)
            .map_err(|problem| format!("contributes.event-subscriber: {problem}"))?;
    }
    if let Some(path) = manifest.config_schema.keys().find(|path| !manifest.rights.config.contains(path)) {
        return Err(format!("configSchema describes `{path}`, but rights.config does not ask for it"));
    }
    Ok(())
}

/// What only some places have.
fn check_place(extension: &UiExtension) -> Result<(), &'static str> {
    let leads_on = extension.href.is_some();
    match extension.at {
        AttachmentPoint::NavigationItem if !leads_on => {
            Err("is a navigation item, so it needs an `href`, a path of the portal such as /catalog")
        }
        AttachmentPoint::NavigationItem if extension.filter.is_some() => {
            Err("is a navigation item, which is for no entity, so it cannot have a `filter`")
        }
        AttachmentPoint::NavigationItem => Ok(()),
        _ if leads_on => Err("has an `href`, which only a navigation item has"),
        AttachmentPoint::EntityCard => Ok(()),
        AttachmentPoint::EntityTab | AttachmentPoint::Page if extension.on_failure == OnFailure::Hide => {
            Err("has `onFailure: hide`, which only an entity-card can have; use placeholder or stale")
        }
        AttachmentPoint::EntityTab | AttachmentPoint::Page => Ok(()),
    }
}

/// Whether a plugin may be called so: in app-config, in addresses and in permissions.
pub fn is_id(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-')
}

/// Words that a policy can name, joined by dots.
fn is_permission(name: &str) -> bool {
    name.split('.').all(is_id)
}

fn check_routes(plugin: &str, routes: &[RouteContribution]) -> Result<(), String> {
    if !routes.is_empty() && CORE_APIS.contains(&plugin) {
        return Err(format!(
            "/api/{plugin} is the portal's own, so a plugin with the id `{plugin}` cannot have routes; choose another id"
        ));
    }
    if routes.len() > limits::ROUTES {
        return Err(format!("there are {} routes, but at most {} make sense", routes.len(), limits::ROUTES));
    }
    let mut shapes = BTreeSet::new();
    for RouteContribution { method, path, permission, .. } in routes {
        if !shapes.insert((*method, path.shape())) {
            return Err(format!("no request could tell {} {path} from another route", method.name()));
        }
        if let Some(permission) = permission.as_ref().filter(|permission| !is_permission(permission)) {
            return Err(format!(
                "`{permission}`, the permission of {} {path}, must be words of lower-case letters, digits and dashes, \
                 joined by dots; the plugin's id is not written",
                method.name()
            ));
        }
    }
    Ok(())
}

/// Words as Backstage has them: `publish:github:pull-request`, `github:deployKey:create`.
fn is_action_id(id: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.chars().all(|each| each.is_ascii_alphanumeric() || "-_.".contains(each))
    };
    id.len() <= 128 && id.split(':').all(is_word)
}

fn check_actions(manifest: &Manifest) -> Result<(), String> {
    let actions = &manifest.contributes.scaffolder_actions;
    let declared = &manifest.rights.scaffolder_actions.actions;
    if actions.len() > limits::ACTIONS {
        return Err(format!("there are {} actions, but at most {} make sense", actions.len(), limits::ACTIONS));
    }
    let mut ids = BTreeSet::new();
    for ScaffolderActionContribution { id, .. } in actions {
        if !is_action_id(id) {
            return Err(format!(
                "the id `{id}` must be words of letters, digits, `-`, `_` and `.`, joined by colons, such as \
                 `{}:create`",
                manifest.id
            ));
        }
        if !ids.insert(id.as_str()) {
            return Err(format!("there are two actions with the id `{id}`"));
        }
        if !declared.contains(id) {
            return Err(format!(
                "the manifest does not ask for the right to run {id}. In plugin.yaml, add below `rights`:\n  \
                 scaffolder-actions: {{ actions: [ {id} ] }}"
            ));
        }
    }
    if let Some(id) = declared.iter().find(|id| !ids.contains(id.as_str())) {
        return Err(format!("rights.scaffolder-actions names {id}, which is no action of the plugin"));
    }
    let schemas = Schemas::all(manifest)?;
    for ScaffolderActionContribution { id, examples, .. } in actions {
        let checked = schemas
            .get(id)
            .map(|schemas| examples.iter().try_for_each(|example| schemas.check_input(id, &example.input)));
        if let Some(Err(problem)) = checked {
            return Err(format!("an example does not fit: {problem}"));
        }
    }
    Ok(())
}

fn check_processors(processors: &[EntityProcessorContribution]) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for EntityProcessorContribution { id, .. } in processors {
        if !is_id(id) {
            return Err(format!("the id `{id}` must be lower-case letters, digits and dashes and begin with a letter"));
        }
        if processing::STEPS.contains(&id.as_str()) {
            return Err(format!("`{id}` is a step of the catalog's own; choose another id"));
        }
        if !ids.insert(id.as_str()) {
            return Err(format!("there are two processors with the id `{id}`"));
        }
    }
    for EntityProcessorContribution { id, hooks, after, filter, .. } in processors {
        if hooks.is_empty() || hooks.iter().collect::<BTreeSet<_>>().len() < hooks.len() {
            return Err(format!("`hooks` of `{id}` must name pre-process, post-process or both, each once"));
        }
        for name in after {
            let is_step = processing::STEPS.contains(&name.as_str());
            let is_elsewhere = name.split_once('/').is_some_and(|(plugin, id)| is_id(plugin) && is_id(id));
            if !is_step && !is_elsewhere && !ids.contains(name.as_str()) {
                return Err(format!(
                    "`after` of `{id}` names `{name}`, which is neither a processor of this plugin nor a step of the \
                     catalog ({}). A processor of another plugin is named `<plugin>/<id>`",
                    processing::STEPS.join(", ")
                ));
            }
            if processing::STEPS_AFTER_PRE_PROCESS.contains(&name.as_str()) && !hooks.contains(&Hook::PostProcess) {
                return Err(format!("`after` of `{id}` names `{name}`, but pre-process is always before that"));
            }
        }
        if filter.as_ref().is_some_and(|filter| filter.is_about_relations()) {
            return Err(format!(
                "the filter of `{id}` is about relations, which are not known yet when an entity is processed; the \
                 fields of `spec` are"
            ));
        }
    }
    let chain: Vec<_> =
        processors.iter().map(|processor| (processor.id.as_str(), processor.after.as_slice())).collect();
    processing::order(&chain).map(drop).map_err(|cycle| cycle.to_string())
}

fn check_schema(path: &str, schema: &Value) -> Result<(), String> {
    if let Some(problem) = schema_problem(schema) {
        return Err(format!("configSchema.{path}: {problem}"));
    }
    match plain_secret(schema) {
        Some(name) => Err(format!(
            "configSchema.{path}: `{name}` is the name of a secret, so it needs `x-credential`; a plugin is never \
             given a secret itself"
        )),
        None => Ok(()),
    }
}

/// The first property that is named like a secret and would be delivered as it is.
fn plain_secret(schema: &Value) -> Option<&str> {
    match schema {
        Value::Object(object) => {
            let own = object.get("properties").and_then(Value::as_object).into_iter().flatten();
            own.filter(|(_, property)| property.get("x-credential").is_none())
                .find_map(|(name, _)| is_secret_name(name).then_some(name.as_str()))
                .or_else(|| object.values().find_map(plain_secret))
        }
        Value::Array(items) => items.iter().find_map(plain_secret),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: &str, expected: Result<(), &str>) {
        let base = "name: Test\nversion: 1.0.0\nneeds: { host: ^0.1, plugin: ^0.1 }\n";
        let result = read(&format!("{base}{change}"));
        match expected {
            Ok(()) => assert!(result.is_ok(), "{change}: {result:?}"),
            Err(part) => {
                let message = result.expect_err(change);
                assert!(message.contains(part), "{change}: {message}");
            }
        }
    }

    #[test]
    fn manifests() {
        check("format: 1\nid: s3", Ok(()));
        check("format: 2\nid: s3", Err("upgrade the portal"));
        check("format: 1\nid: S3", Err("id is `S3`"));
        check("format: 1\nid: ''", Err("id is ``"));
        check("format: 1\nid: s3\ncolour: red", Err("colour"));
        check("format: 1\nid: s3\nrights: { config: [a.b] }", Err("configSchema does not describe it"));
        check("format: 1\nid: s3\nconfigSchema: { a.b: {} }", Err("does not ask for it"));
        check("format: 1\nid: s3\nrights: { config: [a] }\nconfigSchema: { a: { type: string } }", Ok(()));
        check("format: 1\nid: s3\nrights: { config: [a] }\nconfigSchema: { a: { type: 5 } }", Err("configSchema.a"));
        check(
            "format: 1\nid: s3\nrights: { config: [a] }\n\
             configSchema: { a: { properties: { token: { type: string } } } }",
            Err("`token` is the name of a secret"),
        );
        check(
            "format: 1\nid: s3\nrights: { config: [a] }\n\
             configSchema: { a: { properties: { token: { x-credential: { kind: bearer, origin: 'https://x.example' } } } } }",
            Ok(()),
        );
        check(
            "format: 1\nid: s3\ncontributes: { ui: [{ id: a, at: page, title: A }, { id: a, at: page, title: B }] }",
            Err("two extensions"),
        );
    }

    #[test]
    fn routes() {
        let check = |id: &str, routes: &str, expected: Result<(), &str>| {
            check(&format!("format: 1\nid: {id}\ncontributes: {{ routes: [{routes}] }}"), expected);
        };
        let one = "{ method: GET, path: '/things/{id}', permission: thing.read, description: One. }";
        check("inventory", one, Ok(()));
        check("kubernetes", one, Ok(()));
        for id in CORE_APIS {
            check(id, one, Err("is the portal's own"));
            check(id, "", Ok(()));
        }
        check("x", "{ method: get, path: / }", Err("unknown variant `get`"));
        check("x", "{ method: GET, path: things }", Err("`things` is no path of a route"));
        check("x", "{ method: GET, path: / }, { method: POST, path: / }", Ok(()));
        check("x", "{ method: GET, path: '/{a}' }, { method: GET, path: '/{b}' }", Err("tell GET /{b} from another"));
        check("x", "{ method: GET, path: /a }, { method: GET, path: /A }", Err("tell GET /A from another"));
        for permission in ["Thing", "thing.", "thing..read", "'*'", "thing read"] {
            let route = format!("{{ method: GET, path: /, permission: {permission} }}");
            check("x", &route, Err("the permission of GET /"));
        }
        let many: Vec<String> =
            (0..=limits::ROUTES).map(|number| format!("{{ method: GET, path: /r{number} }}")).collect();
        check("x", &many.join(", "), Err("at most"));
    }

    #[test]
    fn actions() {
        let check = |rights: &str, actions: &str, expected: Result<(), &str>| {
            let rights = format!("rights: {{ scaffolder-actions: {{ actions: [{rights}] }} }}");
            check(&format!("format: 1\nid: x\n{rights}\ncontributes: {{ scaffolder-actions: [{actions}] }}"), expected);
        };
        check("acme:make", "{ id: acme:make }", Ok(()));
        check(
            "acme:make",
            "{ id: acme:make, description: Makes., inputSchema: { type: object, required: [a] }, \
             outputSchema: { type: object }, examples: [{ description: One., input: { a: 1 } }], \
             supportsDryRun: true, idempotent: true }",
            Ok(()),
        );
        for id in ["publish:github:pull-request", "github:deployKey:create", "a"] {
            check(id, &format!("{{ id: {id} }}"), Ok(()));
        }
        for id in ["''", "':a'", "'a:'", "'a::b'", "a b", "../a", "'1:a'", "é"] {
            check("", &format!("{{ id: {id} }}"), Err("the id `"));
        }
        check("a", "{ id: a }, { id: a }", Err("two actions"));
        check("", "{ id: a }", Err("below `rights`:\n  scaffolder-actions: { actions: [ a ] }"));
        check("a, b", "{ id: a }", Err("names b, which is no action"));
        check("a", "{ id: a, inputSchema: { type: string } }", Err("`inputSchema` of a: its `type` must be `object`"));
        check("a", "{ id: a, outputSchema: { type: object, properties: 5 } }", Err("`outputSchema` of a"));
        check("a", "{ id: a, examples: [{ input: { b: 1 } }] }", Err("an example does not fit"));
        check("a", "{ id: a, schema: {} }", Err("unknown field `schema`"));
    }

    #[test]
    fn places() {
        let check = |extension: &str, expected: Result<(), &str>| {
            check(&format!("format: 1\nid: s3\ncontributes: {{ ui: [{{ id: a, title: A, {extension} }}] }}"), expected);
        };
        check("at: entity-card, onFailure: hide", Ok(()));
        check("at: entity-tab, onFailure: stale", Ok(()));
        check("at: page, onFailure: placeholder", Ok(()));
        check("at: page, onFailure: hide", Err("only an entity-card"));
        check("at: page, onFailure: explode", Err("unknown variant `explode`"));
        check("at: navigation-item, href: /catalog", Ok(()));
        check("at: navigation-item", Err("needs an `href`"));
        check("at: navigation-item, href: 'https://example.com/'", Err("a path of the portal"));
        check("at: navigation-item, href: 'javascript:alert(1)'", Err("no safe URL"));
        check("at: navigation-item, href: /catalog, filter: { kind: API }", Err("cannot have a `filter`"));
        check("at: page, href: /catalog", Err("only a navigation item"));
    }

    #[test]
    fn processors() {
        let check = |processors: &str, expected: Result<(), &str>| {
            check(&format!("format: 1\nid: s3\ncontributes: {{ entity-processor: [{processors}] }}"), expected);
        };
        check("{ id: a, hooks: [pre-process, post-process] }", Ok(()));
        check(
            "{ id: a, hooks: [post-process], after: [b, annotate, relations, other/x] }, { id: b, hooks: [pre-process] }",
            Ok(()),
        );
        check("{ id: a, hooks: [pre-process], filter: { kind: API, spec.type: openapi } }", Ok(()));
        check("{ id: A, hooks: [pre-process] }", Err("the id `A`"));
        check("{ id: validate, hooks: [pre-process] }", Err("a step of the catalog"));
        check("{ id: a, hooks: [pre-process] }, { id: a, hooks: [pre-process] }", Err("two processors"));
        check("{ id: a, hooks: [] }", Err("`hooks` of `a`"));
        check("{ id: a, hooks: [pre-process, pre-process] }", Err("each once"));
        check("{ id: a }", Err("missing field `hooks`"));
        check("{ id: a, hooks: [between] }", Err("unknown variant `between`"));
        check("{ id: a, hooks: [post-process], after: [b] }", Err("`after` of `a` names `b`"));
        check("{ id: a, hooks: [pre-process], after: [validate] }", Err("always before that"));
        check(
            "{ id: a, hooks: [post-process], after: [b] }, { id: b, hooks: [post-process], after: [a] }",
            Err("name each other in `after`"),
        );
        check(
            "{ id: a, hooks: [post-process], filter: { relations.ownedBy: 'group:default/a' } }",
            Err("about relations"),
        );
        check("{ id: a, hooks: [post-process], filter: { $some: [] } }", Err("$some"));
    }
}
