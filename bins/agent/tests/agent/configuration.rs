//! The configuration: staged, validated, swapped in, verified, rolled back, and reported.

use std::fs;
use std::path::PathBuf;

use stratora_testing::{Background, Signal, until};

use crate::book::{Instead, Kind};
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::server::Server;

struct Pulling {
    installation: Installation,
    target: PathBuf,
}

impl Pulling {
    fn new() -> Self {
        let installation = Installation::enrolled(Server::start());
        let target = installation.path("telegraf.conf");
        Self { installation, target }
    }

    fn set(&self, number: u32, text: &str) {
        self.installation.server.book().config = Some((format!("\"v{number}\""), text.to_owned()));
    }

    fn start(&self, options: &[&str]) -> Background {
        let target = self.target.to_str().unwrap();
        self.installation.start_with(&[&["--config-target", target], options].concat())
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(&self.target).ok()
    }

    fn reports(&self) -> Vec<(String, String)> {
        let book = self.installation.server.book();
        let field = |report: &serde_json::Value, name: &str| report[name].as_str().unwrap().to_owned();
        book.reports.iter().map(|report| (field(report, "config_hash"), field(report, "status"))).collect()
    }

    fn until_reported(&self, agent: &Background, number: u32, status: &str) {
        let wanted = (format!("\"v{number}\""), status.to_owned());
        until("a report", || self.reports().last() == Some(&wanted))
            .unwrap_or_else(|error| panic!("{error}: {:?} {}", self.reports(), agent.output()));
    }

    /// What is left beside the target.
    fn litter(&self) -> Vec<String> {
        let entries = fs::read_dir(self.installation.directory()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("telegraf.conf") && name != "telegraf.conf").collect()
    }
}

/// Takes what does not say `bad`.
const VALIDATE: &str = "sh -c 'if grep bad \"$0\"; then exit 1; fi'";

#[test]
fn a_configuration_is_applied_once_and_the_next_one_too() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    let log = pulling.installation.path("applied");
    let apply = format!("sh -c 'cat {} >> {}'", pulling.target.display(), log.display());
    let agent = pulling.start(&["--validate-command", VALIDATE, "--apply-command", &apply]);
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!(pulling.text().as_deref(), Some("a = 1\n"));
    let polls = pulling.installation.server.book().count(Kind::Config);
    until("more polls", || pulling.installation.server.book().count(Kind::Config) > polls + 5).unwrap();
    pulling.set(2, "a = 2\n");
    pulling.until_reported(&agent, 2, "applied");
    assert_eq!(fs::read_to_string(log).unwrap(), "a = 1\na = 2\n");
    assert_eq!((pulling.reports().len(), pulling.litter()), (2, vec![]));
    until("its status", || pulling.installation.status().0.contains("ok   configuration  applied")).unwrap();
}

#[test]
fn what_is_not_valid_never_takes_the_place_of_what_is() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    let mut agent = pulling.start(&["--validate-command", VALIDATE]);
    pulling.until_reported(&agent, 1, "applied");
    pulling.set(2, "bad = 1\n");
    pulling.until_reported(&agent, 2, "validation_error");
    assert_eq!(pulling.text().as_deref(), Some("a = 1\n"));
    let message = pulling.installation.server.book().reports.last().unwrap()["message"].to_string();
    assert!(message.contains("exit status: 1") && message.contains("bad = 1"), "{message}");
    agent.stop(Signal::TERM).unwrap();
    let agent = pulling.start(&["--validate-command", VALIDATE]);
    let polls = pulling.installation.server.book().count(Kind::Config);
    until("more polls", || pulling.installation.server.book().count(Kind::Config) > polls + 5).unwrap();
    assert_eq!((times(&agent, "not valid"), pulling.reports().len()), (0, 2), "it is not tried again by the next run");
    assert_eq!(pulling.litter(), [""; 0]);
    pulling.set(3, "a = 3\n");
    pulling.until_reported(&agent, 3, "applied");
}

#[test]
fn what_does_not_work_is_rolled_back_and_the_old_one_is_applied_again() {
    let pulling = Pulling::new();
    fs::write(&pulling.target, "old = 1\n").unwrap();
    pulling.set(1, "breaks = 1\n");
    let log = pulling.installation.path("applied");
    let apply = format!("sh -c 'cat {0} >> {1}; ! grep breaks {0}'", pulling.target.display(), log.display());
    let agent = pulling.start(&["--apply-command", &apply]);
    pulling.until_reported(&agent, 1, "rolled_back");
    assert_eq!(pulling.text().as_deref(), Some("old = 1\n"));
    assert_eq!(fs::read_to_string(log).unwrap(), "breaks = 1\nold = 1\n");
    assert_eq!((times(&agent, "taken back"), pulling.litter()), (1, vec![]));
}

