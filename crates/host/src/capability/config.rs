//! `callboard:host/config`: the granted part of app-config.

use crate::bindings::config::Host;
use crate::bindings::types::Error;
use crate::call::{CallState, output};
use crate::stats::Refusal;

impl Host for CallState {
    async fn get(&mut self, path: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        let plugin = &self.plugin;
        plugin.stats.host_call("config.get");
        let value = match plugin.config.get(&path) {
            Some(value) => value,
            None if plugin.manifest.rights.config.contains(&path) => {
                plugin.stats.denied(refusal(&path, format!("plugins.{}.grant.config", plugin.id), false));
                return Ok(Err(Error::Denied(format!(
                    "app-config does not grant `{path}` to this plugin; add it to `plugins.{}.grant.config`",
                    plugin.id
                ))));
            }
            None => {
                plugin.stats.denied(refusal(&path, "rights.config".to_owned(), true));
                return Ok(Err(Error::Denied(format!(
                    "the manifest does not ask for `{path}`; in plugin.yaml, add it to `rights.config` and describe \
                     it in `configSchema`"
                ))));
            }
        };
        Ok(Ok(value.map(|value| value.to_string())))
    }
}

/// For the statistics. The path is the guest's word.
fn refusal(path: &str, place: String, by_author: bool) -> Refusal {
    let path = output::clean(path, 200);
    Refusal { right: "config", line: Some(format!("- {path}")), message: path, place: Some(place), by_author }
}
