//! Every outgoing HTTP request of Callboard.
//!
//! Nothing else in the product opens a connection (the database's own is the exception), so the rules that matter are
//! kept here, once: a [`Policy`] is asked for each request and each redirect, every connection goes to an address that
//! was checked, credentials are attached after both and taken out of what comes back.
//!
//! ```no_run
//! use callboard_egress::{Egress, Policy, Reach, Refused, Request, Settings};
//! use http::Method;
//! use url::Url;
//!
//! struct OneHost;
//!
//! impl Policy for OneHost {
//!     fn check(&self, _method: &Method, url: &Url) -> Result<Reach, Refused> {
//!         match url.host_str() {
//!             Some("api.example.com") => Ok(Reach::Named),
//!             _ => Err(Refused::new("only api.example.com may be reached")),
//!         }
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let egress = Egress::new(Settings::default())?;
//! let request = Request::get("https://api.example.com/things".parse()?);
//! let response = egress.send(request, &OneHost).await?;
//! let body = response.body.collect(1 << 20).await?;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

pub mod address;
pub mod resolver;
pub mod settings;

mod aws;
mod body;
mod client;
mod credential;
mod egress;
mod error;
mod headers;
mod limits;
mod policy;
mod reader;
mod request;
mod revalidate;
mod scrub;
mod secret;
mod send;
pub mod tape;
mod target;
mod upload;

pub use self::{
    aws::S3Binding,
    body::Body,
    credential::{Credential, SetHeader},
    egress::Egress,
    error::Error,
    headers::{HeaderProfile, named_by_connection},
    limits::Limits,
    policy::{OnlyOrigin, Policy, Reach, Refused},
    reader::{
        Content, Found, FoundFile, Read, ReadError, ReadingPolicy, ResolveUrlError, Search, UrlPattern,
        UrlPatternError, UrlReader, Validator,
    },
    request::{Request, Response},
    revalidate::CacheScope,
    secret::Secret,
    settings::{
        AwsAccount, AwsAccounts, AwsS3Integration, HostPattern, Integrations, ReadingRule, Settings, SettingsError,
    },
    upload::{Cut, Upload},
};
