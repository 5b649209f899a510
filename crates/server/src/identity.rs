//! Who is asking.

pub mod credential;
pub mod directory;
pub mod origin;
pub mod principal;
pub mod push;
pub mod session;

pub use credential::Credential;
pub use directory::Directory;
pub use principal::{Principal, Service, User};
pub use push::PushTokens;
pub use session::Sessions;
