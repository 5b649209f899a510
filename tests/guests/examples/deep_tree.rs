//! Renders a tree of 100,000 levels. It goes around the SDK's trait, whose types would not allow it.

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

    callboard_sdk::__manifest!("examples/deep_tree.yaml");
    callboard_sdk::bindings::ui::export_ui!(Hostile with_types_in callboard_sdk::bindings::ui);
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn() -> String = tree;

/// As text, since our own writer would not get that deep either.
fn tree() -> String {
    const DEPTH: usize = 100_000;
    let open = r#"{"type":"stack","children":["#.repeat(DEPTH);
    format!(r#"{{"root":{open}{{"type":"text","text":"x"}}{}}}"#, "]}".repeat(DEPTH))
}
