//! One screen, and an exit status.

use std::io::Write as _;
use std::process::ExitCode;

use jiff::Timestamp;

use super::{FILE, Status};
use crate::clock;
use crate::command_line::CommandLine;
use crate::log::{causes, in_one_line};
use crate::standing::Standing;
use crate::state::StateDirectory;
use crate::store::SettingsStore;

/// How far the clock may be off, in seconds; what the agent warns at.
const CLOCK: i64 = 60;

/// Shows what is well and what is not. The exit status is 0 if all is well, otherwise 1.
pub fn show(line: &CommandLine, store: &dyn SettingsStore) -> ExitCode {
    let state = StateDirectory::look(&line.state_directory);
    let settings = match store.load() {
        Ok(settings) => Ok(format!("{}, for {}", store.place(), settings.server_url.as_str().trim_end_matches('/'))),
        Err(error) => Err(format!("{}: {}", store.place(), causes(&error))),
    };
    let lines = lines(settings, state.is_in_use(), state.load(FILE).as_ref(), clock::now());
    let mut out = std::io::stdout().lock();
    for Line { well, what, text } in &lines {
        // Nobody is there to be told if it fails.
        let _written = writeln!(out, "{}  {what:<14} {}", if *well { "ok " } else { "BAD" }, in_one_line(text));
    }
    if lines.iter().all(|line| line.well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Debug)]
struct Line {
    well: bool,
    what: &'static str,
    text: String,
}

fn lines(settings: Result<String, String>, runs: bool, status: Option<&Status>, now: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |well, what, text| lines.push(Line { well, what, text });
    match settings {
        Ok(text) => say(true, "settings", text),
        Err(text) => say(false, "settings", text),
    }
    let Some(status) = status.filter(|_| runs) else {
        let text =
            if runs { "yes, but it has not said yet how it is" } else { "no agent runs with this state directory" };
        say(false, "running", text.to_owned());
        return lines;
    };
    let since = ago(status.started_at, now);
    say(true, "running", format!("version {}, process {}, started {since}", status.version, status.process));
    say_server(&mut say, status, now);
    if let Some(trouble) = &status.key_trouble {
        say(false, "key", trouble.clone());
    }
    if let Some(trouble) = &status.enrollment_trouble {
        say(false, "enrollment", trouble.clone());
    }
    let ahead = status.clock_ahead_seconds;
    let clock = match ahead {
        0 => "as the server's".to_owned(),
        1.. => format!("{ahead} s ahead of the server's"),
        _ => format!("{} s behind the server's", ahead.saturating_neg()),
    };
    say(ahead.saturating_abs() < CLOCK, "clock", clock);
    say_metrics(&mut say, status, now);
    if status.pulls_configuration {
        let last = status.configuration.as_ref();
        let text =
            last.map_or("none was set on the server yet".to_owned(), |last| format!("{} at {}", last.status, last.at));
        let well = last.is_none_or(|last| last.status == "applied");
        match &status.configuration_trouble {
            Some(trouble) => say(false, "configuration", trouble.clone()),
            None => say(well, "configuration", text),
        }
    }
    lines
}

fn say_server(say: &mut impl FnMut(bool, &'static str, String), status: &Status, now: Timestamp) {
    let heard = status.heartbeat_at.map_or("never".to_owned(), |time| ago(time, now));
    let (well, text) = match &status.standing {
        Standing::Good => {
            let id = status.component_id.as_deref().unwrap_or("unknown");
            let silence = status.heartbeat_at.map_or(i64::MAX, |time| now.as_second() - time.as_second());
            let patience = i64::try_from(status.interval_seconds.max(10)).unwrap_or(i64::MAX).saturating_mul(3);
            (silence <= patience, format!("takes this agent's key (component {id}), last {heard}"))
        }
        Standing::Starting => (false, "not asked yet".to_owned()),
        Standing::AwaitingApproval => (false, "waits for an administrator to approve this agent".to_owned()),
        Standing::NotEnrolled(why) => (false, format!("not enrolled: {why}")),
        Standing::Refused(why) => (false, why.clone()),
        Standing::Away(why) => (false, format!("{why}; it last answered: {heard}")),
    };
    say(well, "server", text);
}

fn say_metrics(say: &mut impl FnMut(bool, &'static str, String), status: &Status, now: Timestamp) {
    let sent = status.metrics_at.map_or("never sent".to_owned(), |time| format!("last sent {}", ago(time, now)));
    let waiting = match status.buffered_bytes {
        0 => "none waiting".to_owned(),
        bytes => format!("{} KiB waiting of {} KiB", bytes.div_ceil(1024), status.buffer_limit_bytes / 1024),
    };
    let dropped = match status.dropped_lines {
        0 => "none dropped".to_owned(),
        lines => format!("{lines} lines dropped since the start"),
    };
    let trouble = status.metrics_trouble.as_ref().map_or(String::new(), |trouble| format!("; {trouble}"));
    let well = status.metrics_trouble.is_none() && status.metrics_at.is_some();
    say(well, "metrics", format!("{sent}, {waiting}, {dropped}{trouble}"));
}

fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn well() -> Status {
        let mut status = Status::new(at(0), 10, 1024 * 1024, true);
        status.standing = Standing::Good;
        status.heartbeat_at = Some(at(990));
        status.metrics_sent(at(995));
        status
    }

    fn bad(status: &Status) -> Vec<&'static str> {
        let lines = lines(Ok("here".to_owned()), true, Some(status), at(1000));
        lines.iter().filter(|line| !line.well).map(|line| line.what).collect()
    }

    #[test]
    fn an_agent_that_is_well_has_nothing_bad_to_say() {
        assert_eq!(bad(&well()), [""; 0]);
    }

    #[test]
    fn each_trouble_is_a_bad_line_of_its_own() {
        let mut status = well();
        status.heartbeat_at = Some(at(900));
        assert_eq!(bad(&status), ["server"]);
        for standing in [
            Standing::Starting,
            Standing::AwaitingApproval,
            Standing::NotEnrolled("x".into()),
            Standing::Refused("x".into()),
            Standing::Away("x".into()),
        ] {
            let status = Status { standing, ..well() };
            assert_eq!(bad(&status), ["server"]);
        }
        assert_eq!(bad(&Status { clock_ahead_seconds: -60, ..well() }), ["clock"]);
        assert_eq!(bad(&Status { key_trouble: Some("x".into()), ..well() }), ["key"]);
        assert_eq!(bad(&Status { enrollment_trouble: Some("x".into()), ..well() }), ["enrollment"]);
        assert_eq!(bad(&Status { metrics_trouble: Some("x".into()), ..well() }), ["metrics"]);
        assert_eq!(bad(&Status { configuration_trouble: Some("x".into()), ..well() }), ["configuration"]);
    }

    #[test]
    fn a_configuration_that_was_not_applied_is_bad() {
        let last = crate::configuration::LastConfiguration { status: "rolled_back".into(), at: "then".into() };
        assert_eq!(bad(&Status { configuration: Some(last), ..well() }), ["configuration"]);
    }

    #[test]
    fn without_an_agent_what_an_earlier_one_wrote_does_not_count() {
        let lines = lines(Ok("here".to_owned()), false, Some(&well()), at(1000));
        assert_eq!(
            lines.iter().map(|line| (line.what, line.well)).collect::<Vec<_>>(),
            [("settings", true), ("running", false)]
        );
    }
}
