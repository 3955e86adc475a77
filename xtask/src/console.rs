//! The console: built when it is older than its sources, and checked with the tools of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::programs::{self, NODE, NPM};
use crate::workspace;

/// What its build is made of.
const SOURCES: [&str; 8] =
    ["index.html", "package.json", "package-lock.json", "public", "scripts", "src", "tsconfig.json", "vite.config.ts"];

/// What has to hold for a change of it, each a script of its `package.json`.
const CHECKS: [&str; 3] = ["lint", "test", "licenses"];

fn folder() -> PathBuf {
    workspace::root().join("bins/console")
}

/// `cargo xtask console`.
pub(crate) fn run() -> Result<ExitCode> {
    build_if_stale()?;
    Ok(ExitCode::SUCCESS)
}

/// Builds it, unless its build is younger than everything that it is made of.
pub(crate) fn build_if_stale() -> Result<()> {
    let folder = folder();
    let built = modified(&folder.join("dist/index.html"));
    let newest = SOURCES.iter().map(|source| newest(&folder.join(source))).collect::<Result<Vec<_>>>()?;
    if built.is_some() && newest.into_iter().flatten().max() < built {
        return Ok(());
    }
    install()?;
    npm(["run", "build"])
}

/// Runs its own checks, and holds its types of the API to the document that the server has.
pub(crate) fn check() -> Result<bool> {
    install()?;
    let mut passes = true;
    for check in CHECKS {
        passes &= succeeds(["run", check])?;
    }
    let mut document = workspace::cargo();
    document.args(["run", "--quiet", "--package", "stratora-api", "--example", "openapi"]);
    let output = document.output().context("cannot print the OpenAPI document")?;
    ensure!(output.status.success(), "the OpenAPI document: {}", String::from_utf8_lossy(&output.stderr));
    let file = workspace::target_directory()?.join("openapi.json");
    fs::write(&file, output.stdout)?;
    let file = file.display().to_string();
    Ok(succeeds(["run", "api:types", "--", "--check", &file])? && passes)
}

/// Brings its packages, unless they are there. None runs a script of its own.
fn install() -> Result<()> {
    programs::require(&[NODE, NPM])?;
    let folder = folder();
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && modified(&folder.join("package-lock.json")) <= installed {
        return Ok(());
    }
    npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
}

/// What one of its scripts prints.
pub(crate) fn output<const N: usize>(arguments: [&str; N], environment: &[(&str, &str)]) -> Result<String> {
    install()?;
    let mut npm = command(arguments)?;
    let output = npm.envs(environment.iter().copied()).output().context("cannot start npm")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "npm {} failed in bins/console: {errors}", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

fn npm<const N: usize>(arguments: [&str; N]) -> Result<()> {
    ensure!(succeeds(arguments)?, "npm {} failed in bins/console", arguments.join(" "));
    Ok(())
}

fn succeeds<const N: usize>(arguments: [&str; N]) -> Result<bool> {
    Ok(process::run(&mut command(arguments)?)?.success())
}

fn command<const N: usize>(arguments: [&str; N]) -> Result<Command> {
    let mut npm = Command::new(programs::find(NPM.name).context("cannot find npm")?);
    npm.args(arguments).current_dir(folder()).env("PATH", programs::path_variable()?);
    Ok(npm)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// When something in there was last changed.
fn newest(path: &Path) -> Result<Option<SystemTime>> {
    if !path.is_dir() {
        return Ok(modified(path));
    }
    // The folder's own time tells of what was deleted.
    let mut times = vec![modified(path)];
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        times.push(newest(&entry?.path())?);
    }
    Ok(times.into_iter().flatten().max())
}
