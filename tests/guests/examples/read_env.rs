//! Reads variables, arguments and input.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/read_env.yaml", attack);

/// All of this may be imported, and there must be nothing in it.
fn attack() -> Result<String, Error> {
    let variables: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    let arguments: Vec<String> = std::env::args().collect();
    let mut input = String::new();
    let read = std::io::stdin().read_line(&mut input);
    Ok(format!("variables {variables:?}, arguments {arguments:?}, input {input:?} {read:?}"))
}
