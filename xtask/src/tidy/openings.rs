//! Invariant 5: nothing but egress opens an outgoing connection. Invariant 6: the bundled plugins are like any other.

use super::Finding;
use super::source::{Tree, code_lines, without_tests};

/// Ways to open one.
const CONNECTS: &[&str] = &[
    "TcpStream::connect",
    "TcpSocket::new",
    "UdpSocket::bind",
    "UnixStream::connect",
    "connect_timeout(",
    "lookup_host(",
    "to_socket_addrs(",
    "reqwest::",
    "hyper_util::client",
    "hyper::client",
];

/// Who may, and why.
const MAY_CONNECT: &[(&str, &str)] = &[
    ("crates/egress/", "it is what egress is for"),
    ("tests/", "tests are clients of the portal"),
    ("xtask/", "it asks the portal that it started whether it is ready"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        if MAY_CONNECT.iter().any(|(folder, _)| path.starts_with(folder)) || path.contains("/tests/") {
            continue;
        }
        for (number, line) in code_lines(without_tests(text)) {
            for way in CONNECTS.iter().filter(|way| line.contains(**way)) {
                findings.push(Finding::new(
                    format!("{path}:{number}"),
                    format!("`{way}` opens a connection, which only egress may"),
                ));
            }
        }
    }
    findings
}

/// No crate of the product knows a bundled plugin by its id or its package: what it may do is in its grant.
pub(crate) fn check_plugins(tree: &Tree) -> Vec<Finding> {
    let mut ids: Vec<&str> = tree
        .below("plugins/")
        .filter_map(|(path, _)| path.strip_prefix("plugins/")?.strip_suffix("/Cargo.toml"))
        .filter(|id| !id.contains('/'))
        .collect();
    ids.dedup();
    let mut findings = Vec::new();
    for (path, text) in tree.below("crates/").filter(|(path, _)| path.ends_with(".rs") && !path.contains("/tests/")) {
        for (number, line) in code_lines(without_tests(text)) {
            for id in &ids {
                let special = [
                    format!("callboard_plugin_{}", id.replace('-', "_")),
                    format!("== \"{id}\""),
                    format!("!= \"{id}\""),
                ];
                // `service == "s3"` is about AWS's service of that name, which any plugin may sign for.
                if special.iter().any(|text| line.contains(text)) && !line.contains("service") {
                    findings.push(Finding::new(
                        format!("{path}:{number}"),
                        format!(
                            "knows the plugin {id}: a bundled plugin has no right that another could not be granted"
                        ),
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_outside_egress_is_found() {
        let connect = "fn f() {\n    let s = tokio::net::TcpStream::connect(a).await;\n}";
        for (path, text, found) in [
            ("crates/catalog/src/a.rs", connect, true),
            ("frontend/src/a.rs", "use reqwest::Client;", true),
            ("crates/egress/src/a.rs", connect, false),
            ("tests/src/a.rs", connect, false),
            ("crates/catalog/src/a.rs", "// TcpStream::connect is for egress", false),
            ("crates/catalog/src/a.rs", "#[cfg(test)]\nmod tests { TcpStream::connect }", false),
        ] {
            assert_eq!(!check(&Tree::of(&[(path, text)])).is_empty(), found, "{path}: {text}");
        }
        assert_eq!(check(&Tree::of(&[("crates/store/src/a.rs", connect)]))[0].place, "crates/store/src/a.rs:2");
    }

    #[test]
    fn a_plugin_with_privileges_is_found() {
        let manifest = ("plugins/s3/Cargo.toml", "");
        for (path, text, found) in [
            ("crates/host/src/a.rs", "if plugin.id == \"s3\" {", true),
            ("crates/server/src/a.rs", "use callboard_plugin_s3::Provider;", true),
            ("crates/host/src/a.rs", "if credential.service == \"s3\" {", false),
            ("plugins/s3/src/lib.rs", "const ID: &str = \"s3\";", false),
        ] {
            assert_eq!(!check_plugins(&Tree::of(&[manifest, (path, text)])).is_empty(), found, "{path}: {text}");
        }
    }
}
