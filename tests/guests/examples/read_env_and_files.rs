//! Reads variables and files.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/read_env_and_files.yaml", attack);

/// Whatever uses `std::fs` imports `wasi:filesystem`, and a plugin with that import is refused.
fn attack() -> Result<String, Error> {
    let variables: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    let files =
        ["/etc/passwd", "app-config.yaml", "/proc/self/environ"].map(|path| format!("{:?}", std::fs::read(path)));
    Ok(format!("{variables:?} {files:?}"))
}
