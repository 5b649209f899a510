//! Calls the host without end.

use callboard_sdk::{Error, kv};

callboard_guests::hostile!("examples/host_call_flood.yaml", attack);

/// Each call is small; there is no end to them.
fn attack() -> Result<String, Error> {
    let mut number = 0_u64;
    loop {
        number += 1;
        callboard_sdk::log::debug("again");
        if kv::get(&format!("key {number}"))?.is_some() {
            return Ok("found what nobody kept".to_owned());
        }
    }
}
