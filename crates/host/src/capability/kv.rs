//! `callboard:host/kv`: what the plugin keeps between calls. The plugin's id is the host's to say, so that no key can
//! reach another plugin's.

use callboard_store::kv::KvError;

use crate::bindings::kv::Host;
use crate::bindings::types::Error;
use crate::call::CallState;

impl Host for CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("kv.get");
        let plugin = self.plugin.clone();
        self.ask(async move { plugin.kv.get(&key).await.map_err(|error| told(&plugin.id, error)) }).await
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("kv.set");
        let plugin = self.plugin.clone();
        self.ask(async move { plugin.kv.set(&key, &value).await.map_err(|error| told(&plugin.id, error)) }).await
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("kv.delete");
        let plugin = self.plugin.clone();
        self.ask(async move { plugin.kv.delete(&key).await.map_err(|error| told(&plugin.id, error)) }).await
    }

    async fn keys(&mut self, prefix: String, after: Option<String>) -> wasmtime::Result<Result<Vec<String>, Error>> {
        self.has_asked = true;
        self.plugin.stats.host_call("kv.keys");
        let plugin = self.plugin.clone();
        let keys =
            async move { plugin.kv.keys(&prefix, after.as_deref()).await.map_err(|error| told(&plugin.id, error)) };
        self.ask(keys).await
    }
}

/// The guest learns of its own mistakes; what is wrong with the database is the operator's to know.
fn told(plugin: &str, error: KvError) -> Error {
    match error {
        KvError::Key(_) => Error::Invalid(error.to_string()),
        KvError::Value { .. } | KvError::Full { .. } => Error::TooLarge(error.to_string()),
        KvError::Store(error) => {
            tracing::error!(plugin, %error, "the store of a plugin does not answer");
            Error::Unavailable("the portal's database does not answer".to_owned())
        }
    }
}
