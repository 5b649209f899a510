//! The WebAssembly engine, configured for code that nobody vouches for.

use std::num::NonZeroUsize;
use std::sync::Arc;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy, WasmBacktraceDetails,
    WasmFeatures,
};

use crate::error::HostError;
use crate::limits;
use crate::ticker::Ticker;

/// Parts of WebAssembly that no plugin needs. Each is code of the engine that a plugin could otherwise reach, and each
/// had its share of the engine's past vulnerabilities.
const SWITCHED_OFF: WasmFeatures = WasmFeatures::GC
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_GC)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM64)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS);

/// Builds the engine, and what keeps the time of what runs in it.
pub(crate) fn start() -> Result<(Engine, Arc<Ticker>), HostError> {
    let engine = Engine::new(&config()).map_err(|error| HostError::Engine(format!("{error:#}")))?;
    let ticker = Ticker::start(engine.weak())?;
    Ok((engine, ticker))
}

/// An engine that compiles and runs nothing: the same code comes out of it, and no slots are reserved for instances.
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    Engine::new(&compiling())
}

fn config() -> Config {
    let mut config = compiling();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    config
}

/// All that compiled code depends on.
fn compiling() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .epoch_interruption(true)
        .concurrency_support(false)
        .shared_memory(false)
        .wasm_features(SWITCHED_OFF, false)
        .wasm_component_model(true)
        // The names of functions are enough. Lines would be of debugging information, which is the component's word and
        // a format that is hard to read safely.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(limits::BACKTRACE_FRAMES));
    config
}

/// Slots for every instance that may run at a time. A slot is zeroed before it is used again: where the system can tell which
/// pages were written, by writing zeros over them, so that the next instance finds them there; else by giving them back.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits::INSTANCES)
        .total_core_instances(limits::INSTANCES * CORE_INSTANCES)
        .total_memories(limits::INSTANCES)
        .total_tables(limits::INSTANCES * TABLES)
        .total_stacks(limits::INSTANCES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(1)
        .max_memories_per_module(1)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(limits::TABLE_ELEMENTS)
        .max_memory_size(limits::MEMORY_CEILING)
        .max_unused_warm_slots(limits::WARM_INSTANCES);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(limits::WARM_BYTES);
    }
    pool
}

/// What the toolchain makes of one Rust crate: the module, a shim for its imports and a fix-up.
const CORE_INSTANCES: u32 = 16;
/// The module's own and the shim's.
const TABLES: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_plugin_needs_is_off() {
        let engine = Engine::new(&config()).unwrap();
        let features = engine.get_wasm_features();
        for (name, feature) in SWITCHED_OFF.iter_names() {
            assert!(!features.contains(feature), "{name} is on");
        }
        assert!(features.contains(WasmFeatures::COMPONENT_MODEL));
        assert!(!engine.get_concurrency_support(), "the async component ABI is off");
        assert!(!engine.get_shared_memory());
    }

    #[test]
    fn what_the_compiler_makes_is_what_the_engine_takes() {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let hash = |engine: &Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&for_compiling().unwrap()), hash(&Engine::new(&config()).unwrap()));
    }

    #[test]
    fn guests_can_be_interrupted() {
        let engine = Engine::new(&config()).unwrap();
        assert!(engine.get_epoch_interruption());
        assert!(engine.get_max_wasm_stack() <= 512 * 1024);
        assert_eq!(engine.get_strategy(), Some(Strategy::Cranelift));
    }

    #[test]
    fn instances_come_from_a_bounded_pool() {
        let engine = Engine::new(&config()).unwrap();
        let pool = engine.get_pooling_config().expect("a pool");
        assert_eq!(pool.get_total_component_instances(), limits::INSTANCES);
        assert_eq!(pool.get_total_memories(), limits::INSTANCES);
        assert_eq!(pool.get_total_stacks(), limits::INSTANCES);
        assert_eq!(pool.get_max_memory_size(), limits::MEMORY_CEILING);
        assert_eq!(pool.get_max_memories_per_component(), 1);
        assert_eq!(pool.get_table_elements(), limits::TABLE_ELEMENTS);
        // What stays of an instance are pages of zeros, and few of them: see `nothing_of_an_instance_is_left`.
        let (warm, scans) = (pool.get_memory_keep_resident(), PoolingAllocationConfig::is_pagemap_scan_available());
        assert_eq!(warm, if scans { limits::WARM_BYTES } else { 0 });
        assert_eq!(pool.get_max_unused_warm_slots(), limits::WARM_INSTANCES);
        assert_eq!(pool.get_table_keep_resident(), 0);
    }

    #[test]
    fn the_epoch_advances_while_something_runs_and_ends_with_the_engine() {
        let (engine, ticker) = start().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let endless = wat::parse_str(r#"(module (func (export "run") (loop (br 0))))"#).unwrap();
        let module = wasmtime::Module::new(&engine, endless).unwrap();
        for _ in 0..2 {
            let _ticking = ticker.begin();
            let mut store = wasmtime::Store::new(&engine, ());
            store.set_epoch_deadline(2);
            let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
            assert!(run.call(&mut store, ()).unwrap_err().is::<wasmtime::Trap>());
        }
        let weak = engine.weak();
        drop((module, engine));
        while weak.upgrade().is_some() {
            assert!(std::time::Instant::now() < until, "the thread keeps the engine");
            std::thread::yield_now();
        }
    }
}
