//! Plugins and portals of different ages: every combination of what may have changed between them, told before anything
//! is compiled, linked or run.

use std::path::Path;

use callboard_guests::made::{append_section, manifest};
use callboard_host::{Interfaces, Limits, LoadReason, inspect};
use semver::Version;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::fixture::{Fixture, attack, root};

/// How the WIT packages differ from the ones of this portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    /// The next minor version, with nothing new in it.
    Minor,
    /// The next minor version, in which the portal offers one function more.
    ImportGained,
    /// The next minor version, in which plugins have one function more to offer.
    ExportGained,
    /// The next minor version, with one kind of error more.
    VariantGained,
    /// The next major version. Below 1.0 that is the middle number.
    Major,
}
use Change::{ExportGained, ImportGained, Major, Minor, VariantGained};

const NONE: Change = Change::None;

fn current() -> Version {
    Interfaces::of_this_portal().expect("wit/interfaces.json").host.clone()
}

fn version(change: Change) -> Version {
    let Version { major, minor, patch, .. } = current();
    match change {
        Change::None => current(),
        Major if major == 0 => Version::new(0, minor + 1, 0),
        Major => Version::new(major + 1, 0, 0),
        // Below 1.0, the last number is the one that changes nothing.
        _ if major == 0 => Version::new(0, minor, patch + 1),
        _ => Version::new(major, minor + 1, 0),
    }
}

/// A component that imports and exports all of a world of `wit/`, changed.
fn component(change: Change, world: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut changed = change == Change::None || change == Minor || change == Major;
    let mut resolve = Resolve::default();
    let mut package = None;
    for name in ["host", "plugin"] {
        let (from, to) = (root().join("wit").join(name), folder.path().join(name));
        std::fs::create_dir(&to).expect("a folder");
        for entry in std::fs::read_dir(&from).expect("wit/") {
            let file = entry.expect("wit/").path();
            let text = std::fs::read_to_string(&file).expect("WIT");
            let text = text.replace(&format!("@{}", current()), &format!("@{}", version(change)));
            let (before, after) = match change {
                ImportGained => {
                    ("    delete: func(key: string)", "    count: func() -> u32;\n    delete: func(key: string)")
                }
                ExportGained => ("    act: func(", "    describe: func(context: context) -> json;\n    act: func("),
                VariantGained => ("        throttled(string),", "        throttled(string),\n        expired(string),"),
                Change::None | Minor | Major => ("", ""),
            };
            let is_here = !before.is_empty() && text.contains(before);
            changed |= is_here;
            let text = if is_here { text.replacen(before, after, 1) } else { text };
            std::fs::write(to.join(file.file_name().expect("a name")), text).expect("a file");
        }
        package = Some(resolve.push_dir(&to).expect("WIT").0);
    }
    assert!(changed, "{change:?}: what is to be changed is not there");
    let world = resolve.select_world(&[package.expect("a package")], Some(world)).expect("the world");
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    ComponentEncoder::default().module(&module).expect("a module").encode().expect("a component")
}

/// A portal of another version.
fn portal(change: Change) -> Interfaces {
    Interfaces::of_component(&component(change, "extension-points")).expect("interfaces")
}

/// A plugin that was built with another version, and says that it needs `needs`.
fn plugin(change: Change, needs: &Version) -> Vec<u8> {
    let mut wasm = component(change, "ui-plugin");
    let text = manifest(
        "of_another_age",
        "rights: { log: true, kv: true, config: [ a ], http: [ 'GET https://a.example' ], catalog: { kinds: [ API ] } }\n\
         configSchema: { a: { type: string } }\n\
         contributes: { ui: [{ id: attack, at: page, title: Attack }] }\n",
    );
    let text = text.replace("host: ^0.1, plugin: ^0.1", &format!("host: ^{needs}, plugin: ^{needs}"));
    append_section(&mut wasm, "callboard:manifest", text.as_bytes());
    wasm
}

const PORTALS: [Change; 5] = [NONE, ImportGained, ExportGained, VariantGained, Major];
const PLUGIN: &str = "upgrade the plugin";
const PORTAL: &str = "upgrade the portal";

/// None where it loads; otherwise the side to upgrade, and what the message names.
type Verdict = Option<(&'static str, &'static str)>;

