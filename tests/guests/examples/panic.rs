//! Panics.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/panic.yaml", attack);

#[expect(clippy::panic, reason = "that is the attack")]
fn attack() -> Result<String, Error> {
    panic!("the guest says no");
}
