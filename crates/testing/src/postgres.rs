//! A PostgreSQL cluster: one of its own for a test that breaks it, one shared for those that do not.

mod standby;

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::{Background, until};
use crate::{PostgresDatabase, free_port, programs};

/// Where `cargo xtask test` says which PostgreSQL it has started for the run: a URL without the name of a database.
const VARIABLE: &str = "STRATORA_TEST_POSTGRES_URL";

/// What a cluster that lives for a test can do without: surviving a crash of the machine, and other ways in.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
];

/// A cluster. Fields are dropped in this order: the server before its files.
pub struct Postgres {
    server: Background,
    port: u16,
    owner: Owner,
    directory: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("stratora-postgres-").tempdir()?;
        let owner = Owner::of_clusters()?;
        owner.take(directory.path())?;
        let mut initdb = owner.command("initdb")?;
        initdb.args(["--username=stratora", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]);
        let made = initdb.arg(directory.path().join("data")).output().context("cannot start initdb")?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port()?;
        let server = serve(&owner, directory.path(), port)?;
        Ok(Self { server, port, owner, directory })
    }

    /// A server that others use too: that of the run, or else one that all who hold it in this process share.
    ///
    /// # Errors
    /// When there is none in this run and none can be started.
    pub fn shared() -> anyhow::Result<SharedPostgres> {
        static OWN: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        if let Ok(server) = std::env::var(VARIABLE) {
            return Ok(SharedPostgres { server, own: None });
        }
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        let postgres = match own.upgrade() {
            Some(postgres) => postgres,
            None => Arc::new(Self::start()?),
        };
        *own = Arc::downgrade(&postgres);
        Ok(SharedPostgres { server: postgres.server_url(), own: Some(postgres) })
    }

    /// The connection URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.server_url())
    }

    /// Makes a database without tables.
    ///
    /// # Errors
    /// With what PostgreSQL says.
    pub fn create_database(&self) -> anyhow::Result<PostgresDatabase> {
        PostgresDatabase::create_on(self.server_url(), None)
    }

    /// Stops the server in order; connections are cut. What was committed stays for [`Self::start_again`].
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.resume();
        self.server.stop(Signal::INT).map(drop)
    }

    /// Starts the server that was stopped, on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.server.has_ended(), "PostgreSQL is running");
        self.server = serve(&self.owner, self.directory.path(), self.port)?;
        Ok(())
    }

    /// [`Self::stop`] and [`Self::start_again`].
    ///
    /// # Errors
    /// When it does not end or does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Freezes the server and every process of it: connections stay open, new ones are accepted by the system, and nothing
    /// is answered until [`Self::resume`].
    pub fn pause(&mut self) {
        // The parent first: frozen, it starts no more children.
        self.signal_all(Signal::STOP);
    }

    /// Undoes [`Self::pause`].
    pub fn resume(&mut self) {
        self.signal_all(Signal::CONT);
    }

    pub(crate) fn server_url(&self) -> String {
        format!("postgres://stratora@127.0.0.1:{}", self.port)
    }

    fn signal_all(&mut self, signal: Signal) {
        if self.server.has_ended() {
            return;
        }
        self.server.signal(signal);
        for child in children(self.server.id()) {
            // The only failure is that it has ended already.
            let _sent = kill_process(child, signal);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.resume();
        // At once and without a checkpoint: nobody reads the files again. Killed, it would leave its children.
        let _ended = self.server.stop(Signal::QUIT);
    }
}

/// A server on which a test may make databases, but not stop it.
pub struct SharedPostgres {
    server: String,
    own: Option<Arc<Postgres>>,
}

impl SharedPostgres {
    /// Makes a database without tables. A server that was started for this process runs until the last is dropped.
    ///
    /// # Errors
    /// With what PostgreSQL says.
    pub fn create_database(&self) -> anyhow::Result<PostgresDatabase> {
        PostgresDatabase::create_on(self.server.clone(), self.own.clone())
    }
}

fn serve(owner: &Owner, directory: &Path, port: u16) -> anyhow::Result<Background> {
    let data = directory.join("data");
    let mut postgres = owner.command("postgres")?;
    postgres.arg("-D").arg(&data).arg("-p").arg(port.to_string());
    postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    let mut server = Background::start(&mut postgres, directory, "postgres")?;
    // The server says in a file of its own when it accepts connections.
    let is_ready = || {
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        state.lines().any(|line| line.trim() == "ready")
    };
    until("PostgreSQL", || is_ready() || server.has_ended()).with_context(|| server.output())?;
    ensure!(!server.has_ended(), "PostgreSQL ended at once: {}", server.output());
    Ok(server)
}

/// The processes that a process has started. PostgreSQL puts each in a session of its own, so no group holds them all.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_child = |stat: &str| parent_of(stat) == Some(parent.as_raw_nonzero().get());
    processes
        .filter(|entry| fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| is_child(&stat)))
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// The second field after the name, which stands in parentheses and may hold some itself; proc(5).
fn parent_of(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Who runs the server: PostgreSQL refuses to run as root.
enum Owner {
    Caller,
    Account { uid: u32, gid: u32 },
}

impl Owner {
    fn of_clusters() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Caller);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let (uid, gid) = ids_of("postgres", &accounts)
            .or_else(|| ids_of("nobody", &accounts))
            .context("PostgreSQL refuses to run as root, and there is no account to run it")?;
        Ok(Self::Account { uid, gid })
    }

    fn take(&self, directory: &Path) -> anyhow::Result<()> {
        match *self {
            Self::Caller => Ok(()),
            Self::Account { uid, gid } => {
                chown(directory, Some(uid), Some(gid)).context("cannot give the cluster's directory away")
            }
        }
    }

    fn command(&self, program: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(programs::find_postgres(program)?);
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
    let mut lines = accounts.lines().map(|line| line.split(':'));
    let mut ids = lines.find(|fields| fields.clone().next() == Some(name))?.skip(2);
    Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/:\npostgresql:x:1:2::/:\npostgres:x:104:110:PostgreSQL,,,:/:/bin/sh\n";
        assert_eq!(ids_of("postgres", accounts), Some((104, 110)));
        assert_eq!(ids_of("nobody", accounts), None);
    }

    #[test]
    fn a_parent_is_read_behind_a_name_with_parentheses() {
        assert_eq!(parent_of("7 (a) 8 (b) S 42 7 7 0"), Some(42));
        assert_eq!(parent_of("7 (a"), None);
    }
}
