//! Who decides which requests may be made.

use http::Method;
use url::Url;

/// How far a permitted request may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only: the origin was permitted by a wildcard.
    Public,
    /// Private and loopback addresses too: the origin was named exactly, in configuration or in a grant.
    ///
    /// Link-local, metadata, unspecified, multicast and reserved addresses stay out of reach.
    Named,
}

/// Asked for the first request and again for every redirect.
pub trait Policy: Send + Sync {
    /// Permits the request and says how far it may reach, or refuses it.
    ///
    /// The URL is http or https, without userinfo, and its host carries no trailing dot.
    fn check(&self, method: &Method, url: &Url) -> Result<Reach, Refused>;
}

/// Permits one origin, which the configuration names: private and loopback addresses may be behind it.
#[derive(Clone, Debug)]
pub struct OnlyOrigin(Url);

impl OnlyOrigin {
    /// The origin of a URL.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(url.clone())
    }
}

impl Policy for OnlyOrigin {
    fn check(&self, _: &Method, url: &Url) -> Result<Reach, Refused> {
        if url.origin() == self.0.origin() {
            return Ok(Reach::Named);
        }
        let own = self.0.origin().ascii_serialization();
        Err(Refused::new(format!("{own} leads elsewhere, to {}", url.origin().ascii_serialization()))
            .with_fix("name the place where it really is"))
    }
}

/// Why a policy refused a request, and what would permit it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was refused and by which rule, as a sentence without a full stop.
    pub message: String,
    /// The line that would permit it, with the place where it belongs.
    pub fix: Option<String>,
}

impl Refused {
    /// A refusal that nothing can lift.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), fix: None }
    }

    /// Names the line to add.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.fix {
            Some(fix) => write!(f, "{}; {fix}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Refused {}
