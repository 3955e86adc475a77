//! `cargo xtask dist`: Debian packages of the server and the agent. What they hold stands in `[package.metadata.deb]` of each
//! and in its folder `package/`; cargo-deb puts it together.

mod check;
mod licences;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use cargo_metadata::Metadata;

use crate::programs::{self, Program};
use crate::{console, process, workspace};

/// The packages, each named like its binary.
const PACKAGES: [Package; 2] = [
    Package { name: "stratora-server", manual: "server-manual", holds_the_console: true },
    Package { name: "stratora-agent", manual: "agent-manual", holds_the_console: false },
];

/// What puts packages together. An exact version: two builds of one commit are the same, byte for byte.
const CARGO_DEB: &str = "3.8.0";

/// What making packages needs.
const FOR_DIST: [Program; 3] = [
    Program { name: "dpkg-shlibdeps", package: "dpkg-dev", purpose: "which libraries a binary needs" },
    Program { name: "dpkg-deb", package: "dpkg", purpose: "what packages hold" },
    Program { name: "git", package: "git", purpose: "the date of a package, which is its commit's" },
];

/// A package to make.
struct Package {
    name: &'static str,
    /// The example that writes its manual pages and completions. It is built beside the binary, and not shipped.
    manual: &'static str,
    /// Whether the console is built into the binary.
    holds_the_console: bool,
}

/// What to make.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take the release builds that are there already.
    #[arg(long)]
    no_build: bool,
    /// The packages' revision, behind the version of the product.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    revision: u32,
    /// Install, start, upgrade and purge the packages too, on a Debian of their own: as root, and minutes long the first time.
    #[arg(long)]
    check: bool,
}

/// Makes both packages; cargo-deb tells where they are.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    programs::require_or_install(&FOR_DIST)?;
    if options.check {
        check::require()?;
    }
    if !options.no_build {
        console::build_if_stale()?;
        build()?;
    }
    let workshop = Workshop::open()?;
    let debian = workshop.target.join("debian");
    if !options.check {
        workshop.make(options.revision, &debian)?;
        return Ok(ExitCode::SUCCESS);
    }
    // The newer first, and elsewhere: whatever cargo-deb makes, it removes other revisions from `debian`.
    let folder = tempfile::tempdir()?;
    let newer = workshop.make(options.revision.saturating_add(1), folder.path())?;
    let made = workshop.make(options.revision, &debian)?;
    check::run(&workshop.target, &made, &newer)?;
    Ok(ExitCode::SUCCESS)
}

/// The binaries, and what writes their manuals: with one profile, so that nothing is compiled twice.
fn build() -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--release"]);
    for Package { name, manual, .. } in &PACKAGES {
        build.args(["--package", name, "--bin", name, "--example", manual]);
    }
    ensure!(process::run(&mut build)?.success(), "the release build failed");
    Ok(())
}

/// Where packages are made.
struct Workshop {
    metadata: Metadata,
    target: PathBuf,
    /// Seconds since 1970 of the commit, which stands in for the time of the build.
    date: String,
    cargo_deb: PathBuf,
}

impl Workshop {
    fn open() -> Result<Self> {
        let metadata = workspace::metadata()?;
        let target = metadata.target_directory.clone().into_std_path_buf();
        let cargo_deb = cargo_deb(&target)?;
        Ok(Self { metadata, target, date: date_of_commit()?, cargo_deb })
    }

    fn make(&self, revision: u32, folder: &Path) -> Result<Vec<PathBuf>> {
        PACKAGES.iter().map(|package| self.make_one(package, revision, folder)).collect()
    }

    fn make_one(&self, package: &Package, revision: u32, folder: &Path) -> Result<PathBuf> {
        let found = self.metadata.workspace_packages().into_iter().find(|found| found.name == package.name);
        let version = &found.with_context(|| format!("there is no package {}", package.name))?.version;
        let binaries = self.target.join("release");
        let generated = binaries.join("package").join(package.name);
        anew(&generated)?;
        let mut manual = Command::new(binaries.join("examples").join(package.manual));
        ensure!(process::run(manual.arg(&generated))?.success(), "{} failed", package.manual);
        let changelog = changelog(package.name, &format!("{version}-{revision}"), &self.date_of_changelog()?);
        let written = generated.join("changelog.Debian");
        fs::write(&written, changelog).context("cannot write the changelog")?;
        let licences = generated.join("licences");
        anew(&licences)?;
        licences::write(package.name, package.holds_the_console, &licences)?;
        // Debian wants them compressed; without a name and a date, so that they are the same each time.
        let mut gzip = Command::new("gzip");
        gzip.args(["--recursive", "--best", "--no-name"]).arg(generated.join("man")).arg(licences).arg(written);
        output(&mut gzip)?;

        let file = folder.join(format!("{}_{version}-{revision}_{}.deb", package.name, architecture()?));
        let mut deb = Command::new(&self.cargo_deb);
        deb.args(["--no-build", "--quiet", "--package", package.name, "--deb-revision", &revision.to_string()]);
        deb.arg("--output").arg(&file).arg("--manifest-path").arg(workspace::root().join("Cargo.toml"));
        deb.current_dir(workspace::root()).env("SOURCE_DATE_EPOCH", &self.date);
        ensure!(process::run(&mut deb)?.success(), "cargo-deb failed for {}", package.name);
        Ok(file)
    }

