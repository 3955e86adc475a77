//! What is linked into a binary besides our own, and the terms that it is under: nearly all of them ask that whoever passes
//! a binary on passes them on too.
//!
//! They are the files that come with each crate, word for word, since each names its authors, and since some crates hold
//! parts of other projects. `cargo deny` says which terms there may be; this says which there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, Metadata, Node, Package, PackageId, TargetKind};
use spdx::{Expression, ParseMode};

use super::output;
use crate::workspace;

/// How the names of files with terms begin: licences, and the notices that some of them want passed on (Apache License 2.0,
/// section 4 d).
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "UNLICENSE", "COPYING", "COPYRIGHT", "NOTICE"];

/// What the console's build leaves of the packages that it bundles.
const OF_THE_CONSOLE: &str = "bins/console/dist/third-party-licenses.txt";

/// What the toolchain has of the standard library, below its root.
const OF_RUST: &str = "share/doc/rust/COPYRIGHT-library.html";

/// Writes all of it into a folder, each part as a file of its own. Two builds of one commit write the same.
pub(super) fn write(binary: &str, holds_the_console: bool, folder: &Path) -> Result<()> {
    // A package is for the machine that it is built on.
    let metadata = workspace::metadata_on(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    let linked = linked(&metadata, binary)?;
    let terms = linked.iter().map(|package| terms(package)).collect::<Result<Vec<_>>>()?.concat();
    fs::write(folder.join("third-party-licenses"), text(binary, &linked, terms))
        .context("cannot write the licences")?;

    let toolchain = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace::root()))?;
    copy(&PathBuf::from(toolchain).join(OF_RUST), &folder.join("third-party-licenses-of-rust.html"))?;
    if holds_the_console {
        let console = workspace::root().join(OF_THE_CONSOLE);
        copy(&console, &folder.join("third-party-licenses-of-the-console"))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display())).map(drop)
}

/// The crates from elsewhere whose code is in a binary, by name: neither what only builds it nor what only tests it. A crate
/// that is there for a feature which only another binary of this workspace wants is among them too.
fn linked<'a>(metadata: &'a Metadata, binary: &str) -> Result<Vec<&'a Package>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolves no dependencies")?;
    let nodes: HashMap<&PackageId, &Node> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root = metadata.workspace_packages().into_iter().find(|package| package.name == binary);
    let mut open = vec![&root.with_context(|| format!("there is no package {binary}"))?.id];
    let mut seen = BTreeSet::new();
    let mut linked = BTreeMap::new();
    while let Some(id) = open.pop() {
        let package = &metadata[id];
        let is_macro = package.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro));
        if is_macro || !seen.insert(id) {
            continue;
        }
        if package.source.is_some() {
            linked.insert((package.name.as_str(), &package.version), package);
        }
        let used = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let used = used.filter(|used| used.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        open.extend(used.map(|used| &used.pkg));
    }
    Ok(linked.into_values().collect())
}

/// Terms, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    origin: String,
    text: String,
}

/// The terms that come with a crate, or, where its authors left them out, those that it names.
fn terms(package: &Package) -> Result<Vec<Terms>> {
    let folder = package.manifest_path.parent().context("a package has no folder")?.as_std_path();
    let name = format!("{} {}", package.name, package.version);
    let mut terms = Vec::new();
    for file in files(folder)? {
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let place = file.strip_prefix(folder).unwrap_or(&file).display();
        terms.push(Terms { origin: format!("{name}, {place}"), text: tidied(&String::from_utf8_lossy(&bytes)) });
    }
    if terms.is_empty() {
        let named = package.license.as_deref().and_then(|licence| Expression::parse_mode(licence, ParseMode::LAX).ok());
        let named = named.iter().flat_map(Expression::requirements).filter_map(|wanted| wanted.req.license.id());
        let authors = package.authors.join(", ");
        terms.extend(named.map(|id| Terms {
            origin: format!("{name}, by {authors}, which names {}", id.name),
            text: tidied(id.text()),
        }));
    }
    ensure!(!terms.is_empty(), "{name} comes without terms");
    Ok(terms)
}

/// The files with terms in a folder and below it, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("cannot read {}", folder.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else if is_of_terms(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// `license.rs` is a program's part.
fn is_of_terms(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_source = Path::new(name).extension().is_some_and(|extension| extension == "rs");
    BEGINNINGS.iter().any(|beginning| upper.starts_with(beginning)) && !is_source
}

