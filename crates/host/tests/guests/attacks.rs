//! Guests that no compiler would make: what each attack comes to, that the next call of another plugin works, and that
//! faults, and nothing else, suspend who commits them.

use std::time::{Duration, Instant};

use callboard_host::{ErrorKind, GuestError, LimitOverrides, Limits};
use callboard_model::api::PluginState;

use crate::fixture::{Fixture, Guest, attack, guest, shared_cache};

/// What an attack comes to. Texts are part of the message.
enum Comes {
    /// The call ends in a fault of this kind.
    AFault(ErrorKind, &'static str),
    /// It is no attack: the guest answers, and this is shown.
    Nothing(&'static str),
    /// The guest ends in an error of its own.
    AnError(&'static str),
}
use Comes::{AFault, AnError, Nothing};

const DEADLINE: Duration = Duration::from_secs(1);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

async fn check(rows: &[(Guest, Comes)]) {
    let limits = Limits {
        ui_deadline: DEADLINE,
        faults_before_suspension: 2,
        first_suspension: Duration::from_secs(600),
        ..Limits::default()
    };
    let fixture = Fixture::with(limits, &shared_cache()).await;
    let bystander = fixture.host.load(guest("utf16").spec()).await.expect("a good plugin");
    let mut wrong = Vec::new();
    for (it, comes) in rows {
        if let Err(problem) = one(&fixture, *it, comes).await {
            wrong.push(format!("{}: {problem}", it.0));
        }
        if let Err(error) = attack(&bystander).await {
            wrong.push(format!("{}: another plugin does not go on: {error}", it.0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn one(fixture: &Fixture, guest: Guest, comes: &Comes) -> Result<(), String> {
    let plugin = fixture.host.load(guest.spec()).await.map_err(|error| error.to_string())?;
    for _ in 0..2 {
        let begun = Instant::now();
        let result = attack(&plugin).await;
        if begun.elapsed() > DEADLINE + SLACK {
            return Err(format!("it took {:?}", begun.elapsed()));
        }
        match (result, comes) {
            (Err(error), AFault(kind, words)) if error.kind == *kind && error.message.contains(words) => {}
            (Ok(text), Nothing(expected)) if text == *expected => {}
            (Err(error), AnError(words))
                if matches!(error.kind, ErrorKind::Guest(GuestError::Invalid)) && error.message == *words => {}
            (result, _) => return Err(format!("{result:?}")),
        }
    }
    let suspended = plugin.state() == PluginState::Suspended;
    if suspended != matches!(comes, AFault(..)) {
        return Err(format!("after two of them it is {:?}", plugin.state()));
    }
    match attack(&plugin).await {
        Err(error) if suspended && matches!(error.kind, ErrorKind::Suspended { .. }) => Ok(()),
        result if suspended => Err(format!("suspended, it is called all the same: {result:?}")),
        _ => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_and_memory() {
    use ErrorKind::{Deadline, Memory, Stack, Trap};
    check(&[
        (guest("loop_in_start"), AFault(Deadline, "did not answer within 1s")),
        (guest("trap_in_start"), AFault(Trap, "unreachable")),
        (guest("division_by_zero"), AFault(Trap, "divide by zero")),
        (guest("grow_loop"), AFault(Memory, "wanted 67174400 bytes of memory, may have 67108864")),
        (guest("huge_copy"), AFault(Deadline, "did not answer within 1s")),
        (guest("table_grow"), AFault(Trap, "table")),
        (guest("indirect_recursion"), AFault(Stack, "too deeply")),
        (guest("long_sleep"), AFault(Deadline, "did not answer within 1s")),
    ])
    .await;
}

/// What the host hands out is counted, whatever it is.
#[tokio::test(flavor = "multi_thread")]
async fn handles() {
    use ErrorKind::{Deadline, TooMuchData, Trap};
    check(&[
        (guest("stream_flood"), AFault(Trap, "table has no free keys")),
        (guest("timer_flood"), AFault(Trap, "table has no free keys")),
        (guest("random_bomb"), AFault(Trap, "exceeds limit 65536")),
        (guest("foreign_handle"), AFault(Trap, "unknown handle index 1")),
        (guest("double_drop"), AFault(Trap, "unknown handle index")),
        (guest("giant_list"), AFault(TooMuchData, "more than 16777216 bytes at once")),
        (guest("list_beyond_memory"), AFault(Trap, "list pointer/length out of bounds")),
        (guest("realloc_loops"), AFault(Deadline, "did not answer within 1s")),
    ])
    .await;
}

/// Texts, lists and variants that are not what they should be, and memory that is not where it should be.
#[tokio::test(flavor = "multi_thread")]
async fn values_across_the_boundary() {
    use ErrorKind::{Deadline, Trap};
    check(&[
        (guest("utf16"), Nothing("Grüße, 世界 😀")),
        (guest("latin1"), Nothing("Grüße")),
        (guest("pointer_out_of_bounds"), AFault(Trap, "out of bounds")),
        (guest("length_overflow"), AFault(Trap, "out of bounds")),
        (guest("answer_unaligned"), AFault(Trap, "pointer not aligned")),
        (guest("answer_out_of_bounds"), AFault(Trap, "out of bounds")),
        (guest("bad_utf8"), AFault(Trap, "invalid utf-8")),
        (guest("bad_utf8_to_host"), AFault(Trap, "invalid utf-8")),
        (guest("utf16_lone_surrogate"), AFault(Trap, "unpaired surrogate")),
        (guest("utf16_unaligned"), AFault(Trap, "aligned")),
        (guest("utf16_length_overflow"), AFault(Trap, "out of bounds")),
        (guest("latin1_tagged_length"), AFault(Trap, "out of bounds")),
        (guest("latin1_no_room"), AFault(Trap, "beyond end of memory")),
        (guest("result_out_of_range"), AFault(Trap, "invalid expected discriminant")),
        (guest("error_out_of_range"), AFault(Trap, "unexpected discriminant")),
        (guest("level_out_of_range"), AFault(Trap, "unexpected discriminant")),
        (guest("realloc_null"), Nothing("overlapping")),
        (guest("realloc_unaligned"), AFault(Trap, "aligned")),
        (guest("realloc_out_of_bounds"), AFault(Trap, "beyond end of memory")),
        (guest("realloc_traps"), AFault(Trap, "unreachable")),
        (guest("realloc_calls_host"), AFault(Trap, "cannot leave component instance")),
        (guest("post_return_loops"), AFault(Deadline, "did not answer within 1s")),
        (guest("post_return_traps"), AFault(Trap, "unreachable")),
        (guest("post_return_calls_host"), AFault(Trap, "cannot leave component instance")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trees() {
    use ErrorKind::Output;
    check(&[
        (guest("nan_number"), AFault(Output, "its tree is not right")),
        (guest("infinite_number"), AFault(Output, "number out of range")),
        (guest("duplicate_keys"), AFault(Output, "duplicate field `root`")),
        (guest("javascript_link"), AFault(Output, "its tree is not right")),
        (guest("not_json"), AFault(Output, "its tree is not right")),
        // What is shown of an error is one harmless line; a tree is data, which the page shows as text.
        (guest("control_characters"), AnError("a\u{fffd}[31mb  c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}")),
        (guest("bidi_text"), Nothing("\u{202e}gnp.exe\u{2066}\u{1b}[31m\u{0}")),
    ])
    .await;
}

/// A slot of the pool is as new for each instance, whoever had it before and however that ended.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_instance_is_left() {
    let limits = Limits { faults_before_suspension: 1000, ..Limits::default() };
    let fixture = Fixture::with(limits, &shared_cache()).await;
    let canary = fixture.host.load(guest("memory_canary").spec()).await.expect("it is accepted");
    let faulty = fixture.host.load(guest("grow_loop").spec()).await.expect("it is accepted");
    for round in 0..50 {
        let calls = futures::future::join_all((0..8).map(|_| attack(&canary))).await;
        for call in calls {
            assert_eq!(call.as_deref(), Ok("clean"), "round {round}");
        }
        if round % 10 == 0 {
            attack(&faulty).await.expect_err("it wants too much");
        }
    }
}

/// What is refused before anything of it runs, and what it may cost to find that out.
#[tokio::test(flavor = "multi_thread")]
async fn compiling() {
    const MIB: usize = 1024 * 1024;
    let cache = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::with(Limits::default(), cache.path()).await;
    let usual = LimitOverrides::default;
    let short = || LimitOverrides { compile_time: Some(Duration::from_secs(2)), ..LimitOverrides::default() };
    let small = || LimitOverrides { compile_memory: Some(64 * MIB), ..LimitOverrides::default() };
    let rows = [
        (guest("table_bomb"), usual(), "element"),
        (guest("two_memories"), usual(), "memories"),
        (guest("huge_minimum"), usual(), "memory"),
        (guest("shared_memory"), usual(), "threads"),
        (guest("memory64"), usual(), "memory64"),
        (guest("exceptions"), usual(), "exceptions"),
        (guest("gc_types"), usual(), "gc"),
        (guest("async_stream"), usual(), "async"),
        (guest("data_segment_that_lies"), usual(), "damaged"),
        (guest("deep_components"), usual(), "more than 100 deep"),
        (guest("deep_blocks"), short(), "more than 2 s"),
        (guest("giant_br_table"), usual(), "implementation limit of 65520"),
        (guest("giant_file"), usual(), "at most 33554432"),
        (guest("giant_manifest"), usual(), "at most 262144 are read"),
        (
            guest("heavy_function"),
            LimitOverrides { compile_time: Some(Duration::from_millis(100)), ..LimitOverrides::default() },
            "compiling it took more than 0.1 s; make the component smaller, or raise `compileTime`",
        ),
        (
            guest("heavy_function"),
            small(),
            "compiling it needed more than 64 MiB of memory; make the component smaller, or raise `compileMemory`",
        ),
        (guest("long_names"), usual(), "size"),
        (guest("manifest_alias_bomb"), usual(), "the manifest (plugin.yaml)"),
        (guest("many_functions"), usual(), "functions count"),
        (guest("many_imports"), usual(), "imports count"),
        (guest("many_instances"), usual(), "instances"),
        (guest("many_locals"), usual(), "too many locals"),
        (guest("many_modules"), usual(), "modules count"),
        (guest("many_types"), usual(), "types count"),
        (guest("no_manifest"), usual(), "carries no manifest"),
        (guest("truncated"), usual(), "damaged"),
        (guest("two_manifests"), usual(), "carries 2 manifests"),
        (guest("type_bomb"), usual(), "size"),
    ];
    let mut wrong = Vec::new();
    for (it, limits, words) in rows {
        let mut spec = it.spec();
        spec.limits = limits;
        let begun = Instant::now();
        match fixture.host.load(spec).await {
            Ok(_) => wrong.push(format!("{}: it is accepted", it.0)),
            Err(error) if error.to_string().contains(words) => {}
            Err(error) => wrong.push(format!("{}: {error}", it.0)),
        }
        // The time that compiling may take, and what a busy machine adds to it.
        if begun.elapsed() > Duration::from_secs(70) {
            wrong.push(format!("{}: refusing it took {:?}", it.0, begun.elapsed()));
        }
    }
    let good = fixture.host.load(guest("utf16").spec()).await.expect("a good plugin is accepted all the same");
    attack(&good).await.expect("it works");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left: Vec<_> = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".cwasm")), "{left:?}");
}

/// However many ask for it at once, in however many processes, a component is compiled once.
#[tokio::test(flavor = "multi_thread")]
async fn compiling_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // A compiler that notes each time that it is started.
    let script = folder.path().join("compiler");
    let starts = folder.path().join("starts");
    let program = crate::fixture::compiler().program;
    let text = format!("echo x >> '{}'\nexec '{}'\n", starts.display(), program.display());
    std::fs::write(&script, text).unwrap();
    let compiler =
        callboard_host::Compiler { program: "/bin/sh".into(), arguments: vec![script.clone().into_os_string()] };
    let cache = folder.path().join("cache");
    // Two hosts are as two processes: what they share is the folder.
    let hosts = [
        Fixture::compiled_by(Limits::default(), &cache, compiler.clone()).await,
        Fixture::compiled_by(Limits::default(), &cache, compiler).await,
    ];
    let loads = (0..8).map(|number| hosts[number % 2].host.load(guest("utf16").spec()));
    for load in futures::future::join_all(loads).await {
        load.expect("it is accepted");
    }
    assert_eq!(std::fs::read_to_string(&starts).unwrap().lines().count(), 1);
}
