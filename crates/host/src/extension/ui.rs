//! `callboard:plugin/ui`: shows something in the portal.

use callboard_model::ui::{FieldError, Input, MAX_FIELDS, Outcome, Tree};

use crate::acting::Acting;
use crate::call::{Target, output};
use crate::error::{ErrorKind, PluginError};
use crate::limits::TREE_BYTES;
use crate::plugin::Plugin;

impl Plugin {
    /// Renders an extension for somebody.
    ///
    /// # Errors
    /// There is no such extension, the guest failed or answered with an error, or its tree is too large.
    pub async fn render(&self, acting: &Acting, extension: &str, input: &Input) -> Result<Tree, PluginError> {
        let target = self.ui("render", acting);
        let input = self.ui_input(&target, extension, input)?;
        let Some(indices) = self.inner.ui.clone() else { return Err(self.not_there(&target, extension)) };
        let extension = extension.to_owned();
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_render(store, &context, &extension, &input).await
                })
            },
            |json| read_tree(&json),
        )
        .await
    }

    /// Carries out what a button of a tree named.
    ///
    /// # Errors
    /// There is no such extension, or the guest failed or answered with an error.
    pub async fn act(
        &self,
        acting: &Acting,
        extension: &str,
        action: &str,
        input: &Input,
    ) -> Result<Outcome, PluginError> {
        let target = self.ui("act", acting);
        let input = self.ui_input(&target, extension, input)?;
        let Some(indices) = self.inner.ui.clone() else { return Err(self.not_there(&target, extension)) };
        let (extension, action) = (extension.to_owned(), action.to_owned());
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_act(store, &context, &extension, &action, &input).await
                })
            },
            |json| {
                let outcome: Outcome = read_json(&json, "outcome")?;
                let errors = outcome.errors.into_iter().take(MAX_FIELDS).map(|error| FieldError {
                    field: output::clean(&error.field, 500),
                    message: output::clean(&error.message, 500),
                });
                let message = output::clean(&outcome.message, 500);
                Ok(Outcome { message, refresh: outcome.refresh, errors: errors.collect() })
            },
        )
        .await
    }

    fn ui<'a>(&self, function: &'static str, acting: &'a Acting) -> Target<'a> {
        Target { extension_point: "ui", function, acting, limit: self.inner.limits.ui_deadline }
    }

    fn ui_input(&self, target: &Target<'_>, extension: &str, input: &Input) -> Result<String, PluginError> {
        if !self.inner.manifest.contributes.ui.iter().any(|each| each.id == extension) {
            return Err(self.not_there(target, extension));
        }
        serde_json::to_string(input).map_err(|error| self.error(target, ErrorKind::Output, error.to_string()))
    }

    fn not_there(&self, target: &Target<'_>, extension: &str) -> PluginError {
        self.error(target, ErrorKind::NotThere, format!("it has no extension `{extension}`"))
    }
}

fn read_tree(json: &str) -> Result<Tree, String> {
    let tree: Tree = read_json(json, "tree")?;
    tree.check().map_err(|error| output::clean(&error.to_string(), 300))?;
    Ok(tree)
}

/// Parses with a bounded depth: the parser stops at 128 levels of JSON.
fn read_json<T: serde::de::DeserializeOwned>(json: &str, what: &str) -> Result<T, String> {
    if json.len() > TREE_BYTES {
        return Err(format!("its {what} has {} bytes, but may have at most {TREE_BYTES}", json.len()));
    }
    serde_json::from_str(json)
        .map_err(|error| format!("its {what} is not right: {}", output::clean(&error.to_string(), 300)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{TABLE_ROWS, TREE_DEPTH, TREE_NODES};

    fn check(json: &str, expected: Result<(), &str>) {
        match (read_tree(json), expected) {
            (Ok(_), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (result, _) => panic!("{}: {result:?}", json.get(..200).unwrap_or(json)),
        }
    }

    fn nested(depth: usize) -> String {
        let open = r#"{"type":"stack","children":["#.repeat(depth - 1);
        let close = "]}".repeat(depth - 1);
        format!(r#"{{"root":{open}{{"type":"text","text":"x"}}{close}}}"#)
    }

    fn wide(nodes: usize) -> String {
        let texts = vec![r#"{"type":"text","text":"x"}"#; nodes - 1].join(",");
        format!(r#"{{"root":{{"type":"stack","children":[{texts}]}}}}"#)
    }

    fn table(rows: usize, cells: usize) -> String {
        let row = format!("[{}]", vec![r#"{"type":"text","text":"x"}"#; cells].join(","));
        let rows = vec![row; rows].join(",");
        format!(r#"{{"root":{{"type":"table","caption":"c","columns":["a","b"],"rows":[{rows}]}}}}"#)
    }

    #[test]
    fn trees() {
        check(r#"{"root":{"type":"text","text":"hello"}}"#, Ok(()));
        check(r#"{"root":{"type":"of-a-newer-portal","x":1}}"#, Ok(()));
        check(&nested(TREE_DEPTH), Ok(()));
        check(&nested(TREE_DEPTH + 1), Err("more than 32 deep"));
        check(&nested(10_000), Err("not right"));
        check(&wide(TREE_NODES), Ok(()));
        check(&wide(TREE_NODES + 1), Err("more than 5000 nodes"));
        check(&"x".repeat(TREE_BYTES + 1), Err("at most 1048576"));
        check(&table(TABLE_ROWS, 2), Ok(()));
        check(&table(TABLE_ROWS + 1, 2), Err("501 rows"));
        check(&table(1, 3), Err("3 cells for 2 columns"));
        check(r#"{"root":{"type":"grid","columns":9,"children":[]}}"#, Err("9 columns"));
        check(r#"{"root":{"type":"link","text":"x","href":"javascript:alert(1)"}}"#, Err("not right"));
        check("{", Err("not right"));
    }
}
