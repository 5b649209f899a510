//! Looks for what other plugins keep.

use callboard_sdk::{Error, kv};

callboard_guests::hostile!("examples/other_plugin_kv.yaml", attack);

/// Says which keys it sees and what it reads under names that would reach elsewhere if they were paths.
fn attack() -> Result<String, Error> {
    let mut seen = vec![format!("all: {:?}", kv::keys("", None))];
    for key in
        ["secret", "victim/secret", "../victim/secret", "victim\0secret", "victim:secret", "%", "' OR 1=1 --", ""]
    {
        seen.push(format!("{key:?}: {:?}", kv::get(key)));
    }
    for key in ["victim/secret", "../victim/secret", "victim\0secret"] {
        seen.push(format!("set {key:?}: {:?}", kv::set(key, b"overwritten")));
    }
    seen.push(format!("long: {:?}", kv::set(&"k".repeat(1024 * 1024), b"")));
    seen.push(format!("large: {:?}", kv::set("large", &vec![0; 2 * 1024 * 1024])));
    Ok(seen.join("\n"))
}
