//! The guest's side of the WIT packages: one `generate!` for what a plugin imports, one for each extension point. The
//! description of an extension point's world is in its export macro, so a component exports only what is named in
//! [`export!`](crate::export), and imports only what it uses.
#![allow(missing_docs, reason = "generated; what is for authors is re-exported with documentation")]

pub mod host {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:host/capabilities",
        generate_all,
    });

    pub use callboard::host::{catalog, config, http, kv, log, types, workspace};
}

/// The module of one extension point, whose world has what is in `with` beside what all have.
macro_rules! extension_point {
    ($module:ident, $world:literal, $export:literal, $path:literal $(, with: $more:literal = $more_module:ident)?) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: ["../../wit/host", "../../wit/plugin"],
                world: $world,
                with: {
                    "callboard:host/types@0.1.0": crate::bindings::host::types,
                    "callboard:host/log@0.1.0": crate::bindings::host::log,
                    "callboard:host/config@0.1.0": crate::bindings::host::config,
                    "callboard:host/http@0.1.0": crate::bindings::host::http,
                    "callboard:host/kv@0.1.0": crate::bindings::host::kv,
                    "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
                    $($more: crate::bindings::host::$more_module,)?
                },
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $path,
            });

            pub use exports::callboard::plugin::$module as wit;
        }
    };
}

extension_point!(
    entity_processor,
    "callboard:plugin/entity-processor-plugin",
    "export_entity_processor",
    "callboard_sdk::bindings::entity_processor"
);
extension_point!(
    entity_provider,
    "callboard:plugin/entity-provider-plugin",
    "export_entity_provider",
    "callboard_sdk::bindings::entity_provider"
);
extension_point!(
    event_subscriber,
    "callboard:plugin/event-subscriber-plugin",
    "export_event_subscriber",
    "callboard_sdk::bindings::event_subscriber"
);
extension_point!(
    lifecycle,
    "callboard:plugin/lifecycle-plugin",
    "export_lifecycle",
    "callboard_sdk::bindings::lifecycle"
);
extension_point!(routes, "callboard:plugin/routes-plugin", "export_routes", "callboard_sdk::bindings::routes");
extension_point!(
    scaffolder_actions,
    "callboard:plugin/scaffolder-actions-plugin",
    "export_scaffolder_actions",
    "callboard_sdk::bindings::scaffolder_actions", with: "callboard:host/workspace@0.1.0" = workspace
);
extension_point!(ui, "callboard:plugin/ui-plugin", "export_ui", "callboard_sdk::bindings::ui");
