//! One PostgreSQL for a run of the tests: a cluster in a temporary folder, gone afterwards.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::Background;
use crate::programs;

/// Where tests find a PostgreSQL whose superuser they may be: a URL without the name of a database.
pub(crate) const VARIABLE: &str = "STRATORA_TEST_POSTGRES_URL";

/// What a cluster that lives for minutes can do without: surviving a crash of the machine.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
];

/// How often, and how many times, to look whether it accepts connections: a minute in all.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1200;

/// A running cluster. Fields are dropped in this order: the server before its files.
pub(crate) struct Postgres {
    _server: Background,
    _folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts it on a free port of the loopback interface.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("stratora-postgres-").tempdir()?;
        let owner = Owner::of_clusters()?;
        owner.take(folder.path())?;
        let data = folder.path().join("data");
        let log = folder.path().join("log");

        let mut initdb = owner.command("initdb")?;
        initdb.args(["--username=stratora", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]);
        let made = initdb.arg(&data).output().context("cannot start initdb")?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let port = free_port()?;
        let mut postgres = owner.command("postgres")?;
        postgres.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        postgres.stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut server = Background::start(&mut postgres)?;
        wait_until_ready(&mut server, &data)
            .with_context(|| format!("PostgreSQL's log: {}", fs::read_to_string(&log).unwrap_or_default()))?;
        Ok(Self { _server: server, _folder: folder, port })
    }

    /// The value of [`VARIABLE`].
    pub(crate) fn url(&self) -> String {
        format!("postgres://stratora@127.0.0.1:{}", self.port)
    }
}

/// Free now; somebody would have to ask for this very number before PostgreSQL takes it.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The server says in a file of its own when it accepts connections.
fn wait_until_ready(server: &mut Background, data: &Path) -> Result<()> {
    for _ in 0..LOOKS {
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if state.lines().any(|line| line.trim() == "ready") {
            return Ok(());
        }
        ensure!(!server.has_ended(), "PostgreSQL ended at once");
        std::thread::sleep(LOOK);
    }
    bail!("PostgreSQL accepts no connections")
}

/// Who runs the server: PostgreSQL refuses to run as root.
enum Owner {
    Caller,
    Account { uid: u32, gid: u32 },
}

impl Owner {
    fn of_clusters() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Caller);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let (uid, gid) = ids_of("postgres", &accounts)
            .context("PostgreSQL refuses to run as root, and there is no account postgres to run it")?;
        Ok(Self::Account { uid, gid })
    }

    fn take(&self, folder: &Path) -> Result<()> {
        match *self {
            Self::Caller => Ok(()),
            Self::Account { uid, gid } => {
                chown(folder, Some(uid), Some(gid)).context("cannot give the cluster's folder away")
            }
        }
    }

    fn command(&self, program: &str) -> Result<Command> {
        let path = programs::find(program).with_context(|| format!("cannot find {program}"))?;
        let mut command = Command::new(path);
        // Not where the caller stands: another account may not be able to see it.
        command.current_dir("/");
        if let Self::Account { uid, gid } = *self {
            command.uid(uid).gid(gid);
        }
        Ok(command)
    }
}

/// The user and group of an account, from the text of `/etc/passwd`.
fn ids_of(name: &str, accounts: &str) -> Option<(u32, u32)> {
    let mut fields =
        accounts.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?.skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:1:2::/:\npostgres:x:104:110:PostgreSQL,,,:/:/bin/sh\n";
        assert_eq!(ids_of("postgres", accounts), Some((104, 110)));
        assert_eq!(ids_of("nobody", accounts), None);
    }

    #[test]
    fn a_line_that_is_no_account_is_passed_over() {
        assert_eq!(ids_of("postgres", "+::::::\n\npostgres:x:1:2:::\n"), Some((1, 2)));
        assert_eq!(ids_of("postgres", "postgres:x\n"), None);
    }
}