    fn date_of_changelog(&self) -> Result<String> {
        let mut date = Command::new("date");
        date.args(["--utc", "--rfc-email", &format!("--date=@{}", self.date)]).env("LC_ALL", "C");
        output(&mut date)
    }
}

/// An empty folder: nothing in a package is left over from an earlier build.
fn anew(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// cargo-deb, installed below the target directory where it is missing: no other project's version is changed.
fn cargo_deb(target: &Path) -> Result<PathBuf> {
    let root = target.join("tools").join(format!("cargo-deb-{CARGO_DEB}"));
    let program = root.join("bin/cargo-deb");
    if !program.is_file() {
        let mut install = workspace::cargo();
        install.args(["install", "cargo-deb", "--locked", "--version", CARGO_DEB, "--root"]).arg(&root);
        ensure!(process::run(&mut install)?.success(), "cannot install cargo-deb");
    }
    Ok(program)
}

fn date_of_commit() -> Result<String> {
    let mut git = Command::new("git");
    output(git.args(["log", "-1", "--format=%ct"]).current_dir(workspace::root()))
}

fn architecture() -> Result<String> {
    output(Command::new("dpkg").arg("--print-architecture"))
}

fn changelog(package: &str, version: &str, date: &str) -> String {
    format!(
        "{package} ({version}) stable; urgency=medium\n\n  * The release's notes tell what is new.\n\n \
         -- Stratora maintainers <maintainers@stratora.example.com>  {date}\n"
    )
}

/// What a command prints, without the end of its last line.
fn output(command: &mut Command) -> Result<String> {
    let ended = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(
        ended.status.success(),
        "{} failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&ended.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&ended.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const FOLDERS: [&str; 2] = ["bins/server/package", "bins/agent/package"];

    fn files_of_packages(matches: fn(&str) -> bool) -> Vec<PathBuf> {
        let folders = FOLDERS.map(|folder| fs::read_dir(workspace::root().join(folder)).unwrap());
        let files = folders.into_iter().flatten().map(|entry| entry.unwrap());
        files.filter(|entry| matches(entry.file_name().to_str().unwrap())).map(|entry| entry.path()).collect()
    }

    fn complaints(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
        let path = programs::find(program).unwrap_or_else(|| panic!("{program} is missing"));
        let ended = Command::new(path).args(arguments).arg(file).output().unwrap();
        let text = [ended.stdout, ended.stderr].concat();
        (!ended.status.success()).then(|| format!("{}: {}", file.display(), String::from_utf8_lossy(&text)))
    }

    #[test]
    fn systemd_rates_the_exposure_of_each_unit_below_2() {
        let units = files_of_packages(|name| name.ends_with(".service"));
        assert_eq!(units.len(), PACKAGES.len());
        for unit in units {
            // Tenths; what is above the threshold fails.
            let arguments = ["security", "--no-pager", "--offline=true", "--threshold=19"];
            assert_eq!(complaints("systemd-analyze", &arguments, &unit), None);
        }
    }

    #[test]
    fn maintainer_scripts_are_sound() {
        let scripts = files_of_packages(|name| ["preinst", "postinst", "prerm", "postrm"].contains(&name));
        assert!(scripts.len() >= PACKAGES.len());
        for script in scripts {
            assert_eq!(complaints("shellcheck", &["--shell=sh", "--severity=info"], &script), None);
            // Where cargo-deb puts the part that enables, starts and stops the unit.
            assert!(fs::read_to_string(&script).unwrap().contains("\n#DEBHELPER#\n"), "{}", script.display());
        }
    }

    /// A root of its own for maintainer scripts: their paths are below it, and what only root may do is written down.
    struct Root {
        folder: tempfile::TempDir,
    }

    impl Root {
        fn new() -> Self {
            let root = Self { folder: tempfile::tempdir().unwrap() };
            for folder in ["bin", "etc/stratora", "var/lib"] {
                fs::create_dir_all(root.path(folder)).unwrap();
            }
            root.program("dpkg-statoverride", "exit 1");
            for program in ["systemd-sysusers", "install", "chown"] {
                root.program(program, &format!("echo {program} $* >> {}", root.path("log").display()));
            }
            root
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn program(&self, name: &str, script: &str) {
            let file = self.path("bin").join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }

        /// Makes a file that everybody may read.
        fn write(&self, name: &str) -> PathBuf {
            let file = self.path(name);
            fs::write(&file, "secret\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
            file
        }

        /// Whether it succeeds, and what it prints.
        fn run(&self, script: &str, arguments: &[&str]) -> (bool, String) {
            let text = fs::read_to_string(workspace::root().join("bins").join(script)).unwrap();
            let root = self.folder.path().display();
            let text = text.replace("/etc/stratora", &format!("{root}/etc/stratora"));
            let text = text.replace("/var/lib/", &format!("{root}/var/lib/"));
            let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.path("bin").display());
            let mut shell = Command::new("sh");
            let ended = shell.arg("-c").arg(text).arg(script).args(arguments).env("PATH", path).output().unwrap();
            (ended.status.success(), String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap())
        }

        /// Who was given what.
        fn given(&self) -> Vec<String> {
            let log = fs::read_to_string(self.path("log")).unwrap();
            log.lines().filter(|line| line.starts_with("chown ")).map(str::to_owned).collect()
        }
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn settings_of_the_server_that_are_roots_own_become_its_groups() {
        let root = Root::new();
        let settings = root.write("etc/stratora/config.yaml");
        root.program("stat", "echo 0 1");
        assert_eq!(root.run("server/package/postinst", &["configure", ""]), (true, String::new()));
        let given = format!("chown --no-dereference root:stratora {}", settings.display());
        assert_eq!((root.given(), mode(&settings)), (vec![given], 0o640));
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(root.run("server/package/postinst", &["configure", "0.1.0-1"]).0);
        assert_eq!(mode(&settings), 0o600, "what an administrator changes stays");
    }

    #[test]
    fn what_somebody_left_in_the_place_of_the_servers_settings_is_refused_and_not_touched() {
        let leave: [fn(&Path, &Path); 4] = [
            |secret, place| std::os::unix::fs::symlink(secret, place).unwrap(),
            |_, place| std::os::unix::fs::symlink("/nonexistent", place).unwrap(),
            |secret, place| fs::hard_link(secret, place).unwrap(),
            |secret, place| {
                fs::copy(secret, place).unwrap();
                // Only root can give it away; for others it is not root's anyway.
                let _given = std::os::unix::fs::lchown(place, Some(65_534), None);
            },
        ];
        for leave in leave {
            let root = Root::new();
            let secret = root.write("etc/shadow");
            leave(&secret, &root.path("etc/stratora/config.yaml"));
            let (succeeds, told) = root.run("server/package/postinst", &["configure", ""]);
            assert!(
                !succeeds && told.lines().count() == 1 && told.contains("config.yaml is a link, or not root's"),
                "{told}"
            );
            assert_eq!((root.given(), mode(&secret)), (vec![], 0o604));
        }
    }

    #[test]
    fn settings_of_the_agent_are_given_to_it_and_never_what_a_link_leads_to() {
        let root = Root::new();
        let settings = root.write("etc/stratora/agent.json");
        root.program("stat", "echo 0 1");
        assert!(root.run("agent/package/postinst", &["configure", ""]).0);
        let given = format!("chown --no-dereference stratora-agent:stratora-agent {}", settings.display());
        assert_eq!((root.given(), mode(&settings)), (vec![given], 0o600));

        let leave: [fn(&Path, &Path); 2] = [
            |secret, place| std::os::unix::fs::symlink(secret, place).unwrap(),
            |secret, place| fs::hard_link(secret, place).unwrap(),
        ];
        for leave in leave {
            let root = Root::new();
            let secret = root.write("etc/shadow");
            leave(&secret, &root.path("etc/stratora/agent.json"));
            assert!(root.run("agent/package/postinst", &["configure", ""]).0);
            assert_eq!((root.given(), mode(&secret)), (vec![], 0o604));
        }
    }

    #[test]
    fn a_purge_of_the_agent_leaves_no_file_that_holds_a_key() {
        let root = Root::new();
        for file in ["agent.json", ".agent.json.new"] {
            root.write(&format!("etc/stratora/{file}"));
        }
        assert!(root.run("agent/package/postrm", &["purge"]).0);
        assert!(!root.path("etc/stratora").exists());
    }

    #[test]
    fn each_unit_runs_as_a_user_that_its_package_brings() {
        for unit in files_of_packages(|name| name.ends_with(".service")) {
            let text = fs::read_to_string(&unit).unwrap();
            let user = text.lines().find_map(|line| line.strip_prefix("User=")).unwrap();
            let users = fs::read_to_string(unit.with_extension("sysusers")).unwrap();
            let brings = |line: &str| line.split_whitespace().take(2).eq(["u", user]);
            assert!(users.lines().any(brings), "{user}: {users}");
        }
    }

    #[test]
    fn a_changelog_opens_with_the_version_of_its_package() {
        let text = changelog("a", "1.2.3-4", "Thu, 01 Jan 1970 00:00:00 +0000");
        assert!(text.starts_with("a (1.2.3-4) stable; "), "{text}");
        assert!(text.ends_with(">  Thu, 01 Jan 1970 00:00:00 +0000\n"), "{text}");
    }

    #[test]
    fn a_folder_made_anew_holds_nothing_of_before() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a/b");
        anew(&folder).unwrap();
        fs::write(folder.join("old"), "").unwrap();
        anew(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
