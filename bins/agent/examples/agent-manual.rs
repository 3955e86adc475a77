//! Writes the manual pages and shell completions of `stratora-agent` into the folder that is named; its package holds them.
//! An example, so that the agent itself carries nothing for it.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap_complete::Shell;
use stratora_agent::command_line;

/// What the definition of the command line does not say.
const SURROUNDINGS: &str = include_str!("../package/surroundings.roff");

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: agent-manual FOLDER")?;
    write(Path::new(&folder))
}

fn write(folder: &Path) -> anyhow::Result<()> {
    let mut command = command_line::command();
    let pages = folder.join("man");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(command.clone(), &pages)?;
    let mut page = fs::OpenOptions::new().append(true).open(pages.join("stratora-agent.1"))?;
    page.write_all(SURROUNDINGS.as_bytes())?;
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "stratora-agent", &completions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_command_has_a_page_without_mistakes() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let pages: Vec<_> =
            fs::read_dir(folder.path().join("man")).unwrap().map(|entry| entry.unwrap().path()).collect();
        for name in ["stratora-agent.1", "stratora-agent-run.1", "stratora-agent-status.1"] {
            assert!(pages.iter().any(|page| page.ends_with(name)), "{name}");
        }
        // An empty paragraph is how clap ends a list; that is style.
        let lint = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).args(&pages).output().unwrap();
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    }

    #[test]
    fn bash_accepts_its_completions() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let file = folder.path().join("completions/stratora-agent.bash");
        assert!(Command::new("bash").arg("-n").arg(&file).status().unwrap().success());
        assert!(fs::read_to_string(&file).unwrap().contains("validate-command"));
    }
}
