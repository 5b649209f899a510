//! The kinds that the catalog knows, and the schema of each one's `spec`.

use super::schema::{self, Field, Shape};
use super::{Stage, ValidationError};
use crate::entity::Entity;

/// Finds the kind by its exact name and one of its `apiVersion`s, and checks the entity by its schema.
pub(super) fn check(entity: &Entity) -> Result<(), ValidationError> {
    let known =
        KINDS.iter().find(|kind| kind.name == entity.kind() && kind.api_versions.contains(&entity.api_version()));
    let Some(kind) = known else {
        return Err(unknown(entity));
    };
    schema::check_fields(&[Field::required("spec", Shape::Object(kind.spec))], entity.as_map(), "").map_err(
        |violation| {
            let place = if violation.pointer.is_empty() { "<root>" } else { &violation.pointer };
            let message = format!("{place} {} - {}", violation.message, violation.params);
            ValidationError::new(Stage::Kind, violation.pointer.clone(), message, violation.found)
        },
    )
}

fn unknown(entity: &Entity) -> ValidationError {
    let message = format!(
        "No processor recognized the entity {} as valid, possibly caused by a foreign kind or apiVersion",
        entity.entity_ref()
    );
    let same = |kind: &&Kind| kind.name.eq_ignore_ascii_case(entity.kind());
    let (field, found, expected) = match KINDS.iter().find(same) {
        Some(kind) if kind.name == entity.kind() => {
            let expected = format!("for the kind {}, {}", kind.name, kind.api_versions.join(" or "));
            ("/apiVersion", entity.as_map().get("apiVersion"), expected)
        }
        Some(kind) => ("/kind", entity.as_map().get("kind"), kind.name.to_owned()),
        None => {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            ("/kind", entity.as_map().get("kind"), format!("one of {}", names.join(", ")))
        }
    };
    let mut error = ValidationError::new(Stage::Unknown, field, message, found);
    error.expected = Some(expected);
    error
}

struct Kind {
    name: &'static str,
    api_versions: &'static [&'static str],
    spec: &'static [Field],
}

const CORE: &[&str] = &["backstage.io/v1alpha1", "backstage.io/v1beta1"];

const KINDS: &[Kind] = &[
    Kind { name: "Component", api_versions: CORE, spec: COMPONENT },
    Kind { name: "API", api_versions: CORE, spec: API },
    Kind { name: "Resource", api_versions: CORE, spec: RESOURCE },
    Kind { name: "System", api_versions: CORE, spec: SYSTEM },
    Kind { name: "Domain", api_versions: CORE, spec: DOMAIN },
    Kind { name: "Group", api_versions: CORE, spec: GROUP },
    Kind { name: "User", api_versions: CORE, spec: USER },
    Kind { name: "Location", api_versions: CORE, spec: LOCATION },
    Kind { name: "Template", api_versions: &["scaffolder.backstage.io/v1beta3"], spec: TEMPLATE },
];

const COMPONENT: &[Field] = &[
    Field::required("type", Shape::Text),
    Field::required("lifecycle", Shape::Text),
    Field::required("owner", Shape::Text),
    Field::optional("system", Shape::Text),
    Field::optional("subcomponentOf", Shape::Text),
    Field::optional("providesApis", Shape::Texts),
    Field::optional("consumesApis", Shape::Texts),
    // `dependencyOf` makes relations, but is not in the schema.
    Field::optional("dependsOn", Shape::Texts),
];

const API: &[Field] = &[
    Field::required("type", Shape::Text),
    Field::required("lifecycle", Shape::Text),
    Field::required("owner", Shape::Text),
    Field::required("definition", Shape::Text),
    Field::optional("system", Shape::Text),
];

const RESOURCE: &[Field] = &[
    Field::required("type", Shape::Text),
    Field::required("owner", Shape::Text),
    Field::optional("dependsOn", Shape::Texts),
    Field::optional("dependencyOf", Shape::Texts),
    Field::optional("system", Shape::Text),
];

const SYSTEM: &[Field] = &[
    Field::required("owner", Shape::Text),
    Field::optional("domain", Shape::Text),
    Field::optional("type", Shape::Text),
];

const DOMAIN: &[Field] = &[
    Field::required("owner", Shape::Text),
    Field::optional("subdomainOf", Shape::Text),
    Field::optional("type", Shape::Text),
];

const PROFILE: &[Field] = &[
    Field::optional("displayName", Shape::Text),
    Field::optional("email", Shape::Text),
    Field::optional("picture", Shape::Text),
];

const GROUP: &[Field] = &[
    Field::required("type", Shape::Text),
    Field::required("children", Shape::Texts),
    Field::optional("profile", Shape::Object(PROFILE)),
    Field::optional("parent", Shape::Text),
    Field::optional("members", Shape::Texts),
];

const USER: &[Field] = &[Field::required("memberOf", Shape::Texts), Field::optional("profile", Shape::Object(PROFILE))];

const LOCATION: &[Field] = &[
    Field::optional("type", Shape::Text),
    Field::optional("target", Shape::Text),
    Field::optional("targets", Shape::Texts),
    Field::optional("presence", Shape::OneOf(&["required", "optional"])),
];

const TEMPLATE: &[Field] = &[
    Field::required("type", Shape::Text),
    Field::required("steps", Shape::Objects(&[])),
    Field::optional("owner", Shape::Text),
    Field::optional("lifecycle", Shape::Text),
    Field::optional("parameters", Shape::ObjectOrObjects),
    Field::optional("output", Shape::Object(&[])),
    Field::optional("presentation", Shape::Object(PRESENTATION)),
    Field::optional("secrets", Shape::Object(&[Field::optional("schema", Shape::Object(&[]))])),
    Field::optional("formDecorators", Shape::Objects(&[Field::required("id", Shape::AnyText)])),
    Field::optional("EXPERIMENTAL_formDecorators", Shape::Objects(&[Field::required("id", Shape::AnyText)])),
    Field::optional("EXPERIMENTAL_recovery", Shape::Object(RECOVERY)),
];

const PRESENTATION: &[Field] = &[Field::optional("buttonLabels", Shape::Object(BUTTON_LABELS))];

const BUTTON_LABELS: &[Field] = &[
    Field::optional("backButtonText", Shape::AnyText),
    Field::optional("createButtonText", Shape::AnyText),
    Field::optional("reviewButtonText", Shape::AnyText),
];

const RECOVERY: &[Field] = &[Field::optional("EXPERIMENTAL_strategy", Shape::OneOf(&["none", "startOver"]))];
