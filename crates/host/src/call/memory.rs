//! Caps an instance's memory, and remembers that it did.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use crate::limits;

/// The engine's own limits, which trap when they are met: a guest that is merely told "no" aborts without a word.
pub(super) struct MemoryGuard {
    limits: StoreLimits,
    pub(super) refused: bool,
}

impl MemoryGuard {
    pub(super) fn new(memory: usize) -> MemoryGuard {
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory)
            .memories(1)
            .table_elements(limits::TABLE_ELEMENTS)
            .trap_on_grow_failure(true)
            .build();
        MemoryGuard { limits, refused: false }
    }
}

impl ResourceLimiter for MemoryGuard {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = self.limits.memory_growing(current, desired, maximum);
        self.refused |= !matches!(allowed, Ok(true));
        allowed
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_past_the_limit_is_an_error_and_remembered() {
        let mut guard = MemoryGuard::new(64 * 1024 * 1024);
        assert!(guard.memory_growing(0, 64 * 1024 * 1024, None).unwrap());
        assert!(!guard.refused);
        assert!(guard.memory_growing(0, 64 * 1024 * 1024 + 65_536, None).is_err());
        assert!(guard.refused);
        assert_eq!(guard.memories(), 1);
        assert!(guard.table_growing(0, limits::TABLE_ELEMENTS + 1, None).is_err());
    }
}
