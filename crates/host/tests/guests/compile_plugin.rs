//! `callboard compile-plugin` for the host's own tests.

fn main() -> std::process::ExitCode {
    callboard_host::compile_plugin()
}
