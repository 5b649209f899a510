//! A guest reaches what it was granted and nothing else.

use anyhow::Result;
use callboard_tests::hostile::Hostile;
use serde_json::json;

use super::{finds, guest, is_refused};

#[tokio::test(flavor = "multi_thread")]
async fn another_origin() -> Result<()> {
    let upstream = Hostile::start().await?;
    let found = finds(guest("ungranted_origin"), json!({ "url": upstream.origin() })).await?;
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), 4, "{found}");
    for line in &lines {
        assert!(line.starts_with("Denied") || line.starts_with("Invalid"), "{line}");
    }
    assert!(lines[0].contains("GET https://not-granted.example"), "the line to add: {}", lines[0]);
    assert_eq!(upstream.requests(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method() -> Result<()> {
    let upstream = Hostile::start().await?;
    let found = finds(guest("ungranted_method"), json!({ "url": format!("{}/echo", upstream.origin()) })).await?;
    for line in found.lines() {
        assert!(line.starts_with("Denied"), "{line}");
    }
    assert_eq!(found.lines().count(), 6, "{found}");
    assert_eq!(upstream.requests(), []);
    Ok(())
}

/// The upstream is granted; what it redirects to is not, whether it is private, the cloud's metadata or a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_elsewhere() -> Result<()> {
    let upstream = Hostile::start().await?;
    let victim = Hostile::start().await?;
    let port = victim.origin().rsplit(':').next().unwrap_or_default().to_owned();
    for to in [
        format!("{}/echo", victim.origin()),
        format!("http://localhost:{port}/echo"),
        format!("http://[::ffff:127.0.0.1]:{port}/echo"),
        format!("http://2130706433:{port}/echo"),
        format!("http://0x7f.1:{port}/echo"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://[fd00::1]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ] {
        let url = format!("{}/redirect?to={to}", upstream.origin());
        let found = finds(guest("redirect_to_private"), json!({ "url": url })).await?;
        assert!(!found.starts_with("200"), "{to}: {found}");
        assert!(["Denied", "Invalid", "Unavailable"].iter().any(|case| found.starts_with(case)), "{to}: {found}");
    }
    assert_eq!(victim.requests(), []);
    assert!(upstream.requests().len() >= 10, "each time the granted part of the way was gone");
    Ok(())
}

/// The redirect within what is granted works, so the test above tests something.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_at_home() -> Result<()> {
    let upstream = Hostile::start().await?;
    let url = format!("{0}/redirect?to={0}/redirect", upstream.origin());
    let found = finds(guest("redirect_to_private"), json!({ "url": url })).await?;
    assert!(found.starts_with("200"), "{found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_files_are_no_imports() -> Result<()> {
    is_refused(guest("open_socket"), &["wasi:sockets"]).await?;
    is_refused(guest("read_env_and_files"), &["wasi:filesystem"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_that_was_not_declared() -> Result<()> {
    is_refused(guest("undeclared_import"), &["kv", "rights"]).await
}
