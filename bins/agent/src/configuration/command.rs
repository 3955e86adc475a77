//! A command of the administrator's that says whether a configuration is good.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// How much of its output is kept, in bytes: the end, where programs say what was wrong. Half of what the server
/// keeps of a report.
const KEPT: u64 = 2048;

/// Stands for the configuration's path.
const PLACE: &str = "{}";

/// A command cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{option}` is not a command: it is empty, or a quote is not closed")]
pub struct InvalidCommand {
    /// The option that it was given with.
    pub option: &'static str,
}

/// A program with its arguments. No shell is involved.
#[derive(Debug, Clone)]
pub struct Command {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
    output: PathBuf,
}

impl Command {
    /// Reads a command, with quotes as in a shell. Its output goes through the file `output`.
    ///
    /// # Errors
    /// [`InvalidCommand`] names `option`.
    pub fn parse(option: &'static str, text: &str, timeout: Duration, output: PathBuf) -> Result<Self, InvalidCommand> {
        let mut words = shlex::split(text).ok_or(InvalidCommand { option })?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(InvalidCommand { option })?;
        Ok(Self { program, arguments: words.collect(), timeout, output })
    }

    /// Runs it on the configuration at `path`, or with the arguments that it has if `path` is absent. It is killed if
    /// it takes too long.
    ///
    /// # Errors
    /// What it said, or why it could not say anything, when it did not exit with 0.
    pub async fn run(&self, path: Option<&Path>) -> Result<(), String> {
        let cannot = |error: io::Error| format!("{} cannot be run: {error}", self.program);
        let mut options = File::options();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let output = options.open(&self.output).map_err(cannot)?;
        let mut command = tokio::process::Command::new(&self.program);
        command.args(self.arguments_for(path)).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(output.try_clone().map_err(cannot)?).stderr(output);
        let mut child = command.spawn().map_err(cannot)?;
        let ended = tokio::time::timeout(self.timeout, child.wait()).await;
        let said = tail(&self.output).unwrap_or_default();
        // May hold parts of a configuration.
        let _removed = fs::remove_file(&self.output);
        match ended {
            Err(_) => Err(format!("{} took longer than {} s\n{said}", self.program, self.timeout.as_secs_f32())),
            Ok(Err(error)) => Err(cannot(error)),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("{} ended with {status}\n{said}", self.program)),
        }
    }

    fn arguments_for(&self, path: Option<&Path>) -> Vec<OsString> {
        let Some(path) = path else { return self.arguments.iter().map(OsString::from).collect() };
        let named = self.arguments.iter().any(|argument| argument.contains(PLACE));
        let path_text = path.to_string_lossy();
        let mut arguments: Vec<_> =
            self.arguments.iter().map(|argument| OsString::from(argument.replace(PLACE, &path_text))).collect();
        if !named {
            arguments.push(path.into());
        }
        arguments
    }
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(KEPT)))?;
    let mut end = Vec::new();
    file.take(KEPT).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, directory: &tempfile::TempDir) -> Command {
        Command::parse("--option", text, Duration::from_secs(20), directory.path().join("output")).unwrap()
    }

    #[test]
    fn the_path_goes_where_it_is_wanted_or_else_to_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let arguments = |text: &str| command(text, &directory).arguments_for(Some(Path::new("/new file")));
        assert_eq!(arguments("telegraf --test --config"), ["--test", "--config", "/new file"]);
        assert_eq!(arguments("check --file={} 'a b'"), ["--file=/new file", "a b"]);
    }

    #[test]
    fn a_command_without_a_program_or_an_end_is_none() {
        for text in ["", "  ", "''", "sh -c 'never closed"] {
            let parsed = Command::parse("--option", text, Duration::from_secs(1), PathBuf::new());
            assert!(parsed.is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn what_it_says_is_kept_when_it_fails() {
        let directory = tempfile::tempdir().unwrap();
        let said = command("sh -c 'echo out; echo err >&2; exit 3'", &directory).run(None).await.unwrap_err();
        assert!(said.contains("exit status: 3") && said.contains("out\nerr\n"), "{said}");
        command("sh -c 'test -f \"$0\"' {}", &directory).run(Some(directory.path())).await.unwrap_err();
        command("sh -c 'test -d \"$0\"' {}", &directory).run(Some(directory.path())).await.unwrap();
    }

    #[tokio::test]
    async fn of_a_long_output_the_end_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let said = command("sh -c 'seq 100000; exit 1'", &directory).run(None).await.unwrap_err();
        assert!(said.ends_with("100000\n") && said.len() < 2200, "{}", said.len());
    }

    #[tokio::test]
    async fn one_that_never_ends_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("output");
        let command = Command::parse("--option", "sleep 1000", Duration::from_millis(50), output).unwrap();
        assert!(command.run(None).await.unwrap_err().contains("took longer"));
    }

    #[tokio::test]
    async fn one_that_does_not_exist_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let said = command("/nonexistent/telegraf", &directory).run(None).await.unwrap_err();
        assert!(said.starts_with("/nonexistent/telegraf cannot be run"), "{said}");
    }
}
