//! Who is asking.

pub mod clock;
pub mod credential;
pub mod directory;
pub mod origin;
pub mod person;
pub mod principal;
pub mod session;
pub mod sign_in;
pub mod token;

pub use clock::Clock;
pub use credential::Credential;
pub use directory::Directory;
pub use person::Person;
pub use principal::{Principal, Service, User};
pub use session::Sessions;
pub use sign_in::SignIn;
pub use token::{External, PersonalTokens, PushTokens, UserTokens};
