//! Keeps more than it may.

use callboard_sdk::{Error, kv};

callboard_guests::hostile!("examples/kv_flood.yaml", attack);

/// A value after the other, until one is refused. Then the smallest one: what is full is full.
fn attack() -> Result<String, Error> {
    let value = vec![b'x'; 1024 * 1024];
    for number in 0..1_000 {
        if let Err(error) = kv::set(&format!("{number:04}"), &value) {
            let small = kv::set("small", b"x");
            return Ok(format!("{number} values of 1 MiB, then {error:?}; 1 byte: {:?}", small.is_ok()));
        }
    }
    Ok("there is no end".to_owned())
}
