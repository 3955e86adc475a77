//! Becoming a component: once, or with one clear line not at all.

use std::fs;

use stratora_testing::{Signal, until};

use crate::book::{Component, Instead, Kind, new_token};
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::server::Server;

#[test]
fn an_agent_with_a_token_becomes_a_component_once_and_keeps_its_key() {
    let installation = Installation::with_token(Server::start());
    installation.set("insecure_skip_verify", true);
    let mut agent = installation.start();
    installation.until_well(&agent);
    until("no trace of the attempt", || !installation.state().join("enrollment.json").exists()).unwrap();
    agent.stop(Signal::TERM).unwrap();
    let settings = installation.settings();
    assert!(settings.get("enrollment_token").is_none() && settings["insecure_skip_verify"] == true);
    let agent = installation.start();
    until("more heartbeats", || installation.server.book().count(Kind::Heartbeat) > 10).unwrap();
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len(), book.answered(401)), (1, 1, 0));
    assert!(!agent.output().contains("enroll_") && !agent.output().contains("sk_stra_"));
}

/// Lets a request of before, that was long on its way, come to the server behind the one that is being answered.
pub(crate) fn come_late(installation: &Installation) {
    until("a registration", || installation.server.book().count(Kind::Register) == 1).unwrap();
    let mut book = installation.server.book();
    book.components.values_mut().for_each(Component::repeat);
    book.hold = None;
}

#[test]
fn a_request_that_comes_late_and_ends_the_first_key_costs_another_request() {
    let installation = Installation::with_token(Server::start());
    installation.server.book().hold = Some(Kind::Register);
    let agent = installation.start();
    come_late(&installation);
    installation.until_well(&agent);
    until("no trace of the attempt", || !installation.state().join("enrollment.json").exists()).unwrap();
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len(), book.answered(401)), (2, 1, 1));
    assert_eq!((times(&agent, "warning"), times(&agent, "error:")), (0, 0), "{}", agent.output());
}

#[test]
fn a_first_key_that_ended_before_it_was_used_is_replaced_after_a_kill_too_and_when_the_server_is_back() {
    let installation = Installation::with_token(Server::start());
    installation.server.book().hold = Some(Kind::Register);
    installation.server.always(Kind::Heartbeat, Answer::error(503, "unavailable"));
    let mut agent = installation.start();
    come_late(&installation);
    said(&mut agent, "503 unavailable");
    agent.stop(Signal::KILL).unwrap();
    installation.server.script(Kind::Register, [Instead::Answer(Answer::error(503, "unavailable")), Instead::Close]);
    installation.server.book().always.clear();
    let agent = installation.start();
    installation.until_well(&agent);
    assert_eq!(installation.server.book().components.len(), 1);
}

#[test]
fn a_key_that_an_administrator_has_replaced_is_not_asked_for_again() {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start();
    installation.until_well(&agent);
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("it goes on", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 3).unwrap();
    installation.server.book().components.values_mut().for_each(Component::replace_key);
    said(&mut agent, "key_rotated");
    until("it is asked again", || installation.server.book().answered(401) > 2).unwrap();
    assert_eq!(installation.server.book().count(Kind::Register), 1, "{}", agent.output());
}

#[test]
fn a_heartbeat_says_who_and_what_it_is() {
    let installation = Installation::enrolled(Server::start());
    let agent = installation.start();
    until("a heartbeat", || !installation.server.book().heartbeats.is_empty()).unwrap();
    let heartbeat = installation.server.book().heartbeats[0].clone();
    assert_eq!(heartbeat["version"], env!("CARGO_PKG_VERSION"), "{}", agent.output());
    assert!(!heartbeat["hostname"].as_str().unwrap().is_empty() && !heartbeat["os"].as_str().unwrap().is_empty());
}

