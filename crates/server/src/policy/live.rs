//! The policy in force, and its changes while the portal runs.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Policy;
use crate::config::sources::Sources;
use crate::config::{Config, load};

/// How often app-config is looked at again: a changed policy is in force within a few seconds, and reading some files of a
/// few KiB costs nothing that anybody would notice. Their times are not asked, because neither a mounted ConfigMap nor an
/// included file changes those of the file that was named.
const INTERVAL: Duration = Duration::from_secs(2);

/// The policy in force. Cheap to clone; all clones are of one.
#[derive(Clone)]
pub struct Live {
    policy: Arc<RwLock<Arc<Policy>>>,
}

impl Live {
    /// Begins with this one.
    #[must_use]
    pub fn new(policy: Policy) -> Live {
        Live { policy: Arc::new(RwLock::new(Arc::new(policy))) }
    }

    /// The one in force now. A request asks once, so that all of it is decided by one policy.
    #[must_use]
    pub fn get(&self) -> Arc<Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another one into force; whether it is another.
    pub(crate) fn replace(&self, policy: Policy) -> bool {
        let mut current = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **current != policy;
        if changed {
            *current = Arc::new(policy);
        }
        changed
    }
}

/// Follows app-config until the portal stops, and hands each version to `take`. What is wrong with a new version is said
/// once, and what was in force before it stays: a slip of the pen must neither lock everybody out nor let everybody in.
pub async fn watch(sources: Sources, strict: bool, stop: CancellationToken, take: impl Fn(&Config) + Send + Sync) {
    let mut refused = String::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let sources = sources.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || load(&sources)).await else { continue };
        let problem = match loaded.config.filter(|_| loaded.report.is_accepted(strict)) {
            Some(config) => {
                take(&config);
                String::new()
            }
            None => loaded.report.to_string(),
        };
        if problem != refused && !problem.is_empty() {
            tracing::error!("app-config has changed and is not accepted; what was in force stays.\n{problem}");
        }
        refused = problem;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Permission;

    #[test]
    fn one_policy_is_in_force() {
        let live = Live::new(Policy::new(&Permission::default()));
        let clone = live.clone();
        let before = clone.get();
        assert!(!live.replace(Policy::new(&Permission::default())));
        assert!(live.replace(Policy::new(&Permission { enabled: false, ..Permission::default() })));
        assert_ne!(before, clone.get());
        assert_eq!(live.get(), clone.get());
    }
}
