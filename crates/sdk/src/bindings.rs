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

pub mod entity_processor {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/entity-processor-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_entity_processor",
        default_bindings_module: "callboard_sdk::bindings::entity_processor",
    });

    pub use exports::callboard::plugin::entity_processor as wit;
}

pub mod entity_provider {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/entity-provider-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_entity_provider",
        default_bindings_module: "callboard_sdk::bindings::entity_provider",
    });

    pub use exports::callboard::plugin::entity_provider as wit;
}

pub mod event_subscriber {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/event-subscriber-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_event_subscriber",
        default_bindings_module: "callboard_sdk::bindings::event_subscriber",
    });

    pub use exports::callboard::plugin::event_subscriber as wit;
}

pub mod lifecycle {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/lifecycle-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
        default_bindings_module: "callboard_sdk::bindings::lifecycle",
    });

    pub use exports::callboard::plugin::lifecycle as wit;
}

pub mod routes {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/routes-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_routes",
        default_bindings_module: "callboard_sdk::bindings::routes",
    });

    pub use exports::callboard::plugin::routes as wit;
}

pub mod scaffolder_actions {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/scaffolder-actions-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
            "callboard:host/workspace@0.1.0": crate::bindings::host::workspace,
        },
        pub_export_macro: true,
        export_macro_name: "export_scaffolder_actions",
        default_bindings_module: "callboard_sdk::bindings::scaffolder_actions",
    });

    pub use exports::callboard::plugin::scaffolder_actions as wit;
}

pub mod ui {
    wit_bindgen::generate!({
        path: ["../../wit/host", "../../wit/plugin"],
        world: "callboard:plugin/ui-plugin",
        with: {
            "callboard:host/types@0.1.0": crate::bindings::host::types,
            "callboard:host/log@0.1.0": crate::bindings::host::log,
            "callboard:host/config@0.1.0": crate::bindings::host::config,
            "callboard:host/http@0.1.0": crate::bindings::host::http,
            "callboard:host/kv@0.1.0": crate::bindings::host::kv,
            "callboard:host/catalog@0.1.0": crate::bindings::host::catalog,
        },
        pub_export_macro: true,
        export_macro_name: "export_ui",
        default_bindings_module: "callboard_sdk::bindings::ui",
    });

    pub use exports::callboard::plugin::ui as wit;
}
