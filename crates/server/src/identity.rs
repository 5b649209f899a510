//! Who is asking, and what they may do.

pub mod directory;
pub mod origin;
pub mod permission;
pub mod policy;
pub mod principal;
pub mod push;
pub mod session;

pub use directory::Directory;
pub use permission::Permission;
pub use policy::Policy;
pub use principal::{Principal, User};
pub use push::PushTokens;
pub use session::Sessions;
