//! `stratora-agent status`.

use std::fs;

use stratora_testing::{Signal, until};

use crate::book::Kind;
use crate::installation::Installation;
use crate::server::Server;

#[test]
fn an_agent_that_is_well_says_so_on_one_screen_without_a_secret() {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start();
    until("all is well", || installation.status().1).unwrap();
    let (screen, _) = installation.status();
    assert!(screen.lines().count() <= 24 && screen.lines().all(|line| line.starts_with("ok ")), "{screen}");
    assert!(!screen.contains("sk_stra_") && !screen.contains("enroll_"), "{screen}");
    let state = fs::read_to_string(installation.state().join("status.json")).unwrap();
    assert!(!state.contains("sk_stra_"), "{state}");
    agent.stop(Signal::TERM).unwrap();
    let (screen, well) = installation.status();
    assert!(!well && screen.contains("BAD  running"), "{screen}");
}

#[test]
fn settings_that_are_wrong_are_shown_while_the_agent_still_runs() {
    let installation = Installation::enrolled(Server::start());
    let _agent = installation.start();
    until("all is well", || installation.status().1).unwrap();
    installation.set("ca_file", "relative.pem");
    let (screen, well) = installation.status();
    assert!(!well && screen.contains("BAD  settings") && screen.contains("`ca_file`"), "{screen}");
}

#[test]
fn looking_changes_nothing_and_asks_nobody() {
    let installation = Installation::enrolled(Server::start());
    let (screen, well) = installation.status();
    assert!(!well && screen.contains("no agent runs"), "{screen}");
    assert!(!installation.state().exists() && installation.server.book().count(Kind::Heartbeat) == 0);
}
