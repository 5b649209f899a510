//! Hands over 20 MiB at once. It goes around the SDK, whose own copies would not fit into its memory.

#[cfg(target_arch = "wasm32")]
mod plugin {
    use callboard_sdk::bindings::entity_provider::wit as provider;
    use callboard_sdk::bindings::host::types;
    use callboard_sdk::bindings::ui::wit as ui;

    struct Hostile;

    impl ui::Guest for Hostile {
        fn render(_: types::Context, _: String, _: String) -> Result<String, types::Error> {
            Ok(super::giant())
        }

        fn act(_: types::Context, _: String, _: String, _: String) -> Result<String, types::Error> {
            Ok(super::giant())
        }
    }

    impl provider::Guest for Hostile {
        fn providers(_: types::Context) -> Result<Vec<provider::Provider>, types::Error> {
            let schedule = r#"{"frequency":{"hours":24},"timeout":{"minutes":2}}"#.to_owned();
            Ok(vec![provider::Provider { name: "giant-output".to_owned(), schedule }])
        }

        fn read(_: types::Context, _: String, _: Option<String>) -> Result<provider::Page, types::Error> {
            let (mode, again) = (provider::Mode::Full, provider::Again::Scheduled);
            Ok(provider::Page { items: super::giant(), next: None, mode, again })
        }
    }

    callboard_sdk::__manifest!("examples/giant_output.yaml");
    callboard_sdk::bindings::ui::export_ui!(Hostile with_types_in callboard_sdk::bindings::ui);
    callboard_sdk::bindings::entity_provider::export_entity_provider!(
        Hostile with_types_in callboard_sdk::bindings::entity_provider
    );
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn() -> String = giant;

/// More than may cross the boundary, less than fits into the guest's memory.
fn giant() -> String {
    "x".repeat(20 * 1024 * 1024)
}
