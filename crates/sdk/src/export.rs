//! The macro that makes a crate a plugin.

/// Exports a plugin: `export!(entity_provider: MyType, ui: MyOtherType)`, in any subset.
///
/// The keys are the extension points, named as in WIT; each type implements the trait of that name. The text of
/// `plugin.yaml`, beside `Cargo.toml`, becomes the component's manifest. A manifest elsewhere is named first, relative
/// to `Cargo.toml`: `export!(manifest: "other/plugin.yaml", ui: MyType)`.
///
/// Outside of WebAssembly this exports nothing and only checks the types, so that a plugin's crate can be tested like
/// any other.
#[macro_export]
macro_rules! export {
    (manifest: $manifest:literal, $($point:ident : $type:ty),+ $(,)?) => {
        $crate::__manifest!($manifest);
        $($crate::__export_one!($point, $type);)+
    };
    ($($point:ident : $type:ty),+ $(,)?) => {
        $crate::export!(manifest: "plugin.yaml", $($point: $type),+);
    };
}

/// Puts the manifest into a custom section. A fixed-size array, since a section holds bytes and no pointers.
#[doc(hidden)]
#[macro_export]
macro_rules! __manifest {
    ($manifest:literal) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const TEXT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));
            #[used]
            #[unsafe(link_section = "callboard:manifest")]
            static MANIFEST: [u8; TEXT.len()] = *TEXT.first_chunk().unwrap();
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_one {
    (entity_processor, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::EntityProcessor<$type>;
            $crate::bindings::entity_processor::export_entity_processor!(
                Exported with_types_in $crate::bindings::entity_processor
            );
        };
        // Without the export nothing would use the type, and the compiler would call its functions dead.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::EntityProcessor>::process;
            _ = <$type as $crate::EntityProcessor>::process_all;
        };
    };
    (entity_provider, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::EntityProvider<$type>;
            $crate::bindings::entity_provider::export_entity_provider!(
                Exported with_types_in $crate::bindings::entity_provider
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::EntityProvider>::providers;
            _ = <$type as $crate::EntityProvider>::read;
        };
    };
    (event_subscriber, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::EventSubscriber<$type>;
            $crate::bindings::event_subscriber::export_event_subscriber!(
                Exported with_types_in $crate::bindings::event_subscriber
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::EventSubscriber>::on_event;
            _ = <$type as $crate::EventSubscriber>::on_events;
        };
    };
    (lifecycle, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::Lifecycle<$type>;
            $crate::bindings::lifecycle::export_lifecycle!(
                Exported with_types_in $crate::bindings::lifecycle
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::Lifecycle>::migrate;
            _ = <$type as $crate::Lifecycle>::check;
        };
    };
    (routes, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::Routes<$type>;
    $crate::bindings::routes::export_routes!(Exported with_types_in $crate::bindings::routes);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::Routes>::handle;
        };
    };
    (scaffolder_actions, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::ScaffolderActions<$type>;
            $crate::bindings::scaffolder_actions::export_scaffolder_actions!(
                Exported with_types_in $crate::bindings::scaffolder_actions
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::ScaffolderActions>::run;
        };
    };
    (ui, $type:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::Ui<$type>;
    $crate::bindings::ui::export_ui!(Exported with_types_in $crate::bindings::ui);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            _ = <$type as $crate::Ui>::render;
            _ = <$type as $crate::Ui>::act;
        };
    };
    ($other:ident, $type:ty) => {
        compile_error!(concat!(
            "there is no extension point `",
            stringify!($other),
            "`; there are `entity_processor`, `entity_provider`, `event_subscriber`, `lifecycle`, `routes`, \
             `scaffolder_actions` and `ui`"
        ));
    };
}
