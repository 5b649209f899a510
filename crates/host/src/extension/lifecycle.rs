//! `callboard:plugin/lifecycle`: has a say when a version takes over from another one.

use crate::acting::Acting;
use crate::call::Target;
use crate::error::PluginError;
use crate::plugin::Plugin;

/// As in WIT.
const POINT: &str = "lifecycle";

impl Plugin {
    /// Has the plugin make what `version` of it kept into what it wants itself. Nothing happens where it does not export
    /// `lifecycle`.
    ///
    /// # Errors
    /// The guest failed, or cannot.
    pub async fn migrate(&self, acting: &Acting, version: &str) -> Result<(), PluginError> {
        let Some(indices) = self.inner.lifecycle.clone() else { return Ok(()) };
        let limit = self.inner.limits.page_deadline;
        let version = version.to_owned();
        self.call(
            Target { extension_point: POINT, function: "migrate", acting, limit },
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_migrate(store, &context, &version).await
                })
            },
            Ok,
        )
        .await
    }

    /// Asks the plugin whether it can work. One that does not export `lifecycle` has nothing to say against it.
    ///
    /// # Errors
    /// The guest failed, or says that it cannot.
    pub async fn check(&self, acting: &Acting) -> Result<(), PluginError> {
        let Some(indices) = self.inner.lifecycle.clone() else { return Ok(()) };
        let limit = self.inner.limits.ui_deadline;
        self.call(
            Target { extension_point: POINT, function: "check", acting, limit },
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_check(store, &context).await
                })
            },
            Ok,
        )
        .await
    }
}