#[test]
fn without_a_command_to_apply_the_swapped_file_is_validated_once_more() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    // Good where it is proposed, bad where it counts.
    let agent = pulling.start(&["--validate-command", "sh -c 'case \"$0\" in */state/*) ;; *) exit 1;; esac'"]);
    pulling.until_reported(&agent, 1, "rolled_back");
    assert_eq!((pulling.text(), pulling.litter()), (None, vec![]));
}

#[test]
fn a_validation_that_hangs_is_an_invalid_configuration() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    let agent = pulling.start(&["--validate-command", "sleep 1000", "--command-timeout", "0.2"]);
    pulling.until_reported(&agent, 1, "validation_error");
    assert_eq!(pulling.text(), None);
}

#[test]
fn killed_between_swap_and_verification_the_old_one_comes_back_and_all_is_done_again() {
    let pulling = Pulling::new();
    fs::write(&pulling.target, "old = 1\n").unwrap();
    pulling.set(1, "new = 1\n");
    let mut agent = pulling.start(&["--apply-command", "sleep 1000"]);
    until("the swap", || pulling.text().as_deref() == Some("new = 1\n")).unwrap();
    agent.stop(Signal::KILL).unwrap();
    pulling.installation.server.book().config = None;
    let mut agent = pulling.start(&[]);
    said(&mut agent, "the one before it is put back");
    assert_eq!(pulling.text().as_deref(), Some("old = 1\n"));
    pulling.set(1, "new = 1\n");
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!((pulling.text().as_deref(), pulling.litter()), (Some("new = 1\n"), vec![]));
}

#[test]
fn what_is_not_validated_is_never_where_a_program_that_reads_the_directory_finds_it() {
    let mut pulling = Pulling::new();
    let directory = pulling.installation.path("telegraf.d");
    fs::create_dir(&directory).unwrap();
    pulling.target = directory.join("stratora.conf");
    fs::write(&pulling.target, "old = 1\n").unwrap();
    pulling.set(1, "new = 1\n");
    let seen = pulling.installation.path("seen");
    // It goes by the ending, as some do, and never comes to an end.
    let validate = "sh -c 'case \"$1\" in *.conf) cat \"$1\" > \"$0\"; exec sleep 20;; esac' ";
    let validate = format!("{validate} {} {{}}", seen.display());
    let mut agent = pulling.start(&["--validate-command", &validate]);
    until("the validation", || fs::read_to_string(&seen).is_ok_and(|text| text == "new = 1\n"))
        .unwrap_or_else(|error| panic!("{error}: {}", agent.output()));
    let texts = || {
        let entries = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(texts(), ["old = 1\n"]);
    agent.stop(Signal::KILL).unwrap();
    assert_eq!(texts(), ["old = 1\n"]);
    let agent = pulling.start(&["--validate-command", VALIDATE]);
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!(texts(), ["new = 1\n"]);
    let left = pulling.installation.state().join("proposed-stratora.conf");
    until("the proposal to be gone", || !left.exists()).unwrap();
}

#[test]
fn heartbeats_and_metrics_go_on_while_a_configuration_is_applied() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    let (begun, go) = (pulling.installation.path("begun"), pulling.installation.path("go"));
    let apply = format!("sh -c 'touch {}; until test -e {}; do sleep 0.05; done'", begun.display(), go.display());
    let agent = pulling.start(&["--apply-command", &apply, "--command-timeout", "60"]);
    until("the command", || begun.exists()).unwrap_or_else(|error| panic!("{error}: {}", agent.output()));
    let counts = || {
        let book = pulling.installation.server.book();
        (book.count(Kind::Heartbeat), book.count(Kind::Ingest))
    };
    let before = counts();
    until("both", || counts().0 > before.0 + 5 && counts().1 > before.1 + 5).unwrap();
    assert_eq!(pulling.reports(), []);
    fs::write(go, "").unwrap();
    pulling.until_reported(&agent, 1, "applied");
}

