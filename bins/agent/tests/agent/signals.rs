//! Signals: SIGTERM ends, SIGHUP reads the settings again, and the journal is told priorities.

use std::time::Duration;

use stratora_testing::{Background, Signal, until};

use crate::book::{Instead, Kind};
use crate::installation::{Installation, said};
use crate::server::Server;

#[test]
fn told_to_end_while_the_server_hangs_it_ends_at_once_and_keeps_its_key() {
    let installation = Installation::enrolled(Server::start());
    installation.server.script(Kind::Heartbeat, vec![Instead::Silence; 3]);
    let key = installation.only_key();
    let mut agent = installation.start();
    until("a request", || installation.server.book().count(Kind::Heartbeat) > 0).unwrap();
    let start = stratora_agent::clock::instant();
    assert!(agent.stop(Signal::TERM).unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(installation.only_key(), key);
    assert!(agent.output().contains("ended, as asked"));
}

#[test]
fn told_to_read_its_settings_again_it_goes_to_the_other_server() {
    let installation = Installation::enrolled(Server::start());
    let other = Server::start();
    let (id, key) = other.component();
    let mut agent = installation.start();
    installation.until_well(&agent);
    installation.write_settings(&serde_json::json!({"server_url": other.url(), "component_id": id, "api_key": key}));
    agent.signal(Signal::HUP);
    said(&mut agent, "was read again");
    until("the other server", || other.book().count(Kind::Heartbeat) > 3).unwrap();
    let before = installation.server.book().requests.len();
    until("the other server", || other.book().count(Kind::Heartbeat) > 8).unwrap();
    assert_eq!(installation.server.book().requests.len(), before);
}

#[test]
fn the_journal_is_told_the_priority_of_each_line() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().components.values_mut().for_each(|component| component.revoked = true);
    let mut command = installation.command();
    let mut agent = Background::start(command.env("JOURNAL_STREAM", "8:1"), installation.directory(), "agent").unwrap();
    said(&mut agent, "key_revoked");
    agent.stop(Signal::TERM).unwrap();
    let output = agent.output();
    assert!(output.lines().all(|line| line.starts_with("<6>") || line.starts_with("<4>")), "{output}");
    assert!(output.lines().any(|line| line.starts_with("<4>") && line.contains("key_revoked")), "{output}");
}
