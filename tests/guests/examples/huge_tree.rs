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

/// As small as a node gets.
fn tree() -> String {
    let nodes = r#"{"type":"text","text":""},"#.repeat(1_000_000);
    format!(r#"{{"root":{{"type":"stack","children":[{}]}}}}"#, nodes.trim_end_matches(','))
}
