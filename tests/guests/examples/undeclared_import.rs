//! Uses a capability that its manifest does not declare.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/undeclared_import.yaml", attack);

/// `rights` in the manifest does not say `kv`.
fn attack() -> Result<String, Error> {
    callboard_sdk::kv::set("key", b"value")?;
    Ok("kept".to_owned())
}