fn tidied(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// A list of the crates, and each text once, below all whose it is.
fn text(binary: &str, linked: &[&Package], terms: Vec<Terms>) -> String {
    let mut text = format!(
        "What is linked into {binary} besides Stratora's own crates and Rust's standard library, and its terms\n\
         as its authors give them. Where it says OR, one of the terms is enough.\n\n"
    );
    for package in linked {
        let licence = package.license.as_deref().unwrap_or("see below");
        let place = package.repository.as_deref().unwrap_or_default();
        let _written =
            writeln!(text, "{}", format!("{} {}: {licence}  {place}", package.name, package.version).trim_end());
    }
    for Terms { origin, text: once } in merged(terms) {
        let _written = write!(text, "\n{}\n{origin}\n\n{once}\n", "=".repeat(78));
    }
    text
}

/// The same text once, with all its origins, in the order in which the texts came first.
fn merged(terms: Vec<Terms>) -> Vec<Terms> {
    let mut merged: Vec<Terms> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for Terms { origin, text } in terms {
        if let Some(same) = places.get(&text).and_then(|place| merged.get_mut(*place)) {
            same.origin.push('\n');
            same.origin.push_str(&origin);
        } else {
            places.insert(text.clone(), merged.len());
            merged.push(Terms { origin, text });
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        workspace::metadata_on(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH)).unwrap()
    }

    fn names<'a>(linked: &[&'a Package]) -> BTreeSet<&'a str> {
        linked.iter().map(|package| package.name.as_str()).collect()
    }

    #[test]
    fn what_is_linked_is_what_is_neither_ours_nor_for_building_or_testing_alone() {
        let metadata = metadata();
        let agent = names(&linked(&metadata, "stratora-agent").unwrap());
        let server = names(&linked(&metadata, "stratora-server").unwrap());
        assert!(["reqwest", "ring", "sysinfo", "tokio"].iter().all(|name| agent.contains(name)), "{agent:?}");
        assert!(
            ["actix-governor", "actix-web", "libsqlite3-sys"].iter().all(|name| server.contains(name)),
            "{server:?}"
        );
        for name in ["actix-web", "cc", "clap_mangen", "serde_derive", "stratora-wire", "windows-registry"] {
            assert!(!agent.contains(name), "{name}");
        }
    }

    #[test]
    fn nothing_that_is_linked_is_without_terms() {
        let metadata = metadata();
        for binary in ["stratora-agent", "stratora-server"] {
            let linked = linked(&metadata, binary).unwrap();
            let found = linked.iter().map(|package| terms(package)).collect::<Result<Vec<_>>>().unwrap();
            assert!(found.iter().flatten().all(|terms| !terms.text.is_empty()), "{binary}");
        }
    }

    #[test]
    fn notices_and_parts_of_other_projects_are_not_forgotten() {
        let metadata = metadata();
        let origins = |name: &str| {
            let package = metadata.packages.iter().find(|package| *package.name == name).unwrap();
            terms(package).unwrap().into_iter().map(|terms| terms.origin).collect::<Vec<_>>().join("\n")
        };
        assert!(origins("moka").contains("NOTICE"));
        assert!(origins("ring").contains("third_party/fiat/LICENSE"));
    }

    #[test]
    fn whose_authors_left_the_terms_out_gets_those_that_it_names() {
        let metadata = metadata();
        let linked = linked(&metadata, "stratora-agent").unwrap();
        let package = linked.iter().find(|package| package.name == "influxdb-line-protocol").unwrap();
        let terms = terms(package).unwrap();
        assert!(terms.iter().any(|terms| terms.origin.ends_with("which names MIT")), "{terms:?}");
        assert!(terms.iter().any(|terms| terms.text.contains("Permission is hereby granted")), "{terms:?}");
    }

    #[test]
    fn the_same_text_stands_once_below_all_whose_it_is() {
        let terms = [("a 1, LICENSE", "x"), ("b 2, LICENSE", "y"), ("c 3, COPYING", "x")];
        let terms = terms.map(|(origin, text)| Terms { origin: origin.to_owned(), text: text.to_owned() });
        let text = text("d", &[], terms.into());
        let rule = "=".repeat(78);
        let expected = format!("\n{rule}\na 1, LICENSE\nc 3, COPYING\n\nx\n\n{rule}\nb 2, LICENSE\n\ny\n");
        assert!(text.starts_with("What is linked into d ") && text.ends_with(&expected), "{text}");
    }

    #[test]
    fn files_with_terms_are_told_by_their_names() {
        for name in ["LICENSE", "license-mit.txt", "LICENCE.md", "COPYING", "Copyright", "NOTICE.txt", "UNLICENSE"] {
            assert!(is_of_terms(name), "{name}");
        }
        for name in ["README.md", "license.rs", "relicense", "Cargo.toml"] {
            assert!(!is_of_terms(name), "{name}");
        }
    }
}
