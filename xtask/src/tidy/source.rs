//! How source files are laid out: what they open with, how long they are, and what may not stand in them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Finding;

/// Longer before its tests, a file holds two concepts.
const LINES: usize = 400;

/// Where there is Rust of ours.
const FOLDERS: [&str; 3] = ["bins", "crates", "xtask"];

/// Attributes that hide a problem, and what to write instead.
const ATTRIBUTES: [(&str, &str); 3] = [
    ("[ignore", "a test that is not run tells nothing: make it run, or remove it"),
    ("[allow(", "write #[expect(…, reason = \"…\")], which complains when it is no longer needed"),
    ("![allow(", "write #![expect(…, reason = \"…\")], which complains when it is no longer needed"),
];

/// Macros that stand for code that is not there.
const PLACEHOLDERS: [&str; 2] = ["todo", "unimplemented"];

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in FOLDERS.iter().map(|folder| rust_files(&root.join(folder))).collect::<Result<Vec<_>>>()?.concat() {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        findings.extend(problems(path, &text).into_iter().map(|problem| Finding::new(path.to_string_lossy(), problem)));
    }
    Ok(findings)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name() != Some(OsStr::new("node_modules")) {
                files.extend(rust_files(&path)?);
            }
        } else if path.extension() == Some(OsStr::new("rs")) {
            files.push(path);
        }
    }
    Ok(files)
}

fn problems(path: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.starts_with("//! ") {
        problems.push("open it with //!: what it is and why it is here".to_owned());
    }
    let length = lines_before_tests(text);
    if length > LINES && !is_all_tests(path) {
        problems
            .push(format!("{length} lines before its tests, more than {LINES}: find the two concepts and part them"));
    }
    for (line, number) in text.lines().zip(1..) {
        problems.extend(problem_of_line(line.trim_start()).map(|problem| format!("line {number}: {problem}")));
    }
    problems
}

fn problem_of_line(line: &str) -> Option<String> {
    if line.starts_with("//") {
        return None;
    }
    if let Some(attribute) = line.strip_prefix('#') {
        return ATTRIBUTES
            .iter()
            .find(|(start, _)| attribute.starts_with(start))
            .map(|(_, advice)| (*advice).to_owned());
    }
    let placeholder = PLACEHOLDERS.iter().find(|name| line.contains(&format!("{name}!(")))?;
    Some(format!("{placeholder}! is not an implementation: write it, or leave it out"))
}

fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<_> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| matches!(pair, ["#[cfg(test)]", next] if next.starts_with("mod ")));
    tests.unwrap_or(lines.len())
}

/// A file of a crate's tests, or of the support that it gives to others' tests.
fn is_all_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests") || path.file_name() == Some(OsStr::new("tests.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> Vec<String> {
        problems(Path::new("crates/a/src/b.rs"), text)
    }

    fn file_of(lines: usize) -> String {
        format!("//! About.\n{}", "fn f() {}\n".repeat(lines - 1))
    }

    #[test]
    fn a_file_opens_with_what_it_is() {
        assert!(problems_of("//! What this is.\n").is_empty());
        assert_eq!(problems_of("// What this is.\n").len(), 1);
        assert_eq!(problems_of("").len(), 1);
    }

    #[test]
    fn length_counts_up_to_the_tests() {
        assert!(problems_of(&file_of(LINES)).is_empty());
        assert_eq!(problems_of(&file_of(LINES + 1)).len(), 1);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// a test\n".repeat(LINES));
        assert!(problems_of(&(file_of(LINES) + &tests)).is_empty());
        assert_eq!(problems_of(&(file_of(LINES + 1) + &tests)).len(), 1);
    }

    #[test]
    fn something_else_for_tests_alone_does_not_end_the_count() {
        let early = "#[cfg(test)]\nuse std::fmt;\n";
        assert_eq!(problems_of(&(file_of(LINES) + early)).len(), 1);
    }

    #[test]
    fn a_file_that_is_all_tests_may_be_long() {
        for path in ["crates/a/tests/b.rs", "crates/a/tests/b/c.rs", "crates/a/src/b/tests.rs"] {
            assert!(problems(Path::new(path), &file_of(LINES + 1)).is_empty(), "{path}");
        }
    }

    #[test]
    fn attributes_that_hide_a_problem_are_found_with_their_line() {
        for attribute in ["#[ignore]", "#[ignore = \"slow\"]", "#[allow(dead_code)]", "#![allow(missing_docs)]"] {
            let problems = problems_of(&format!("//! About.\n    {attribute}\n"));
            assert_eq!(problems.len(), 1, "{attribute}");
            assert!(problems[0].starts_with("line 2: "), "{problems:?}");
        }
        assert!(problems_of("//! About.\n#[expect(dead_code, reason = \"shown\")]\n").is_empty());
    }

    #[test]
    fn placeholders_are_found_in_code_and_not_in_prose() {
        for name in PLACEHOLDERS {
            assert_eq!(problems_of(&format!("//! About.\nfn f() {{ {name}!() }}\n")).len(), 1);
            assert!(problems_of(&format!("//! About.\n// {name}!() is banned.\n")).is_empty());
        }
    }
}
