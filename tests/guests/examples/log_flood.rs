//! Writes more log than anybody reads.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/log_flood.yaml", attack);

/// A MiB of lines on each of the three ways, of which 64 KiB are kept.
fn attack() -> Result<String, Error> {
    let line = "x".repeat(1024);
    for _ in 0..1024 {
        callboard_sdk::log::info(&line);
        write(&line);
    }
    Ok("flooded".to_owned())
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "that is the attack")]
fn write(line: &str) {
    println!("{line}");
    eprintln!("{line}");
}
