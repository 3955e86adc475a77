//! `cargo xtask dist`: Debian packages of the server and the agent. What they hold stands in `[package.metadata.deb]` of each
//! and in its folder `package/`; cargo-deb puts it together.

mod check;
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
    Package { name: "stratora-server", manual: "server-manual" },
    Package { name: "stratora-agent", manual: "agent-manual" },
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
    for Package { name, manual } in &PACKAGES {
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
        // Debian wants both compressed; without a name and a date, so that they are the same each time.
        let mut gzip = Command::new("gzip");
        output(gzip.args(["--recursive", "--best", "--no-name"]).arg(generated.join("man")).arg(written))?;

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