/// One clear line, one request, and then quiet until the settings change.
fn is_final(answer: Answer, line: &str) {
    let installation = Installation::with_token(Server::start());
    installation.server.script(Kind::Register, [Instead::Answer(answer)]);
    let before = installation.settings();
    let mut agent = installation.start();
    said(&mut agent, line);
    until("its status", || installation.state().join("status.json").exists()).unwrap();
    let (status, well) = installation.status();
    assert!(!well && status.contains("not enrolled"), "{status}");
    assert_eq!((times(&agent, "not enrolled"), installation.server.book().requests.len()), (1, 1));
    assert_eq!(installation.settings(), before);
    installation.set("enrollment_token", installation.server.token());
    installation.until_well(&agent);
}

#[test]
fn an_unknown_token_is_said_once_and_another_one_is_tried_without_a_signal() {
    is_final(Answer::error(401, "enrollment_token_unknown"), "does not know the enrollment token");
}

#[test]
fn a_used_token_is_said_once() {
    is_final(Answer::error(410, "enrollment_token_used"), "was used already");
}

#[test]
fn an_expired_token_is_said_once() {
    is_final(Answer::error(410, "enrollment_token_expired"), "has expired");
}

#[test]
fn a_registration_that_is_invalid_is_said_once() {
    is_final(Answer::error(422, "invalid_field"), "422 invalid_field");
}

#[test]
fn a_host_that_is_known_waits_for_an_administrator_and_is_then_the_same_component() {
    let server = Server::start();
    let first = Installation::with_token(server.clone());
    let mut agent = first.start();
    first.until_well(&agent);
    agent.stop(Signal::TERM).unwrap();
    let second = Installation::with_token(server);
    let mut agent = second.start();
    said(&mut agent, "an administrator has to approve");
    until("it asks again", || second.server.book().answered(409) > 2).unwrap();
    assert_eq!(times(&agent, "has to approve"), 1);
    second.server.book().approve_existing = true;
    second.until_well(&agent);
    assert_eq!(second.server.book().components.len(), 1);
}

#[test]
fn an_agent_with_a_good_key_and_a_token_proves_itself_and_stays_the_same_component() {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start();
    installation.until_well(&agent);
    let key = installation.only_key();
    installation.set("enrollment_token", installation.server.token());
    agent.signal(Signal::HUP);
    said(&mut agent, "was read again");
    until("another key", || installation.only_key() != key && installation.is_well()).unwrap();
    let book = installation.server.book();
    assert_eq!((book.components.len(), book.answered(200) > 0, book.answered(409)), (1, true, 0));
}

#[test]
fn a_token_that_is_refused_costs_an_enrolled_agent_nothing() {
    let installation = Installation::enrolled(Server::start());
    installation.set("enrollment_token", new_token());
    let mut agent = installation.start();
    said(&mut agent, "does not know the enrollment token");
    until("heartbeats", || installation.server.book().count(Kind::Heartbeat) > 3).unwrap();
    assert_eq!(installation.server.book().count(Kind::Register), 1);
    assert!(installation.settings()["api_key"].is_string());
    shows_enrollment_alone_in_trouble(&installation, "does not know the enrollment token");
}

/// The key is good, and says so; what is not is the enrollment.
fn shows_enrollment_alone_in_trouble(installation: &Installation, why: &str) {
    let is_shown = |screen: &str| {
        let bad: Vec<_> = screen.lines().filter(|line| line.starts_with("BAD")).collect();
        matches!(bad.as_slice(), [line] if line.contains("enrollment") && line.contains(why))
    };
    until("its status", || is_shown(&installation.status().0))
        .unwrap_or_else(|error| panic!("{error}: {}", installation.status().0));
}

