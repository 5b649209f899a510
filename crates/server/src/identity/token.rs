//! The tokens that programs send as `Authorization: Bearer`.

pub mod external;
pub mod personal;
pub mod push;
mod secret;
pub mod user;

pub use external::External;
pub use personal::PersonalTokens;
pub use push::PushTokens;
pub use user::UserTokens;
