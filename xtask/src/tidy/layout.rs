//! Where things are: the top of the repository, migrations in pairs, every crate in the description of the house.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::Metadata;

use super::{ARCHITECTURE, Finding};

/// What stands at the top, beside names that begin with a dot.
const TOP: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "bins",
    "crates",
    "docs",
    "migrations",
    "nginx",
    "xtask",
];

/// What git ignores there: what cargo makes, and the database of a server that was started there.
const MADE: [&str; 4] = ["target", "stratora.db", "stratora.db-shm", "stratora.db-wal"];

const DATABASES: [&str; 2] = ["migrations/postgres", "migrations/sqlite"];

pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<Finding>> {
    let mut findings = strangers(&names(root)?);
    let [postgres, sqlite] = DATABASES.map(|folder| names(&root.join(folder)));
    findings.extend(unpaired(&postgres?, &sqlite?));
    let architecture = fs::read_to_string(root.join(ARCHITECTURE)).unwrap_or_default();
    findings.extend(undescribed(&folders(metadata), &architecture));
    Ok(findings)
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The crates' folders, from the root.
fn folders(metadata: &Metadata) -> BTreeSet<String> {
    let packages = metadata.workspace_packages().into_iter();
    let folders =
        packages.filter_map(|package| package.manifest_path.parent()?.strip_prefix(&metadata.workspace_root).ok());
    folders.map(ToString::to_string).collect()
}

fn strangers(top: &BTreeSet<String>) -> Vec<Finding> {
    let known = |name: &str| name.starts_with('.') || TOP.contains(&name) || MADE.contains(&name);
    let missing = TOP.iter().filter(|name| !top.contains(**name));
    let strangers = top.iter().filter(|name| !known(name));
    let problem = "does not belong at the top; move it into one of the folders there, or below a dot";
    strangers
        .map(|name| Finding::new(name.clone(), problem))
        .chain(missing.map(|name| Finding::new(*name, "is missing at the top")))
        .collect()
}

fn unpaired(postgres: &BTreeSet<String>, sqlite: &BTreeSet<String>) -> Vec<Finding> {
    let [postgres_folder, sqlite_folder] = DATABASES;
    let sides =
        [(postgres, postgres_folder, sqlite, sqlite_folder), (sqlite, sqlite_folder, postgres, postgres_folder)];
    let mut findings = Vec::new();
    for (here, folder, there, other) in sides {
        let alone = here.difference(there);
        findings.extend(
            alone.map(|name| Finding::new(format!("{folder}/{name}"), format!("has no counterpart in {other}"))),
        );
    }
    findings
}

fn undescribed(folders: &BTreeSet<String>, architecture: &str) -> Vec<Finding> {
    let undescribed = folders.iter().filter(|folder| !architecture.contains(&format!("`{folder}`")));
    undescribed
        .map(|folder| Finding::new(folder.clone(), format!("describe it in {ARCHITECTURE}, as `{folder}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn paths(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.path.as_str()).collect()
    }

    #[test]
    fn the_top_holds_what_is_named_and_dot_files() {
        let mut top = set(&TOP);
        top.extend(set(&[".gitignore", "target"]));
        assert!(strangers(&top).is_empty());
        top.extend(set(&["scripts", "notes.md"]));
        assert_eq!(paths(&strangers(&top)), ["notes.md", "scripts"]);
    }

    #[test]
    fn what_is_missing_at_the_top_is_said() {
        let mut top = set(&TOP);
        top.remove("README.md");
        assert_eq!(paths(&strangers(&top)), ["README.md"]);
    }

    #[test]
    fn a_migration_for_one_database_alone_is_found_on_either_side() {
        let findings = unpaired(&set(&["0001_a", "0002_b"]), &set(&["0001_a", "0003_c"]));
        assert_eq!(paths(&findings), ["migrations/postgres/0002_b", "migrations/sqlite/0003_c"]);
    }

    #[test]
    fn a_crate_is_described_under_its_own_path() {
        let folders = set(&["crates/auth", "crates/audit"]);
        assert_eq!(paths(&undescribed(&folders, "| `crates/auth` | sign-in |")), ["crates/audit"]);
    }
}
