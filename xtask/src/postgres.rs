//! A PostgreSQL of our own: in a folder that is thrown away, on a free port of this machine, with a password that is
//! new each time.
//!
//! PostgreSQL does not run as root, so root starts it as the user `postgres` or `nobody`. A small shell stands between
//! us and the server and waits for its standard input to close: however we end, by an error, Ctrl-C or `kill -9`, the
//! system closes it, and the shell stops the server and removes the folder.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{prerequisites, project, tool};

/// What the tests read: where the server is.
pub(crate) const VARIABLE: &str = "CALLBOARD_POSTGRES";

/// What the tests read as well: the file of who signed the server's certificate.
const VARIABLE_CA: &str = "CALLBOARD_POSTGRES_CA";

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// For tests, which would rather be fast than survive a power failure.
pub(crate) const FOR_TESTS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=128MB",
    // A container's /dev/shm is often too small for the default.
    "dynamic_shared_memory_type=mmap",
];

/// A running server. Dropped, it is stopped and its folder is gone.
pub(crate) struct Server {
    shell: Child,
    stdin: Option<ChildStdin>,
    url: String,
    ca: PathBuf,
}

/// `cargo xtask postgres`: a server for as long as a command runs, or until Ctrl-C.
pub(crate) fn run(command: &[String]) -> Result<()> {
    prerequisites::postgres()?;
    let server = Server::start(FOR_TESTS)?;
    let Some((program, arguments)) = command.split_first() else {
        println!("PostgreSQL runs until Ctrl-C. For tests in another terminal:\n");
        println!("export {VARIABLE}='{}' {VARIABLE_CA}={}\n", server.url, server.ca.display());
        return server.wait();
    };
    // The command may be cargo, which should not think that it is part of us.
    let mut command = match program.as_str() {
        "cargo" => project::cargo(),
        program => Command::new(program),
    };
    tool::run(server.tell(command.args(arguments)))
}

impl Server {
    /// Starts one with settings such as `fsync=off`.
    pub(crate) fn start(settings: &[&str]) -> Result<Self> {
        let programs = programs().context("PostgreSQL is needed: initdb and postgres")?;
        let owner = owner()?;
        let folder = folder(owner.as_ref())?;
        let started = Self::start_in(&folder, &programs, owner.as_ref(), settings);
        if started.is_err() {
            std::fs::remove_dir_all(&folder).ok();
        }
        started
    }

    fn start_in(folder: &Path, programs: &Path, owner: Option<&Owner>, settings: &[&str]) -> Result<Self> {
        let password = random()?;
        let file = folder.join("password");
        std::fs::write(&file, &password)?;
        if let Some(owner) = owner {
            chown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        let data = folder.join("data");
        tool::output(
            for_owner(Command::new(programs.join("initdb")), owner)
                .current_dir(folder)
                .arg("--pgdata")
                .arg(&data)
                .arg("--pwfile")
                .arg(&file)
                // The password as it is: the tests open thousands of connections, and deriving a key for each takes
                // longer than the tests themselves.
                .args(["--username=postgres", "--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync"]),
        )?;
        certificate(folder, owner)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = for_owner(Command::new("sh"), owner);
        command
            .current_dir(folder)
            .args(["-c", KEEPER, "sh"])
            .arg(folder)
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}")])
            .args(["-c", &format!("unix_socket_directories={}", folder.display())])
            .args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", folder.join("server.pem").display())])
            .args(["-c", &format!("ssl_key_file={}", folder.join("server.key").display())])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped());
        let mut shell = command.spawn().context("the server's shell did not start")?;
        let stdin = shell.stdin.take();
        // Not encrypted but where a test asks for it: a handshake for each connection takes its time, too.
        let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable");
        let server = Self { shell, stdin, url, ca: folder.join("ca.pem") };
        wait_until_ready(&data.join("postmaster.pid"), &folder.join("log"))?;
        Ok(server)
    }

    /// Where it is, with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Tells a command where the server is.
    pub(crate) fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(VARIABLE, &self.url).env(VARIABLE_CA, &self.ca)
    }

    fn wait(mut self) -> Result<()> {
        self.shell.wait().context("the server was lost")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stdin = None;
        self.shell.wait().ok();
    }
}

/// Ignores what a terminal sends to all that run in it, and ends when its input does.
const KEEPER: &str = r#"
trap '' INT TERM HUP
folder=$1
shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$folder"
"#;

/// Makes `server.pem` with its key for this machine, and `ca.pem`, which signed it.
fn certificate(folder: &Path, owner: Option<&Owner>) -> Result<()> {
    const KEY: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"];
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n")?;
    let calls: [(&str, &[&str], &[&str]); 3] = [
        ("req", KEY, &["-x509", "-days", "30", "-subj", "/CN=callboard tests", "-keyout", "ca.key", "-out", "ca.pem"]),
        ("req", KEY, &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.request"]),
        (
            "x509",
            &["-req", "-in", "server.request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
            &["-days", "30", "-extfile", "names", "-out", "server.pem"],
        ),
    ];
    for (call, first, then) in calls {
        let mut command = for_owner(Command::new("openssl"), owner);
        let done =
            command.current_dir(folder).arg(call).args(first).args(then).output().context("openssl is needed")?;
        if !done.status.success() {
            bail!("openssl {call} failed: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
    Ok(())
}

fn wait_until_ready(pid: &Path, log: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        // The eighth line of this file is what pg_ctl looks at, too.
        let state = std::fs::read_to_string(pid).unwrap_or_default();
        if state.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return Ok(());
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        if said.contains("FATAL:") || begun.elapsed() > PATIENCE {
            bail!("PostgreSQL did not start; it said:\n{said}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whom the server runs as.
struct Owner {
    uid: u32,
    gid: u32,
}

/// None for whoever we are ourselves.
fn owner() -> Result<Option<Owner>> {
    if tool::output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
    let owner = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
    owner.map(Some).context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

fn user(users: &str, name: &str) -> Option<Owner> {
    let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let mut fields = line.split(':').skip(1);
    Some(Owner { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

fn for_owner(mut command: Command, owner: Option<&Owner>) -> Command {
    if let Some(owner) = owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    command
}

/// A new folder that only the owner may enter. Not below target/: that may be where only root may go.
fn folder(owner: Option<&Owner>) -> Result<PathBuf> {
    let above = if owner.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let random = random()?;
    let folder = above.join(format!("callboard-postgres-{}", random.get(..12).unwrap_or(&random)));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    if let Some(owner) = owner {
        chown(&folder, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(folder)
}

fn random() -> Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// The folder with PostgreSQL's programs. Debian keeps them out of `PATH`, a folder for each version.
pub(crate) fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.as_ref().ok()?.file_name().to_str()?.parse().ok()?, entry.ok()?.path())))
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    folders.extend(versions.into_iter().map(|(_, folder)| folder.join("bin")));
    folders.extend(["/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    folders.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:101:104::/var/lib:/bin/sh\n";
        let found = user(users, "postgres").unwrap();
        assert_eq!((found.uid, found.gid), (101, 104));
        assert!(user(users, "nobody").is_none());
    }
}
