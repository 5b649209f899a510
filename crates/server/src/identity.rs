//! Who is asking.

pub mod credential;
pub mod directory;
pub mod origin;
pub mod principal;
pub mod session;
pub mod token;

pub use credential::Credential;
pub use directory::Directory;
pub use principal::{Principal, Service, User};
pub use session::Sessions;
pub use token::{External, PersonalTokens, PushTokens, UserTokens};
