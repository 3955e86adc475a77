//! `cargo xtask tidy`: what no compiler and no linter checks. It needs nothing built and takes a second.

mod dependencies;
mod layout;
mod source;
mod supply;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace;

/// The description of the house, which the house is held to.
const ARCHITECTURE: &str = "docs/architecture.md";

/// Something that is not as it should be.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Finding {
    /// The file or folder, from the workspace's root.
    path: String,
    /// What is wrong, and what to do.
    problem: String,
}

impl Finding {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// Checks everything.
pub(crate) fn run() -> Result<ExitCode> {
    Ok(if passes()? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks everything, prints what it finds, and says whether that was nothing.
pub(crate) fn passes() -> Result<bool> {
    let root = workspace::root();
    let metadata = workspace::metadata()?;
    let mut findings = dependencies::check(&metadata, root)?;
    findings.extend(supply::check(&metadata, root)?);
    findings.extend(layout::check(&metadata, root)?);
    findings.extend(source::check(root)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} to put right", findings.len());
    Ok(findings.is_empty())
}
