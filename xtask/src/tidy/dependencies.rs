//! Invariants 1 to 4: which crate may depend on which.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

use super::Finding;
use crate::project;

/// Crates that are known in one place only. The tests' fakes of upstream services may use what servers and clients
/// are made of.
const ONLY: &[(&str, &[&str], &str)] = &[
    ("wasmtime*", &["callboard-host"], "the host is the only crate that knows the sandbox"),
    ("wasmparser", &["callboard-host"], "the host is the only crate that reads components"),
    ("cranelift*", &["callboard-host"], "the host is the only crate that knows the sandbox"),
    ("axum*", &["callboard", "callboard-tests"], "the server is the only crate that answers HTTP"),
    ("aws-*", &["callboard-egress"], "egress is the only crate that knows AWS"),
    ("reqwest", &["callboard-egress", "callboard-tests"], "egress is the only crate that sends HTTP"),
    ("hyper*", &["callboard-egress", "callboard-tests"], "egress is the only crate that sends HTTP"),
    ("ureq", &[], "egress is the only crate that sends HTTP"),
    ("curl", &[], "egress is the only crate that sends HTTP"),
    ("rustls*", &["callboard-egress"], "egress is the only crate that speaks TLS"),
    ("sigstore*", &["callboard-artifact"], "artifact is the only crate that knows who signed a plugin"),
    ("oci*", &["callboard-artifact"], "artifact is the only crate that knows registries"),
    ("sqlx*", &["callboard-store"], "the store is the only crate that knows the database under it"),
    ("leptos*", &["callboard-frontend"], "the frontend is the only crate that renders"),
    ("serde_yaml*", &[], "docs/decisions/0001-yaml.md"),
];

/// What does I/O or is asynchronous.
const IMPURE: &[&str] = &[
    "async-std",
    "async-trait",
    "axum",
    "futures",
    "hyper",
    "mio",
    "reqwest",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "wasmtime",
];

/// Crates whose whole tree of dependencies is free of [`IMPURE`] ones.
const PURE: &[&str] = &["callboard-model", "callboard-sdk"];

/// Features and the host: they meet in the server alone.
const APART: &[&str] =
    &["callboard-catalog", "callboard-host", "callboard-scaffolder", "callboard-search", "callboard-techdocs"];

/// The workspace's own crates that these may use, where not every one.
const USES: &[(&str, &[&str])] = &[
    ("callboard-model", &[]),
    ("callboard-sdk", &["callboard-model"]),
    ("callboard-egress", &["callboard-model"]),
    ("callboard-artifact", &["callboard-model", "callboard-egress"]),
    ("callboard-store", &["callboard-model"]),
    ("callboard-frontend", &["callboard-model"]),
    ("callboard-plugin-*", &["callboard-sdk", "callboard-model"]),
    ("callboard-guests", &["callboard-sdk", "callboard-model"]),
    ("xtask", &[]),
];

/// A package's dependencies, those of its tests left out.
#[derive(Default)]
pub(crate) struct Package {
    member: bool,
    uses: BTreeSet<String>,
}

/// Packages by name; versions do not matter here.
pub(crate) struct Graph(BTreeMap<String, Package>);

impl Graph {
    pub(crate) fn read() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(project::root().join("Cargo.toml"))
            .exec()
            .context("cargo metadata")?;
        let resolve = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for node in &resolve.nodes {
            let package = packages.entry(metadata[&node.id].name.to_string()).or_default();
            package.member |= metadata.workspace_members.contains(&node.id);
            for dependency in &node.deps {
                if dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development) {
                    package.uses.insert(metadata[&dependency.pkg].name.to_string());
                }
            }
        }
        Ok(Self(packages))
    }

    fn members(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.0.iter().filter(|(_, package)| package.member).map(|(name, package)| (name.as_str(), package))
    }

    /// Everything that a package pulls in, with the way there.
    fn reaches(&self, from: &str) -> BTreeMap<String, String> {
        let mut ways = BTreeMap::from([(from.to_owned(), from.to_owned())]);
        let mut todo = vec![from.to_owned()];
        while let Some(name) = todo.pop() {
            let way = ways.get(&name).cloned().unwrap_or_default();
            for used in self.0.get(&name).into_iter().flat_map(|package| &package.uses) {
                if !ways.contains_key(used) {
                    ways.insert(used.clone(), format!("{way} > {used}"));
                    todo.push(used.clone());
                }
            }
        }
        ways.remove(from);
        ways
    }
}