/// Said once while it lasts, however often it is tried and however many heartbeats go well meanwhile; and then over.
fn lasts(installation: &Installation, line: &str, tries: impl Fn() -> usize, end: impl FnOnce()) {
    let mut agent = installation.start();
    said(&mut agent, line);
    let (before, heartbeats) = (tries(), installation.server.book().count(Kind::Heartbeat));
    until("more of both", || tries() > before && installation.server.book().count(Kind::Heartbeat) > heartbeats + 10)
        .unwrap();
    shows_enrollment_alone_in_trouble(installation, line);
    assert_eq!((times(&agent, line), times(&agent, "again")), (1, 0), "{}", agent.output());
    end();
    installation.until_well(&agent);
    said(&mut agent, "enrollment works again");
    until("its status", || installation.status().1).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_keeps_an_agent_that_has_a_key_from_nothing_but_enrolling() {
    let installation = Installation::enrolled(Server::start());
    installation.set("enrollment_token", installation.server.token());
    let occupied = installation.path("etc/.agent.json.new");
    fs::create_dir_all(occupied.join("occupied")).unwrap();
    let heartbeats = || installation.server.book().count(Kind::Heartbeat);
    lasts(&installation, "could not be kept", heartbeats, || fs::remove_dir_all(&occupied).unwrap());
}

#[test]
fn an_agent_that_has_a_key_works_while_an_administrator_has_to_approve_its_enrollment() {
    let installation = Installation::enrolled(Server::start());
    installation.set("enrollment_token", installation.server.token());
    installation.server.always(Kind::Register, Answer::error(409, "component_exists"));
    let tries = || installation.server.book().count(Kind::Register);
    lasts(&installation, "has to approve", tries, || installation.server.book().always.clear());
}

#[test]
fn an_agent_that_has_a_key_works_while_the_server_does_not_register_anybody() {
    let installation = Installation::enrolled(Server::start());
    installation.set("enrollment_token", installation.server.token());
    installation.server.always(Kind::Register, Answer::error(503, "unavailable"));
    let tries = || installation.server.book().count(Kind::Register);
    lasts(&installation, "not enrolled yet", tries, || installation.server.book().always.clear());
}

#[test]
fn a_server_in_trouble_is_asked_again_and_told_about_once() {
    let installation = Installation::with_token(Server::start());
    let trouble = |answer| Instead::Answer(answer);
    installation.server.script(
        Kind::Register,
        [
            Instead::Close,
            trouble(Answer::error(500, "internal")),
            trouble(Answer::html(502)),
            trouble(Answer::html(200)),
            trouble(Answer::error(429, "rate_limited").header("Retry-After", "0")),
            trouble(Answer::json(201, &serde_json::json!({"component_id": "c", "api_key": "short"}))),
            Instead::HalfAnAnswer,
        ],
    );
    let agent = installation.start();
    installation.until_well(&agent);
    let book = installation.server.book();
    assert_eq!(book.components.len(), 1);
    // The 502 is still the trouble that the 500 was.
    let said = ["500 internal", "(502, text/html)", "(200, text/html)"].map(|part| times(&agent, part));
    assert_eq!(said, [1, 0, 1], "{}", agent.output());
}

#[test]
fn no_key_is_asked_for_that_could_not_be_kept() {
    let installation = Installation::with_token(Server::start());
    // In the place of the file that is written first, since root may write anywhere.
    fs::create_dir_all(installation.path("etc/.agent.json.new/occupied")).unwrap();
    let mut agent = installation.start();
    said(&mut agent, "could not be kept");
    assert_eq!(installation.server.book().requests.len(), 0);
    fs::remove_dir_all(installation.path("etc/.agent.json.new")).unwrap();
    installation.until_well(&agent);
}

#[test]
fn no_token_is_spent_before_the_attempt_is_written_down() {
    let installation = Installation::with_token(Server::start());
    fs::create_dir_all(installation.state().join(".enrollment.json.new/occupied")).unwrap();
    let mut agent = installation.start();
    said(&mut agent, "could not be kept");
    assert_eq!(installation.server.book().requests.len(), 0);
    fs::remove_dir_all(installation.state().join(".enrollment.json.new")).unwrap();
    installation.until_well(&agent);
}
