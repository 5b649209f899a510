//! Caps an instance's memory, and remembers that it did.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use crate::limits;
use crate::stats::Recorder;

/// The engine's own limits, which trap when they are met: a guest that is merely told "no" aborts without a word.
pub(super) struct MemoryGuard {
    limits: StoreLimits,
    /// The bytes that were asked for last.
    asked: usize,
    /// The bytes that were not given, if any were not.
    pub(super) refused: Option<usize>,
    /// The bytes that were given. A memory never shrinks, so it is the most, too.
    pub(super) held: usize,
    stats: Recorder,
}

impl MemoryGuard {
    pub(super) fn new(memory: usize, stats: Recorder) -> MemoryGuard {
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory)
            .memories(1)
            .table_elements(limits::TABLE_ELEMENTS)
            .trap_on_grow_failure(true)
            .build();
        MemoryGuard { limits, asked: 0, refused: None, held: 0, stats }
    }
}

impl Drop for MemoryGuard {
    fn drop(&mut self) {
        self.stats.memory_freed(self.held);
    }
}

impl ResourceLimiter for MemoryGuard {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.asked = desired;
        let allowed = self.limits.memory_growing(current, desired, maximum);
        if matches!(allowed, Ok(true)) {
            self.stats.memory_grew(desired.saturating_sub(self.held));
            self.held = desired.max(self.held);
        } else {
            self.refused = Some(desired);
        }
        allowed
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(self.asked);
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
        let statistics = crate::stats::Statistics::new("test");
        let mut guard = MemoryGuard::new(64 * 1024 * 1024, statistics.recorder("0.1.0", "sha256:"));
        assert!(guard.memory_growing(0, 64 * 1024 * 1024, None).unwrap());
        assert_eq!(guard.refused, None);
        assert!(guard.memory_growing(0, 64 * 1024 * 1024 + 65_536, None).is_err());
        assert_eq!(guard.refused, Some(64 * 1024 * 1024 + 65_536));
        assert_eq!(guard.memories(), 1);
        assert!(guard.table_growing(0, limits::TABLE_ELEMENTS + 1, None).is_err());
        assert_eq!(statistics.numbers().memory_in_use, 64 * 1024 * 1024);
        drop(guard);
        assert_eq!(statistics.numbers().memory_in_use, 0);
    }
}
