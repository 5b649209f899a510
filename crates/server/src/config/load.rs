//! From files and environment to a checked configuration.

use std::path::PathBuf;
use std::sync::Arc;

use super::build::build;
use super::check::check;
use super::finding::{Finding, Report};
use super::model::Config;
use super::node::{Node, Origin, is_data_file};
use super::sources::{Sources, environment};
use super::substitute::Substitution;

/// A configuration and what there is to say about it.
#[derive(Debug)]
pub struct Loaded {
    /// None where the report has errors.
    pub config: Option<Config>,
    /// Errors, warnings and keys without effect.
    pub report: Report,
}

/// Reads, merges and checks the configuration.
#[must_use]
pub fn load(sources: &Sources) -> Loaded {
    let mut report = Report::default();
    let mut root = Node::empty(&Arc::from("app-config"));
    let mut substitution = Substitution { env: &sources.env, findings: Vec::new(), unset: Vec::new() };
    for (file, optional) in sources.candidates() {
        if let Some(layer) = read(sources, &file, optional, &mut substitution, &mut report) {
            root.merge(layer);
        }
    }
    report.findings.append(&mut substitution.findings);
    report.unset = substitution.unset;
    for layer in environment(&sources.env, &mut report.findings) {
        report.layers.push(layer_name(&layer));
        root.merge(layer);
    }
    root.drop_nulls();
    // A key that a higher layer sets is not absent.
    report.unset.retain(|unset| root.at(&unset.path).is_none());
    let (findings, unhonoured) = check(&mut root);
    report.findings.extend(findings);
    report.unhonoured = unhonoured;
    let config = build(&root, sources.base_dir(), &mut report);
    report.sort();
    let config = report.errors().next().is_none().then_some(config);
    Loaded { config, report }
}

fn read(
    sources: &Sources,
    file: &PathBuf,
    optional: bool,
    substitution: &mut Substitution<'_>,
    report: &mut Report,
) -> Option<Node> {
    let layer: Arc<str> = Arc::from(file.display().to_string());
    let mut fail = |line: Option<u64>, message: String, fix: &str| {
        let origin = Origin { layer: layer.clone(), line };
        report.findings.push(Finding::error("", Some(origin), message, fix));
        None
    };
    if ["http://", "https://"].iter().any(|scheme| layer.starts_with(scheme)) {
        return fail(
            None,
            "a configuration cannot be read from a URL".to_owned(),
            "Download it first, and name the file.",
        );
    }
    if !is_data_file(file) {
        let fix = "Its name must end in .yaml, .yml or .json.";
        return fail(None, "it is not known how to read this file".to_owned(), fix);
    }
    let path = sources.dir.join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && optional => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("there is no such file in {}", sources.dir.display());
            return fail(None, message, "Start Callboard where it is, or name it with --config FILE.");
        }
        Err(error) => return fail(None, format!("cannot be read: {error}"), ""),
    };
    let node = match Node::parse(&text, &layer) {
        Ok(node) => node,
        Err(error) => return fail(error.line, error.message, ""),
    };
    if !node.is_mapping() {
        let message = format!("expected a mapping, found {}", node.kind());
        return fail(node.origin.line, message, "A configuration begins with keys such as `app:`.");
    }
    report.layers.push(layer.to_string());
    let dir = path.parent().map(PathBuf::from).unwrap_or_default();
    substitution.apply(node, "", &dir)
}

/// All of such a layer comes from one variable.
fn layer_name(layer: &Node) -> String {
    layer.origin.layer.to_string()
}
