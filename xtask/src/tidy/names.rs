//! Invariant 7: one name, five places. A capability, and likewise an extension point, is called the same in its WIT
//! interface, its YAML key, its file of the host, its module of the SDK and its heading in `docs/plugins.md`.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Tree;
use super::wit::interfaces;

type Names = BTreeSet<String>;

/// Files of the SDK that are about no capability and no extension point.
const SDK_INSIDE: &[&str] = &["bindings", "context", "error", "export", "lib"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let points = wit_names(tree, "wit/plugin/");
    let contributions = fields(tree, "crates/model/src/manifest.rs", "Contributions");
    let hosted = files(tree, "crates/host/src/extension/");
    let all_points = &(&points | &contributions) | &hosted;
    let sdk: Names =
        files(tree, "crates/sdk/src/").into_iter().filter(|name| !SDK_INSIDE.contains(&name.as_str())).collect();
    let mut findings = compare(
        "capability",
        &[
            ("wit/host/", wit_names(tree, "wit/host/")),
            (
                "struct Rights in crates/model/src/rights.rs",
                // The rights of an extension point stand under its own name.
                &fields(tree, "crates/model/src/rights.rs", "Rights") - &all_points,
            ),
            ("crates/host/src/capability/", files(tree, "crates/host/src/capability/")),
            ("crates/sdk/src/, its modules", &sdk - &all_points),
            ("docs/plugins.md, below \"Capabilities\"", headings(tree, "Capabilities")),
        ],
    );
    findings.extend(compare(
        "extension point",
        &[
            ("wit/plugin/", points),
            ("struct Contributions in crates/model/src/manifest.rs", contributions),
            ("crates/host/src/extension/", hosted),
            ("crates/sdk/src/, its modules", &sdk & &all_points),
            ("docs/plugins.md, below \"Extension points\"", headings(tree, "Extension points")),
        ],
    ));
    findings
}

/// Each place has every name that any place has.
fn compare(what: &str, places: &[(&str, Names)]) -> Vec<Finding> {
    let all: Names = places.iter().flat_map(|(_, names)| names.iter().cloned()).collect();
    let mut findings = Vec::new();
    for (place, names) in places {
        for missing in &all - names {
            let elsewhere: Vec<&str> =
                places.iter().filter(|(_, names)| names.contains(&missing)).map(|(place, _)| *place).collect();
            findings.push(Finding::new(
                *place,
                format!("does not have the {what} `{missing}`, which is in {}", elsewhere.join(" and in ")),
            ));
        }
    }
    findings
}

/// The interfaces of a WIT package; `types` is what they share.
fn wit_names(tree: &Tree, folder: &str) -> Names {
    tree.below(folder)
        .flat_map(|(_, text)| interfaces(text))
        .filter(|name| *name != "types")
        .map(str::to_owned)
        .collect()
}

/// The files of a folder of modules, in kebab-case.
fn files(tree: &Tree, folder: &str) -> Names {
    tree.below(folder)
        .filter_map(|(path, _)| path.strip_prefix(folder)?.strip_suffix(".rs"))
        .filter(|name| !name.contains('/'))
        .map(|name| name.replace('_', "-"))
        .collect()
}

/// The public fields of a struct, in kebab-case.
fn fields(tree: &Tree, path: &str, name: &str) -> Names {
    let text = tree.get(path).unwrap_or_default();
    text.split(&format!("pub struct {name} {{"))
        .nth(1)
        .and_then(|rest| rest.split("\n}").next())
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub ")?.split(':').next())
        .map(|field| field.replace('_', "-"))
        .collect()
}

/// The headings one level below a heading of the plugin author's page: `` ### `log` `` below `## Capabilities`.
fn headings(tree: &Tree, above: &str) -> Names {
    let text = tree.get("docs/plugins.md").unwrap_or_default();
    text.lines()
        .skip_while(|line| *line != format!("## {above}"))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("### "))
        .map(|heading| heading.trim_matches('`').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        ("wit/host/log.wit", "interface log {\n}"),
        ("wit/host/types.wit", "interface types {\n}"),
        ("wit/plugin/entity-provider.wit", "interface entity-provider {\n}"),
        (
            "crates/model/src/rights.rs",
            "pub struct Rights {\n    pub log: bool,\n    pub entity_provider: EntityProviderRights,\n}\n",
        ),
        ("crates/model/src/manifest.rs", "pub struct Contributions {\n    pub entity_provider: Option<X>,\n}\n"),
        ("crates/host/src/capability/log.rs", ""),
        ("crates/host/src/extension/entity_provider.rs", ""),
        ("crates/sdk/src/log.rs", ""),
        ("crates/sdk/src/entity_provider.rs", ""),
        ("docs/plugins.md", "## Capabilities\n### `log`\n## Extension points\n### `entity-provider`\n## More\n### x\n"),
    ];

    #[test]
    fn the_same_everywhere_is_fine() {
        assert_eq!(check(&Tree::of(WHOLE)), []);
    }

    #[test]
    fn a_name_that_one_place_lacks_is_found() {
        for (index, (lacking, _)) in WHOLE.iter().enumerate() {
            if *lacking == "wit/host/types.wit" {
                continue;
            }
            let rest: Vec<_> = WHOLE.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, file)| *file).collect();
            let findings = check(&Tree::of(&rest));
            let folder = lacking.rsplit_once('/').unwrap().0;
            assert!(
                findings.iter().any(|finding| finding.place.contains(folder) || finding.place.contains(lacking)),
                "{lacking}: {findings:?}"
            );
        }
    }
}
