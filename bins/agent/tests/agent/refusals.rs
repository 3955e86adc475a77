//! What the server may say to a key, and everything else that it may answer.

use std::time::Duration;

use stratora_testing::{Signal, until};

use crate::book::{Instead, Kind};
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::server::Server;

/// One clear line, the key stays, the token is not asked for, and it is asked again but seldom.
fn is_said_once(change: impl Fn(&mut crate::book::Component), line: &str) {
    let installation = Installation::enrolled(Server::start());
    let agent = &mut installation.start();
    installation.until_well(agent);
    let before = installation.settings();
    installation.server.book().components.values_mut().for_each(change);
    said(agent, line);
    until("it is asked again", || {
        installation
            .server
            .book()
            .requests
            .iter()
            .filter(|(kind, status)| *kind == Kind::Heartbeat && *status >= 400)
            .count()
            > 1
    })
    .unwrap();
    assert_eq!((times(agent, line), installation.server.book().count(Kind::Register)), (1, 0), "{}", agent.output());
    assert_eq!(installation.settings(), before);
    let (status, well) = installation.status();
    assert!(!well && status.contains("BAD  server"), "{status}");
}

#[test]
fn a_key_that_the_server_does_not_know_is_said_once() {
    is_said_once(|component| component.key = crate::book::new_key(), "key_unknown");
}

#[test]
fn a_key_that_was_revoked_is_said_once() {
    is_said_once(|component| component.revoked = true, "key_revoked");
}

#[test]
fn a_key_that_was_replaced_is_said_once() {
    let replaced = |component: &mut crate::book::Component| {
        component.ended.push(std::mem::replace(&mut component.key, crate::book::new_key()));
    };
    is_said_once(replaced, "key_rotated");
}

#[test]
fn an_agent_that_is_not_approved_waits_and_then_works() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().components.values_mut().for_each(|component| component.not_approved = true);
    let mut agent = installation.start();
    said(&mut agent, "not_approved");
    installation.server.book().components.values_mut().for_each(|component| component.not_approved = false);
    said(&mut agent, "the server takes this agent's key again");
    assert_eq!(times(&agent, "not_approved"), 1);
}

#[test]
fn a_revoked_agent_that_gets_a_token_enrolls_again_once_it_is_approved() {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start();
    installation.until_well(&agent);
    installation.server.book().components.values_mut().for_each(|component| {
        component.ended.push(std::mem::replace(&mut component.key, crate::book::new_key()));
    });
    said(&mut agent, "key_rotated");
    installation.server.book().approve_existing = true;
    installation.set("enrollment_token", installation.server.token());
    installation.until_well(&agent);
    assert_eq!(installation.server.book().components.len(), 1);
}

/// Nothing is lost, one line says what is wrong, and it works again.
fn passes(instead: Instead, line: &str) {
    let installation = Installation::enrolled(Server::start());
    let before = installation.settings();
    installation.server.script(Kind::Heartbeat, vec![instead; 4]);
    let mut agent = installation.start_with(&["--request-timeout", "0.3"]);
    said(&mut agent, line);
    said(&mut agent, "the server takes this agent's key again");
    assert_eq!(times(&agent, line), 1, "{}", agent.output());
    assert_eq!(installation.settings(), before);
}

#[test]
fn a_server_that_answers_with_pages_is_told_about_once() {
    passes(Instead::Answer(Answer::html(200)), "text/html");
}

#[test]
fn a_page_that_says_401_ends_no_key() {
    passes(Instead::Answer(Answer::html(401)), "text/html");
}

#[test]
fn half_a_body_is_told_about_once() {
    passes(Instead::HalfAnAnswer, "cannot be reached");
}

#[test]
fn a_server_that_hangs_is_told_about_once() {
    passes(Instead::Silence, "no whole answer within 0.3 s");
}

#[test]
fn a_body_without_an_end_is_not_read_to_its_end() {
    passes(Instead::Endless, "larger than 1 MiB");
}

#[test]
fn an_answer_that_leads_elsewhere_is_not_followed() {
    passes(Instead::Answer(Answer::empty(308).header("Location", "http://127.0.0.1:1/")), "leads elsewhere");
}

#[test]
fn a_server_in_trouble_for_long_is_told_about_once() {
    passes(Instead::Answer(Answer::error(500, "internal")), "500 internal");
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let installation = Installation::enrolled(Server::start());
    let busy = Answer::error(503, "unavailable").header("Retry-After", "2");
    installation.server.script(Kind::Heartbeat, [Instead::Answer(busy)]);
    let mut agent = installation.start();
    said(&mut agent, "503 unavailable");
    let start = stratora_agent::clock::instant();
    said(&mut agent, "the server takes this agent's key again");
    assert!(start.elapsed() > Duration::from_millis(1700), "{:?}", start.elapsed());
}

#[test]
fn a_clock_that_is_wrong_is_said_once_and_so_is_its_end() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().clock_ahead = Duration::from_mins(5);
    let mut agent = installation.start();
    let line = said(&mut agent, "clock is");
    assert!(line.contains("-300") || line.contains("-299") || line.contains("-301"), "{line}");
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("more heartbeats", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 5).unwrap();
    assert!(installation.status().0.contains("BAD  clock"));
    installation.server.book().clock_ahead = Duration::ZERO;
    said(&mut agent, "clock is right again");
    assert_eq!(times(&agent, "clock is"), 2);
    assert!(agent.stop(Signal::TERM).unwrap().success());
}
