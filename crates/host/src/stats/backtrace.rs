//! Where a guest trapped, in the words of whoever wrote it.

use callboard_model::api::BacktraceFrame;
use wasmtime::{FrameInfo, WasmBacktrace};

use crate::call::output;
use crate::limits::{BACKTRACE_NAME_BYTES, BACKTRACE_NAME_CHARACTERS};

/// The functions that were under way, the innermost first; none where the error is not from within the guest. The
/// engine is told how many frames it collects.
pub(crate) fn frames(error: &wasmtime::Error) -> Vec<BacktraceFrame> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    backtrace.frames().iter().map(frame).collect()
}

fn frame(frame: &FrameInfo) -> BacktraceFrame {
    let function = match frame.func_name() {
        Some(name) => readable(name),
        None => format!("<function {}>", frame.func_index()),
    };
    BacktraceFrame { function, offset: frame.module_offset().and_then(|offset| u64::try_from(offset).ok()) }
}

/// A name comes from the component, and a short one can stand for a very long one: what is too long to be anybody's own
/// is shown as it is, and cut.
fn readable(name: &str) -> String {
    let readable = match rustc_demangle::try_demangle(name) {
        // Without the hash at its end, which says nothing to people.
        Ok(demangled) if name.len() <= BACKTRACE_NAME_BYTES => format!("{demangled:#}"),
        _ => name.to_owned(),
    };
    output::clean(&readable, BACKTRACE_NAME_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, expected: &str| assert_eq!(readable(name), expected);
        check("_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "core::panicking::panic_fmt");
        check("plain", "plain");
        check("two\nlines\u{1b}[31m", "two lines\u{fffd}[31m");
        let long = format!("_ZN{}E", "4name".repeat(1_000));
        let shown = readable(&long);
        assert!(shown.starts_with("_ZN4name") && shown.chars().count() == BACKTRACE_NAME_CHARACTERS + 1, "{shown}");
    }
}
