//! File systems as one agent alone sees them, in which a disk can be full, and a directory read-only, for root too, without
//! harm to anybody else.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A mount namespace. It lives as long as this, however often the agent in it ends and starts.
pub(crate) struct Namespace {
    holder: Child,
}

/// What fills a disk.
const BALLAST: &str = "ballast";

impl Namespace {
    /// One of its own, in which everything is as it is outside. That takes root, or a system that lets others be root of
    /// namespaces.
    pub(crate) fn new() -> Self {
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        // Whatever becomes of this process, nobody holds the other end of that input any longer, and the holder ends.
        command.args(["--mount", "--propagation", "private", "--", "sh", "-c", "echo ready && exec cat"]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "no mount namespace: run this as root, where a container does not forbid it");
        Self { holder }
    }

    /// Where a path of the namespace is for this process.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(path.strip_prefix("/").unwrap())
    }

    /// A program to be run in it, as the same process.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--mount", "--target", &self.holder.id().to_string(), "--", program]);
        command
    }

    /// Puts an empty disk of 256 KiB in the place of a directory.
    pub(crate) fn mount_small_disk(&self, directory: &Path) {
        self.mount(&["-t", "tmpfs", "-o", "size=256k,mode=700", "disk"], directory);
    }

    /// Makes a directory read-only, without telling anybody who has a file of it open for reading.
    pub(crate) fn make_read_only(&self, directory: &Path) {
        self.mount(&["--bind", directory.to_str().unwrap()], directory);
        self.mount(&["-o", "remount,bind,ro"], directory);
    }

    /// Undoes it.
    pub(crate) fn make_writable(&self, directory: &Path) {
        self.mount(&["-o", "remount,bind,rw"], directory);
    }

    /// Leaves no room on a small disk.
    pub(crate) fn fill(&self, directory: &Path) {
        let mut ballast = File::create(self.path(directory).join(BALLAST)).unwrap();
        let error = loop {
            if let Err(error) = ballast.write_all(&[b'b'; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    }

    /// Makes the room that [`Self::fill`] took.
    pub(crate) fn make_room(&self, directory: &Path) {
        std::fs::remove_file(self.path(directory).join(BALLAST)).unwrap();
    }

    fn mount(&self, arguments: &[&str], directory: &Path) {
        let status = self.command("mount").args(arguments).arg(directory).status().unwrap();
        assert!(status.success(), "mount {arguments:?} {}", directory.display());
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Killed already, or going to be: either way it is waited for.
        let _killed = self.holder.kill();
        let _ended = self.holder.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
