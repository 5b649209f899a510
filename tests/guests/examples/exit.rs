//! Calls exit.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/exit.yaml", attack);

/// Were the process the portal's, the portal would be gone.
fn attack() -> Result<String, Error> {
    std::process::exit(3);
}