pub(crate) fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, package) in graph.members() {
        for used in &package.uses {
            for (pattern, allowed, why) in ONLY {
                if matches(pattern, used) && !allowed.contains(&name) {
                    findings.push(Finding::new(name, format!("depends on {used}: {why}")));
                }
            }
            if let Some((_, allowed)) = USES.iter().find(|(pattern, _)| matches(pattern, name))
                && graph.0.get(used).is_some_and(|used| used.member)
                && !allowed.contains(&used.as_str())
            {
                findings.push(Finding::new(name, format!("depends on {used}, but may use only {allowed:?} of ours")));
            }
        }
        let pure = PURE.contains(&name) || matches("callboard-plugin-*", name);
        for (reached, way) in graph.reaches(name) {
            if pure && IMPURE.contains(&reached.as_str()) {
                findings.push(Finding::new(name, format!("must stay free of I/O and async, but: {way}")));
            }
            if APART.contains(&name) && APART.contains(&reached.as_str()) {
                findings.push(Finding::new(name, format!("features and the host stay apart, but: {way}")));
            }
        }
    }
    findings
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a > b` is a dependency; the names that begin with `callboard`, and xtask, are ours.
    fn graph(edges: &[&str]) -> Graph {
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for edge in edges {
            let (from, to) = edge.split_once(" > ").unwrap();
            for name in [from, to] {
                packages.entry(name.to_owned()).or_default().member = name.starts_with("callboard") || name == "xtask";
            }
            packages.get_mut(from).unwrap().uses.insert(to.to_owned());
        }
        Graph(packages)
    }

    #[test]
    fn a_broken_rule_is_found() {
        for (edges, place, text) in [
            (vec!["callboard-model > tokio"], "callboard-model", "callboard-model > tokio"),
            (vec!["callboard-model > url", "url > mio"], "callboard-model", "callboard-model > url > mio"),
            (vec!["callboard-catalog > wasmtime-wasi"], "callboard-catalog", "knows the sandbox"),
            (vec!["callboard-host > axum"], "callboard-host", "answers HTTP"),
            (vec!["callboard > reqwest"], "callboard", "sends HTTP"),
            (vec!["callboard > aws-config"], "callboard", "knows AWS"),
            (vec!["callboard > sigstore-verify"], "callboard", "who signed a plugin"),
            (vec!["callboard > oci-client"], "callboard", "knows registries"),
            (vec!["callboard-artifact > callboard-host"], "callboard-artifact", "may use only"),
            (vec!["callboard-artifact > wasmparser"], "callboard-artifact", "reads components"),
            (vec!["callboard-catalog > sqlx"], "callboard-catalog", "knows the database"),
            (vec!["callboard-catalog > callboard-host"], "callboard-catalog", "stay apart"),
            (vec!["callboard-host > callboard-x", "callboard-x > callboard-catalog"], "callboard-host", "stay apart"),
            (vec!["callboard-plugin-s3 > callboard-host"], "callboard-plugin-s3", "may use only"),
            (vec!["callboard-plugin-s3 > tokio"], "callboard-plugin-s3", "free of I/O"),
            (vec!["callboard-frontend > callboard"], "callboard-frontend", "may use only"),
            (vec!["callboard > serde_yaml_ng"], "callboard", "0001-yaml"),
        ] {
            let findings = check(&graph(&edges));
            assert!(
                findings.iter().any(|finding| finding.place == place && finding.text.contains(text)),
                "{edges:?}: {findings:?}"
            );
        }
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let edges = [
            "callboard-model > serde",
            "callboard-sdk > callboard-model",
            "callboard-plugin-s3 > callboard-sdk",
            "callboard-host > wasmtime",
            "callboard-host > callboard-egress",
            "callboard-egress > aws-sigv4",
            "callboard-egress > reqwest",
            "callboard-artifact > callboard-egress",
            "callboard-artifact > sigstore-verify",
            "callboard-catalog > callboard-store",
            "callboard-store > sqlx",
            "callboard > axum",
            "callboard > callboard-catalog",
            "callboard > callboard-host",
            "callboard-tests > callboard",
            "reqwest > tokio",
        ];
        assert_eq!(check(&graph(&edges)), []);
    }

    #[test]
    fn the_workspace_itself() {
        let graph = Graph::read().unwrap();
        assert!(graph.members().count() > 8, "cargo metadata lists our crates");
        assert!(graph.reaches("callboard").contains_key("wasmtime"), "and what they pull in");
    }
}