#[test]
fn the_last_good_one_is_kept_until_it_could_be_put_back() {
    let pulling = Pulling::new();
    fs::write(&pulling.target, "old = 1\n").unwrap();
    pulling.set(1, "new = 1\n");
    let log = pulling.installation.path("applied");
    // What does not work, and is in the way of what did: a directory that is not empty cannot be replaced.
    let apply = format!(
        "sh -c 'cat {0} >> {1}; grep old {0} || test -e {1}.fixed || {{ rm {0}; mkdir -p {0}/occupied; exit 1; }}'",
        pulling.target.display(),
        log.display()
    );
    let mut agent = pulling.start(&["--apply-command", &apply]);
    said(&mut agent, "cannot be put back");
    let polls = pulling.installation.server.book().count(Kind::Config);
    let heartbeats = pulling.installation.server.book().count(Kind::Heartbeat);
    until("rounds", || pulling.installation.server.book().count(Kind::Heartbeat) > heartbeats + 10).unwrap();
    assert_eq!(pulling.installation.server.book().count(Kind::Config), polls, "nothing else is tried meanwhile");
    agent.stop(Signal::KILL).unwrap();
    let mut agent = pulling.start(&["--apply-command", &apply]);
    said(&mut agent, "cannot be put back");
    let previous = pulling.installation.path(".telegraf.conf.previous");
    assert_eq!(fs::read_to_string(previous).unwrap(), "old = 1\n");
    until("its status", || pulling.installation.status().0.contains("cannot be put back")).unwrap();
    pulling.installation.server.book().config = None;
    fs::remove_dir_all(&pulling.target).unwrap();
    said(&mut agent, "the one before it is put back");
    assert_eq!(pulling.text().as_deref(), Some("old = 1\n"));
    until("the old one to be applied", || fs::read_to_string(&log).unwrap() == "new = 1\nold = 1\n").unwrap();
    fs::write(log.with_extension("fixed"), "").unwrap();
    pulling.set(1, "new = 1\n");
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!((pulling.text().as_deref(), pulling.litter()), (Some("new = 1\n"), vec![]));
}

#[test]
fn what_is_no_configuration_is_never_applied() {
    let pulling = Pulling::new();
    fs::write(&pulling.target, "old = 1\n").unwrap();
    pulling.set(1, "new = 1\n");
    let toml = |body: &str| Answer::of_type(200, "application/toml", body);
    pulling.installation.server.script(
        Kind::Config,
        [
            Instead::Answer(Answer::html(200)),
            Instead::Answer(toml("no = \"tag\"\n")),
            Instead::HalfAnAnswer,
            Instead::Endless,
            Instead::Answer(toml(&"x".repeat(1024 * 1024 + 1)).header("ETag", "\"huge\"")),
        ],
    );
    let agent = pulling.start(&[]);
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!(pulling.reports().len(), 1, "{}", agent.output());
}

#[test]
fn a_report_that_does_not_get_through_is_made_later_even_by_another_run() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    pulling.installation.server.always(Kind::Report, Answer::error(503, "unavailable"));
    let mut agent = pulling.start(&[]);
    said(&mut agent, "it cannot be reported");
    agent.stop(Signal::TERM).unwrap();
    assert_eq!(pulling.text().as_deref(), Some("a = 1\n"));
    pulling.installation.server.book().always.clear();
    let agent = pulling.start(&[]);
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!(pulling.reports().len(), 1);
}

#[test]
fn a_configuration_that_cannot_be_written_is_told_about_once_and_tried_again() {
    let pulling = Pulling::new();
    pulling.set(1, "a = 1\n");
    let staged = pulling.installation.path(".telegraf.conf.staged");
    fs::create_dir_all(staged.join("occupied")).unwrap();
    let mut agent = pulling.start(&[]);
    said(&mut agent, "cannot be written to");
    fs::remove_dir_all(staged).unwrap();
    pulling.until_reported(&agent, 1, "applied");
    assert_eq!(times(&agent, "cannot be written to"), 1);
}

#[test]
fn without_a_target_nothing_is_pulled() {
    let installation = Installation::enrolled(Server::start());
    let _agent = installation.start();
    until("heartbeats", || installation.server.book().count(Kind::Heartbeat) > 5).unwrap();
    assert_eq!(installation.server.book().count(Kind::Config), 0);
}

#[test]
fn a_command_that_is_none_is_refused_at_the_start() {
    let pulling = Pulling::new();
    let target = pulling.target.to_str().unwrap();
    let output = pulling.installation.run(&["--config-target", target, "--validate-command", "sh -c 'open"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--validate-command") && said.lines().count() == 1, "{said}");
}