/// The rows are plugins, the columns portals; what is there is the side to upgrade, and what the message names.
const TABLE: [(Change, [Verdict; 5]); 6] = [
    (NONE, [None, None, Some((PLUGIN, "`describe`")), Some((PLUGIN, "other types")), Some((PLUGIN, ""))]),
    (Minor, [None, None, Some((PLUGIN, "`describe`")), Some((PLUGIN, "other types")), Some((PLUGIN, ""))]),
    (
        ImportGained,
        [Some((PORTAL, "`count`")), None, Some((PLUGIN, "`count`")), Some((PLUGIN, "")), Some((PLUGIN, ""))],
    ),
    (ExportGained, [None, None, None, Some((PLUGIN, "other types")), Some((PLUGIN, ""))]),
    (
        VariantGained,
        [
            Some((PORTAL, "other types")),
            Some((PLUGIN, "other types")),
            Some((PLUGIN, "other types")),
            None,
            Some((PLUGIN, "")),
        ],
    ),
    (Major, [Some((PORTAL, "")), Some((PORTAL, "")), Some((PORTAL, "")), Some((PORTAL, "")), None]),
];

#[test]
fn every_age_with_every_other() {
    let portals = PORTALS.map(portal);
    let mut wrong = Vec::new();
    for (of, columns) in TABLE {
        // One manifest says what its component needs, the other one says what the portal likes to hear.
        let honest = version(if of == Minor || of == ExportGained { NONE } else { of });
        for (at, (there, expected)) in portals.iter().zip(columns).enumerate() {
            let lying = version(if PORTALS[at] == Major { Major } else { NONE });
            for needs in [&honest, &lying] {
                let wasm = plugin(of, needs);
                let result = there.would_load(&inspect(&wasm).expect("a plugin"), &wasm);
                let right = match (&result, expected) {
                    (Ok(()), None) => true,
                    (Err(message), Some((side, words))) => {
                        // Where the manifest says it first, that is what is named.
                        let names = message.contains(words) || message.contains("of the package");
                        let versions = [&there.host, &version(of)].map(Version::to_string);
                        message.contains(side)
                            && names
                            && versions.iter().all(|it| message.contains(it) || message.contains(&format!("^{needs}")))
                            && message.contains(&versions[0])
                    }
                    _ => false,
                };
                // A manifest that asks for more than its component uses is taken at its word.
                let asks_too_much = expected.is_none() && result.is_err() && !needs_fit(needs, &there.host);
                if !right && !asks_too_much {
                    wrong.push(format!("{of:?} (needs {needs}) at {:?}: {result:?}", PORTALS[at]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn needs_fit(needs: &Version, offered: &Version) -> bool {
    semver::VersionReq::parse(&format!("^{needs}")).expect("a requirement").matches(offered)
}

/// The host itself says the same, and has compiled nothing when it says it; what it takes, it links.
#[tokio::test(flavor = "multi_thread")]
async fn the_host_says_the_same() {
    let cache = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::with(Limits::default(), cache.path()).await;
    let compiled = || std::fs::read_dir(cache.path()).expect("the cache").count();
    for (of, columns) in TABLE {
        let before = compiled();
        let wasm = plugin(of, &current());
        let spec = callboard_host::PluginSpec {
            id: "of-another-age".to_owned(),
            source: format!("{of:?}.wasm"),
            grant: inspect(&wasm).expect("a plugin").manifest.rights,
            wasm,
            kv_generation: 0,
            limits: callboard_host::LimitOverrides::default(),
            config: serde_json::json!({}),
        };
        match (fixture.host.load(spec).await, columns[0]) {
            (Ok(plugin), None) => {
                let error = attack(&plugin).await.expect_err("it does nothing");
                assert!(error.message.contains("unreachable"), "it runs: {error}");
            }
            (Err(error), Some((side, words))) => {
                let reason = &error.reason;
                assert!(matches!(reason, LoadReason::Version(_) | LoadReason::Import(_)), "{reason:?}");
                let message = error.to_string();
                for part in [side, words, &current().to_string(), &version(of).to_string()] {
                    assert!(message.contains(part), "{of:?}: \"{part}\" is not in: {message}");
                }
                assert_eq!(compiled(), before, "{of:?} was compiled");
            }
            (result, _) => panic!("{of:?}: {result:?}"),
        }
    }
}

/// `wit/interfaces.json` is what `wit/` says. `UPDATE_SNAPSHOTS=1` writes it.
#[test]
fn the_list_of_interfaces_is_true() {
    let own = portal(NONE);
    let json = serde_json::to_string_pretty(&own).expect("JSON") + "\n";
    let file: &Path = &root().join("wit/interfaces.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, &json).expect("the file");
        return;
    }
    let there = std::fs::read_to_string(file).expect("the file");
    assert_eq!(there, json, "run `UPDATE_SNAPSHOTS=1 cargo test -p callboard-host --test guests interfaces`");
}
