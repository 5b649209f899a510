//! Hands over 20 MiB at once.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/giant_output.yaml", attack);

/// More than may cross the boundary, less than fits into the guest's memory.
fn attack() -> Result<String, Error> {
    Ok("x".repeat(20 * 1024 * 1024))
}
