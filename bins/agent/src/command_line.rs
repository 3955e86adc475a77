//! The command line. It stands alone, so that manual pages and completions can be made from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Where the settings are, unless `--config` says otherwise.
pub const DEFAULT_CONFIG: &str = "/etc/stratora/agent.json";

/// Where the agent keeps what it has to remember, unless `--state-directory` says otherwise.
pub const DEFAULT_STATE_DIRECTORY: &str = "/var/lib/stratora-agent";

/// Stratora's agent: sends this host's metrics, pulls a configuration, and looks after its own key
///
/// It reads a server's address and an enrollment token from its settings, registers once, and from then on works with
/// a key of its own. SIGHUP makes it read its settings again, SIGTERM ends it.
#[derive(Debug, Clone, Parser)]
#[command(name = "stratora-agent", version, args_override_self = true)]
pub struct CommandLine {
    /// The settings: a JSON file that only its owner may read
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,

    /// Where to keep what has to be remembered: the buffer, the state of the configuration, what `status` shows
    #[arg(long, global = true, value_name = "DIRECTORY", default_value = DEFAULT_STATE_DIRECTORY)]
    pub state_directory: PathBuf,

    /// What to do; to run the agent when absent.
    #[command(subcommand)]
    pub action: Option<Action>,

    /// How to run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// What can be asked of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Run the agent in the foreground; this is what happens without a command
    Run,
    /// Say on one screen what is well and what is not; the exit status is 0 if all is well, otherwise 1
    Status,
}

/// How to run.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct RunOptions {
    /// Pull the configuration that the server has for this component, and write it to this file
    #[arg(long, value_name = "FILE")]
    pub config_target: Option<PathBuf>,

    /// Run this on a new configuration before it is used: `{}` stands for its path, which is added at the end if
    /// there is none
    #[arg(long, value_name = "COMMAND", requires = "config_target")]
    pub validate_command: Option<String>,

    /// Run this once a new configuration is in place, to have it read; if it fails, the old one is put back
    #[arg(long, value_name = "COMMAND", requires = "config_target")]
    pub apply_command: Option<String>,

    /// How long either command may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub command_timeout: Duration,

    /// How much disk the metrics may take that wait for the server; the oldest make room for new ones
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub buffer_limit: u32,

    /// The time from one heartbeat to the next; the server counts on 10 seconds.
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub interval: Duration,

    /// How long a request may take.
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub request_timeout: Duration,
}

/// The command line as data, for whoever makes manual pages and completions of it.
pub fn command() -> clap::Command {
    CommandLine::command()
}

/// Between a millisecond and an hour; fractions are allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.001..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be a number of seconds between 0.001 and 3600".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from([&["stratora-agent"], arguments].concat())
    }

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn without_arguments_the_agent_runs_with_the_paths_of_its_package() {
        let line = parsed(&[]).unwrap();
        assert_eq!(line.config.to_str(), Some(DEFAULT_CONFIG));
        assert_eq!(line.state_directory.to_str(), Some(DEFAULT_STATE_DIRECTORY));
        assert_eq!((line.action, line.run.interval), (None, Duration::from_secs(10)));
    }

    #[test]
    fn paths_may_stand_before_or_behind_the_command() {
        for arguments in [["--config", "/a", "status"], ["status", "--config", "/a"]] {
            let line = parsed(&arguments).unwrap();
            assert_eq!((line.action, line.config.to_str()), (Some(Action::Status), Some("/a")));
        }
    }

    #[test]
    fn what_is_said_last_counts_so_that_a_unit_can_be_added_to() {
        assert_eq!(parsed(&["--config", "/a", "--config", "/b"]).unwrap().config.to_str(), Some("/b"));
    }

    #[test]
    fn a_command_for_configurations_needs_a_place_for_them() {
        assert!(parsed(&["--validate-command", "true"]).is_err());
        assert!(parsed(&["--config-target", "/t", "--validate-command", "true"]).is_ok());
    }

    #[test]
    fn times_are_numbers_of_seconds_within_reason() {
        for refused in ["0", "-1", "NaN", "inf", "3601", "ten", ""] {
            assert!(parsed(&["--interval", refused]).is_err(), "{refused}");
        }
        assert_eq!(parsed(&["--interval", "0.05"]).unwrap().run.interval, Duration::from_millis(50));
    }
}
