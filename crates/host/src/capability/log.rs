//! `callboard:host/log`: lines for the operator.

use crate::bindings::log::{Host, Level};
use crate::call::CallState;

impl Host for CallState {
    async fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.plugin.stats.host_call("log.log");
        self.log.line(level, &message);
        Ok(())
    }
}
