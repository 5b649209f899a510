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

/// Follows app-config until the portal stops, and hands each version that is accepted to `take`.
pub async fn watch(sources: Sources, strict: bool, stop: CancellationToken, take: impl Fn(&Config) + Send + 'static) {
    let mut follower = Follower { sources, strict, take, refused: String::new() };
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let looked = tokio::task::spawn_blocking(move || {
            follower.look();
            follower
        });
        match looked.await {
            Ok(back) => follower = back,
            Err(error) => {
                tracing::error!("app-config is not followed any more: {error}");
                return;
            }
        }
    }
}

/// Reads app-config again and again.
struct Follower<F> {
    sources: Sources,
    strict: bool,
    take: F,
    /// What is wrong with it now, so that it is said once.
    refused: String,
}

impl<F: Fn(&Config)> Follower<F> {
    /// Whether what there is was accepted. What was in force before stays otherwise: a slip of the pen must neither lock
    /// everybody out nor let everybody in.
    fn look(&mut self) -> bool {
        let loaded = load(&self.sources);
        let Some(config) = loaded.config.filter(|_| loaded.report.is_accepted(self.strict)) else {
            let problem = loaded.report.to_string();
            if problem != self.refused {
                tracing::error!("app-config has changed and is not accepted; what was in force stays.\n{problem}");
                self.refused = problem;
            }
            return false;
        };
        self.refused.clear();
        (self.take)(&config);
        true
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

    #[test]
    fn app_config_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("app-config.yaml", "permission: { policy: { $include: policy.yaml } }");
        let rule = |allow: &str| format!("[{{ allow: [{allow}], to: [signed-in] }}]");
        write("policy.yaml", &rule("plugin.read"));
        let sources = Sources { files: vec![], dir: folder.path().to_owned(), env: std::collections::BTreeMap::new() };
        let policy = || Policy::new(&load(&sources).config.unwrap().permission);
        let live = Live::new(policy());
        let take = |config: &Config| _ = live.replace(Policy::new(&config.permission));
        let mut follower = Follower { sources: sources.clone(), strict: false, take, refused: String::new() };
        assert!(follower.look());
        let before = live.get();
        for mistake in [rule("plugin.raed"), "[".to_owned(), "[{ allow: [plugin.read] }]".to_owned()] {
            write("policy.yaml", &mistake);
            assert!(!follower.look(), "{mistake}");
            assert_eq!(live.get(), before, "{mistake}");
        }
        write("policy.yaml", &rule("plugin.run"));
        assert!(follower.look());
        assert_eq!(*live.get(), policy());
        assert_ne!(live.get(), before);
    }
}
