//! Renders a tree of a million nodes. It goes around the SDK's trait, whose types would not allow it.

#[cfg(target_arch = "wasm32")]
mod plugin {
    use callboard_sdk::bindings::host::types;
    use callboard_sdk::bindings::ui::wit::Guest;

    struct Hostile;

    impl Guest for Hostile {
        fn render(_: types::Context, _: String, _: String) -> Result<String, types::Error> {
            Ok(super::tree())
        }

        fn act(_: types::Context, _: String, _: String, _: String) -> Result<String, types::Error> {
            Ok(super::tree())
        }
    }

    callboard_sdk::__manifest!("examples/huge_tree.yaml");
    callboard_sdk::bindings::ui::export_ui!(Hostile with_types_in callboard_sdk::bindings::ui);
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn() -> String = tree;

/// As small as a node gets, so that there are a million before the limit of what may cross at all.
fn tree() -> String {
    let mut tree = String::with_capacity(16 * 1024 * 1024);
    tree.push_str(r#"{"root":{"type":"stack","children":[{"type":"x"}"#);
    for _ in 1..1_000_000 {
        tree.push_str(r#",{"type":"x"}"#);
    }
    tree.push_str("]}}");
    tree
}
