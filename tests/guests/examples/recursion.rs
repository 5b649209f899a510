//! Calls itself without end.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/recursion.yaml", attack);

/// The compiler must not make a loop of it, so each level needs what the level below it says.
#[expect(unconditional_recursion, reason = "that is the attack")]
fn descend(depth: u64) -> u64 {
    let here = std::hint::black_box(depth);
    descend(here + 1) ^ std::hint::black_box(here)
}

fn attack() -> Result<String, Error> {
    Ok(descend(0).to_string())
}
