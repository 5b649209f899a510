//! Lines for the operator (`callboard:host/log`), kept with the plugin's name. At most 64 KiB a call.

use crate::bindings::host::log::{self, Level};

/// What only somebody who looks for a fault wants to know.
pub fn debug(message: &str) {
    log::log(Level::Debug, message);
}

/// What happened.
pub fn info(message: &str) {
    log::log(Level::Info, message);
}

/// What somebody should look at some time.
pub fn warn(message: &str) {
    log::log(Level::Warn, message);
}

/// What does not work.
pub fn error(message: &str) {
    log::log(Level::Error, message);
}
