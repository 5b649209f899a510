//! Renders whatever tree stands in an annotation of the entity, word for word, and answers each action with what the
//! action carried. It goes around the SDK's trait, whose types would not allow most of it.

#[cfg(target_arch = "wasm32")]
mod plugin {
    use callboard_sdk::bindings::host::types;
    use callboard_sdk::bindings::ui::wit::Guest;

    struct Hostile;

    impl Guest for Hostile {
        fn render(_: types::Context, _: String, input: String) -> Result<String, types::Error> {
            super::annotation(&input, "example.com/tree").map_err(types::Error::Invalid)
        }

        fn act(_: types::Context, _: String, _: String, input: String) -> Result<String, types::Error> {
            super::annotation(&input, "example.com/outcome").map_err(types::Error::Invalid)
        }
    }

    callboard_sdk::__manifest!("examples/raw_tree.yaml");
    callboard_sdk::bindings::ui::export_ui!(Hostile with_types_in callboard_sdk::bindings::ui);
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn(&str, &str) -> Result<String, String> = annotation;

fn annotation(input: &str, name: &str) -> Result<String, String> {
    let input: serde_json::Value = serde_json::from_str(input).map_err(|error| error.to_string())?;
    let annotations = input.pointer("/entity/metadata/annotations");
    let text = annotations.and_then(|annotations| annotations.get(name)?.as_str());
    text.map(str::to_owned).ok_or_else(|| format!("the entity has no annotation {name}"))
}
