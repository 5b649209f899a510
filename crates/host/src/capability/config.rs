//! `callboard:host/config`: the granted part of app-config.

use crate::bindings::config::Host;
use crate::bindings::types::Error;
use crate::call::CallState;

impl Host for CallState {
    async fn get(&mut self, path: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        let plugin = &self.plugin;
        let value = match plugin.config.get(&path) {
            Some(value) => value,
            None if plugin.manifest.rights.config.contains(&path) => {
                return Ok(Err(Error::Denied(format!(
                    "app-config does not grant `{path}` to this plugin; add it to `plugins.{}.grant.config`",
                    plugin.id
                ))));
            }
            None => {
                return Ok(Err(Error::Denied(format!(
                    "the manifest does not ask for `{path}`; in plugin.yaml, add it to `rights.config` and describe \
                     it in `configSchema`"
                ))));
            }
        };
        Ok(Ok(value.map(|value| value.to_string())))
    }
}
