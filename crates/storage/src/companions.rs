//! Processes on one SQLite file: at most one server, and commands, which tell the server what they change before they say
//! that it is done. On PostgreSQL the database itself passes the word.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stratora_cache::{Coherence, CredentialTag};
use stratora_port::StoreError;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::changes::Told;

/// How long a process waits for another one to end, or to answer.
const WITHIN: Duration = Duration::from_secs(5);
const TRY_EVERY: Duration = Duration::from_millis(50);
/// What a server answers when it has heard of a change.
const HEARD: u8 = b'.';
/// The longest line that a command sends.
const LONGEST: u64 = 80;

/// This process may not work on the database now.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// A server has it.
    #[error("another server uses {}, or a command that does not end; an SQLite database has one server", .database.display())]
    Occupied {
        /// The database.
        database: PathBuf,
    },
    /// The lock or the socket beside the database cannot be made.
    #[error("cannot lock {} or listen beside it", .database.display())]
    Beside {
        /// The database.
        database: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// The only server on an SQLite file, for as long as this lives.
pub(crate) struct Occupancy {
    socket: PathBuf,
    listening: JoinHandle<()>,
    _lock: File,
}

impl Occupancy {
    /// Takes the file for a server that is told what others change.
    pub(crate) async fn of(database: &Path, coherence: Arc<Coherence>) -> Result<Self, JoinError> {
        let lock = wait_for_lock(database).await?;
        let socket = beside(database, "sock");
        // Whoever holds the lock owns the socket; what is there was left behind.
        drop(std::fs::remove_file(&socket));
        let listener = in_its_directory(&socket, |path| UnixListener::bind(path));
        let listener = listener.map_err(|cause| JoinError::Beside { database: database.to_owned(), cause })?;
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hear(stream, Arc::clone(&coherence)));
            }
        });
        Ok(Self { socket, listening, _lock: lock })
    }
}

impl Drop for Occupancy {
    fn drop(&mut self) {
        self.listening.abort();
        drop(std::fs::remove_file(&self.socket));
    }
}

/// Hears what one command changes. What cannot be read may be anything.
async fn hear(stream: UnixStream, coherence: Arc<Coherence>) {
    let is_ours = stream.peer_cred().is_ok_and(|peer| {
        let uid = peer.uid();
        uid == 0 || uid == rustix::process::geteuid().as_raw()
    });
    if !is_ours {
        return;
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while let Ok(1..) = (&mut stream).take(LONGEST).read_line(&mut line).await {
        match read(line.trim_end()) {
            Some(told) => told.note(&coherence),
            None => coherence.all_changed(),
        }
        line.clear();
        if stream.get_mut().write_all(&[HEARD]).await.is_err() {
            break;
        }
    }
}

/// What a command writes: the subject's kind and identifier, and the tag of a new key if there is one.
fn line(told: Told) -> String {
    let (kind, id) = told.subject();
    match told.issued {
        Some(CredentialTag(tag)) => format!("{kind} {id} {tag}\n"),
        None => format!("{kind} {id}\n"),
    }
}

fn read(line: &str) -> Option<Told> {
    let mut words = line.split(' ');
    let (kind, id) = (words.next()?, words.next()?.parse().ok()?);
    let issued = words.next().map(str::parse).transpose().ok()?;
    Told::heard(kind, id, issued)
}

/// A command on an SQLite file: alone with it, or beside a server.
pub(crate) enum Visit {
    /// No server can start meanwhile.
    Alone(#[expect(dead_code, reason = "holds the lock")] File),
    /// Connected to the server.
    BesideServer { database: PathBuf, server: Mutex<UnixStream> },
}

impl Visit {
    /// How long a change may wait for the server.
    pub(crate) const LONGEST_WAIT: Duration = WITHIN.saturating_mul(2);

    /// Visits the file.
    pub(crate) async fn of(database: &Path) -> Result<Self, JoinError> {
        let visiting = async {
            loop {
                if let Some(lock) = lock(database)? {
                    return Ok(Self::Alone(lock));
                }
                let socket = beside(database, "sock");
                if let Ok(stream) = in_its_directory(&socket, |path| std::os::unix::net::UnixStream::connect(path))
                    && stream.set_nonblocking(true).is_ok()
                    && let Ok(stream) = UnixStream::from_std(stream)
                {
                    return Ok(Self::BesideServer { database: database.to_owned(), server: Mutex::new(stream) });
                }
                sleep(TRY_EVERY).await;
            }
        };
        timeout(WITHIN, visiting).await.unwrap_or_else(|_| Err(JoinError::Occupied { database: database.to_owned() }))
    }

    /// Tells the server of a change. Returns when it does not trust any more what it had in memory, or has ended.
    pub(crate) async fn tell(&self, told: Told) -> Result<(), StoreError> {
        let Self::BesideServer { database, server } = self else { return Ok(()) };
        let mut stream = server.lock().await;
        let telling = async {
            stream.write_all(line(told).as_bytes()).await?;
            stream.read_u8().await
        };
        let has_heard = match timeout(WITHIN, telling).await {
            Ok(Ok(_)) => true,
            // A server that has ended has no memory, and holds no lock.
            Ok(Err(_)) => wait_for_lock(database).await.is_ok(),
            Err(_) => false,
        };
        let not_heard = "it is written, but the running server does not say that it has heard; stop it to be safe";
        if has_heard { Ok(()) } else { Err(StoreError::unavailable(not_heard)) }
    }
}

/// The lock beside the database, if nobody holds it. It ends with the process, however that ends.
fn lock(database: &Path) -> Result<Option<File>, JoinError> {
    let path = beside(database, "lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    let failed = |cause| JoinError::Beside { database: database.to_owned(), cause };
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The lock, as soon as nobody holds it: until it is dropped no server starts on the file, and none runs.
pub(crate) async fn wait_for_lock(database: &Path) -> Result<File, JoinError> {
    let waiting = async {
        loop {
            match lock(database)? {
                Some(lock) => return Ok(lock),
                None => sleep(TRY_EVERY).await,
            }
        }
    };
    timeout(WITHIN, waiting).await.unwrap_or_else(|_| Err(JoinError::Occupied { database: database.to_owned() }))
}

/// `stratora.db` becomes `stratora.db.lock`.
fn beside(database: &Path, extension: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

/// Calls `action` with a short way to `socket`: the path of a socket has a hundred bytes, a directory's may have more.
fn in_its_directory<T>(socket: &Path, action: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let directory = socket.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = File::open(directory)?;
    let name = socket.file_name().unwrap_or_default();
    action(&Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name))
}
