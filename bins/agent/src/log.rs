//! What the agent says: a line an event, on standard error. For the journal each line begins with its priority, as
//! systemd reads it (`sd-daemon(3)`), and has no time, which the journal adds.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Everything that the agent says goes to standard error from now on.
pub fn start() {
    let format = Lines { for_journal: std::env::var_os("JOURNAL_STREAM").is_some() };
    tracing_subscriber::fmt().event_format(format).with_writer(std::io::stderr).with_max_level(Level::INFO).init();
}

struct Lines {
    for_journal: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        out.write_str(beginning(level, self.for_journal))?;
        let mut message = Message(String::new());
        event.record(&mut message);
        writeln!(out, "{}", in_one_line(&message.0))
    }
}

const fn beginning(level: Level, for_journal: bool) -> &'static str {
    match (level, for_journal) {
        (Level::ERROR, true) => "<3>",
        (Level::WARN, true) => "<4>",
        (Level::INFO, true) => "<6>",
        (_, true) => "<7>",
        (Level::ERROR, false) => "error: ",
        (Level::WARN, false) => "warning: ",
        (_, false) => "",
    }
}

/// What a counterpart writes must not look like a line of ours.
pub(crate) fn in_one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An error and its causes, from the outermost on.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&said) {
            let _written = write!(text, ": {said}");
        }
        cause = error.source();
    }
    text
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _written = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_told_the_priority_of_each_line() {
        assert_eq!(beginning(Level::ERROR, true), "<3>");
        assert_eq!(beginning(Level::WARN, true), "<4>");
        assert_eq!(beginning(Level::INFO, true), "<6>");
        assert_eq!(beginning(Level::INFO, false), "");
    }

    #[test]
    fn nobody_can_write_a_line_into_the_log() {
        assert_eq!(in_one_line("half\n<3>forged\r\u{1b}[2J\n"), "half <3>forged  [2J");
    }

    #[test]
    fn an_error_is_said_with_its_causes_and_nothing_twice() {
        let inner = std::io::Error::other("no space");
        let error = crate::store::SaveError::Write(inner);
        assert_eq!(causes(&error), "cannot be written: no space");
    }
}
