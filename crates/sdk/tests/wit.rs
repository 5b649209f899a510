//! The resolved text of `wit/`, held against `tests/wit-resolved.txt`: what plugins were built against must not change by
//! accident. After a change on purpose, run the test with `UPDATE_GOLDEN=1` and read the difference: within one semver
//! line, only functions of interfaces that the host provides may be added.

use std::path::Path;

use wit_component::WitPrinter;
use wit_parser::Resolve;

#[test]
fn resolved_text() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut resolve = Resolve::default();
    let mut text = String::new();
    for package in ["host", "plugin"] {
        let (id, _) = resolve.push_path(here.join("../../wit").join(package)).unwrap();
        let mut printer = WitPrinter::default();
        printer.emit_docs(false);
        printer.print(&resolve, id, &[]).unwrap();
        text.push_str(&String::from(printer.output));
        text.push('\n');
    }
    let golden = here.join("tests/wit-resolved.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(text, expected, "wit/ is not as in {}", golden.display());
}
