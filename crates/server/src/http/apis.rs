//! `/api/apis`: "Try it out", sent by the server in the reader's place.

mod exchange;
mod servers;
mod try_it;

pub(crate) use exchange::{Allowed, RateLimit};
pub(crate) use try_it::routes;
