//! Who asks, and how long there is.

use std::time::Duration;

use crate::bindings::host::types;

/// Handed to every function of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The plugin's own id.
    pub plugin_id: String,
    /// The same in every log line of this call.
    pub request_id: String,
    /// The entity ref of the user for whom this call is made; none for scheduled work.
    pub user: Option<String>,
    /// How long the call may take, in the guest and in the host together. Then it is stopped.
    pub time: Duration,
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Context {
        Context {
            plugin_id: context.plugin_id,
            request_id: context.request_id,
            user: context.user,
            time: Duration::from_millis(context.deadline_ms),
        }
    }
}
