//! What handlers work with.

use std::sync::Arc;

use callboard_catalog::Catalog;
use callboard_egress::Egress;
use callboard_host::PluginHost;
use callboard_store::Outbox;
use url::Url;

use super::apis::{Allowed, RateLimit};
use super::proxy;
use super::remembered::Answers;
use crate::audit::AuditLog;
use crate::config::TrustedProxies;
use crate::identity::origin::Origins;
use crate::identity::{Directory, External, PersonalTokens, PushTokens, Sessions, SignIn, UserTokens};
use crate::metrics::Metrics;
use crate::plugins::Plugins;
use crate::policy::Live;
use crate::user_settings::UserSettings;

/// Shared by every request. Cheap to clone.
pub type App = Arc<Parts>;

/// What there is one of.
pub struct Parts {
    pub(crate) title: String,
    pub(crate) organization: Option<String>,
    /// Where browsers find the portal.
    pub(crate) base_url: Url,
    /// Whether browsers reach the portal by TLS.
    pub(crate) is_https: bool,
    /// Who may say which address a request comes from.
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) catalog: Catalog,
    pub(crate) answers: Answers,
    pub(crate) plugins: Plugins,
    pub(crate) host: PluginHost,
    pub(crate) metrics: Metrics,
    pub(crate) egress: Egress,
    pub(crate) outbox: Outbox,
    pub(crate) policy: Live,
    pub(crate) external: External,
    pub(crate) personal_tokens: PersonalTokens,
    pub(crate) push_tokens: PushTokens,
    pub(crate) user_tokens: UserTokens,
    pub(crate) sessions: Sessions,
    pub(crate) audit: AuditLog,
    pub(crate) user_settings: UserSettings,
    pub(crate) directory: Directory,
    pub(crate) sign_in: SignIn,
    pub(crate) origins: Origins,
    pub(crate) proxy: proxy::Live,
    pub(crate) try_allow: Vec<Allowed>,
    pub(crate) try_rate: RateLimit,
}
