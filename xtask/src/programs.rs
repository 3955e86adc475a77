//! The programs that tests and tasks call, found or installed.

use std::ffi::OsString;
use std::fs::{OpenOptions, read_dir};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// A program, and what brings it on Debian.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Program {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What to install: a package, or several with spaces between them.
    pub(crate) package: &'static str,
    /// What it is for.
    pub(crate) purpose: &'static str,
}

/// Keeps time series; ingest and queries pass through the server to it.
pub(crate) const VICTORIA_METRICS: Program =
    Program { name: "victoria-metrics", package: "victoria-metrics", purpose: "the store of time series" };

/// Builds the console.
pub(crate) const NODE: Program = Program { name: "node", package: "nodejs", purpose: "what the console is built with" };

/// Brings the console's packages.
pub(crate) const NPM: Program = Program { name: "npm", package: "npm", purpose: "the console's packages" };

/// Everything that the tests call.
pub(crate) const FOR_TESTS: [Program; 24] = [
    Program { name: "initdb", package: "postgresql", purpose: "PostgreSQL, the database in production" },
    Program { name: "psql", package: "postgresql-client", purpose: "PostgreSQL's own client" },
    Program { name: "nginx", package: "nginx", purpose: "NGINX, in front of the server" },
    VICTORIA_METRICS,
    Program { name: "vmagent", package: "victoria-metrics", purpose: "a writer of Prometheus's remote write" },
    Program { name: "icinga2", package: "icinga2-bin", purpose: "a monitoring system that writes to InfluxDB" },
    Program { name: "curl", package: "curl", purpose: "a client that is not written in Rust" },
    Program { name: "python3", package: "python3", purpose: "a way into SQLite files past the product" },
    Program { name: "pip3", package: "python3-pip", purpose: "writers that are programs in Python" },
    Program { name: "ip", package: "iproute2", purpose: "a network of its own for a test" },
    Program { name: "nft", package: "nftables", purpose: "a network that drops packets" },
    Program { name: "strace", package: "strace", purpose: "what sees, refuses and ends system calls" },
    Program { name: "faketime", package: "faketime", purpose: "clocks that are wrong" },
    Program { name: "openssl", package: "openssl", purpose: "a TLS client, and certificates to try" },
    NODE,
    NPM,
    Program { name: "chromium", package: "chromium", purpose: "a browser" },
    Program { name: "slapd", package: "slapd", purpose: "OpenLDAP, a directory" },
    Program { name: "ldapadd", package: "ldap-utils", purpose: "what fills directories" },
    // Its ports are fixed and below 1024: the test of Active Directory fails unless root runs it.
    Program {
        name: "samba",
        package: "samba-ad-dc samba-ad-provision",
        purpose: "Active Directory; its test has to be run as root",
    },
    Program { name: "samba-tool", package: "samba-common-bin", purpose: "what makes a domain" },
    Program { name: "systemd-analyze", package: "systemd", purpose: "how exposed our services are" },
    Program { name: "shellcheck", package: "shellcheck", purpose: "mistakes in the scripts of our packages" },
    Program { name: "mandoc", package: "mandoc", purpose: "mistakes in manual pages" },
];

/// A file whose status 101 forbids Debian's packages to start the services that they bring.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Where programs are found. Debian keeps servers out of a person's `PATH`, and PostgreSQL's out of everybody's.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let mut path: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    path.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    path.extend(postgres_directories(Path::new("/usr/lib/postgresql")));
    path
}

/// The same, as the variable `PATH` of a command.
pub(crate) fn path_variable() -> Result<OsString> {
    std::env::join_paths(search_path()).context("a folder in PATH has a name that PATH cannot hold")
}

/// Where a program is.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    search_path().into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Debian's folders of PostgreSQL's own programs, the newest version first.
fn postgres_directories(base: &Path) -> Vec<PathBuf> {
    let versions = read_dir(base).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.iter().map(|version| base.join(version.to_string()).join("bin")).collect()
}

/// Fails with all that is missing and how to install it.
pub(crate) fn require(programs: &[Program]) -> Result<()> {
    let missing = missing(programs);
    ensure!(missing.is_empty(), "{}", what_to_install(&missing));
    Ok(())
}

/// The same, but installs where that needs no question: as root on Debian and its like.
pub(crate) fn require_or_install(programs: &[Program]) -> Result<()> {
    let missing = missing(programs);
    let may_install = rustix::process::geteuid().is_root() && Path::new("/etc/debian_version").exists();
    if may_install && !missing.is_empty() {
        install(&missing)?;
    }
    require(programs)
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs.iter().copied().filter(|program| find(program.name).is_none()).collect()
}

fn what_to_install(missing: &[Program]) -> String {
    let list: Vec<_> = missing.iter().map(|Program { name, purpose, .. }| format!("  {name}: {purpose}")).collect();
    let packages: Vec<_> = missing.iter().map(|program| program.package).collect();
    format!(
        "these programs are missing:\n{}\non Debian or Ubuntu: apt-get install {}",
        list.join("\n"),
        packages.join(" ")
    )
}

fn install(missing: &[Program]) -> Result<()> {
    let _policy = NoServices::begin()?;
    let packages = missing.iter().flat_map(|program| program.package.split(' '));
    apt_get(&["update", "--quiet"], [])?;
    apt_get(&["install", "--quiet", "--yes", "--no-install-recommends"], packages)
}

fn apt_get<'a>(arguments: &[&str], packages: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    if !process::run(&mut command)?.success() {
        bail!("apt-get {} failed", arguments.join(" "));
    }
    Ok(())
}

/// While this lives, no package starts a service: the tests start their own, on ports and in folders of their own.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(SERVICE_POLICY);
        match file {
            Ok(mut file) => {
                file.write_all(b"#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {SERVICE_POLICY}"))?;
                Ok(Self { ours: true })
            }
            // The machine has a policy of its own, as containers do.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error).with_context(|| format!("cannot write {SERVICE_POLICY}")),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = std::fs::remove_file(SERVICE_POLICY)
        {
            eprintln!("cannot remove {SERVICE_POLICY}, which keeps packages from starting services: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_postgresql_is_found_first() {
        let base = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "lost+found"] {
            std::fs::create_dir(base.path().join(version)).unwrap();
        }
        let expected: Vec<_> = ["17", "15", "9"].iter().map(|version| base.path().join(version).join("bin")).collect();
        assert_eq!(postgres_directories(base.path()), expected);
    }

    #[test]
    fn a_machine_without_postgresql_has_no_folder_of_it() {
        assert!(postgres_directories(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn all_that_is_missing_is_said_at_once() {
        let absent = |name| Program { name, package: "a-package", purpose: "something" };
        let missing = missing(&[absent("stratora-no-such-1"), absent("sh"), absent("stratora-no-such-2")]);
        let text = what_to_install(&missing);
        assert!(text.contains("stratora-no-such-1: something\n  stratora-no-such-2: something"), "{text}");
        assert!(text.ends_with("apt-get install a-package a-package"), "{text}");
    }
}
