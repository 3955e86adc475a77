//! A new key: in two steps, and never without one that works.

use std::fs;
use std::time::Duration;

use stratora_testing::{Signal, until};

use crate::book::{Instead, Kind, new_key};
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::server::Server;

#[test]
fn an_agent_that_is_asked_for_a_new_key_changes_over_without_being_refused_once() {
    let installation = Installation::enrolled(Server::start());
    let agent = installation.start();
    installation.until_well(&agent);
    for _ in 0..5 {
        let key = installation.only_key();
        installation.server.book().ask_for_rotation();
        until("a new key", || installation.has_rotated(key.as_ref())).unwrap();
    }
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Rotate), book.answered(401)), (5, 0), "{}", agent.output());
    assert!(!agent.output().contains("sk_stra_"));
}

#[test]
fn no_key_is_asked_for_while_the_settings_cannot_be_written() {
    let installation = Installation::enrolled(Server::start());
    fs::create_dir_all(installation.path("etc/.agent.json.new/occupied")).unwrap();
    installation.server.book().ask_for_rotation();
    let key = installation.only_key();
    let mut agent = installation.start();
    said(&mut agent, "the key is not rotated");
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("it goes on", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 5).unwrap();
    assert_eq!((installation.server.book().count(Kind::Rotate), times(&agent, "not rotated")), (0, 1));
    until("its status says so", || installation.status().0.contains("BAD  key")).unwrap();
    fs::remove_dir_all(installation.path("etc/.agent.json.new")).unwrap();
    until("a new key", || installation.has_rotated(key.as_ref())).unwrap();
}

#[test]
fn a_server_that_gives_no_key_yet_is_not_asked_again_before_its_time() {
    let installation = Installation::enrolled(Server::start());
    let key = installation.only_key();
    let limited = Answer::error(429, "rate_limited").header("Retry-After", "2");
    installation.server.script(Kind::Rotate, [Instead::Answer(limited)]);
    installation.server.book().ask_for_rotation();
    let mut agent = installation.start();
    said(&mut agent, "429 rate_limited");
    let start = stratora_agent::clock::instant();
    until("a new key", || installation.has_rotated(key.as_ref())).unwrap();
    assert!(start.elapsed() > Duration::from_millis(1700), "{:?}", start.elapsed());
    assert_eq!(installation.server.book().count(Kind::Rotate), 2);
}

#[test]
fn a_new_key_that_never_came_to_be_is_dropped_for_the_old_one() {
    let installation = Installation::enrolled(Server::start());
    let key = installation.only_key();
    installation.set("new_api_key", new_key());
    let mut agent = installation.start();
    said(&mut agent, "the new key never came to be");
    assert_eq!(installation.only_key(), key);
    until("it goes on", || installation.server.book().count(Kind::Heartbeat) > 5).unwrap();
    assert_eq!(installation.server.book().answered(401), 1);
}

#[test]
fn while_the_server_is_in_trouble_both_keys_stay() {
    let installation = Installation::enrolled(Server::start());
    let (key, new) = (installation.only_key(), new_key());
    installation.server.book().components.values_mut().for_each(|component| component.next = Some(new.clone()));
    installation.set("new_api_key", new.clone());
    installation.server.script(
        Kind::Heartbeat,
        [Instead::Answer(Answer::html(401)), Instead::Answer(Answer::error(503, "unavailable")), Instead::Close],
    );
    let before = installation.settings();
    let mut agent = installation.start();
    said(&mut agent, "cannot be reached");
    assert_eq!(installation.settings(), before);
    until("the new key", || installation.has_rotated(key.as_ref())).unwrap();
    assert_eq!(installation.only_key(), Some(new));
}

#[test]
fn a_rotation_that_the_server_refuses_changes_nothing() {
    let installation = Installation::enrolled(Server::start());
    let wrong = serde_json::json!({"component_id": "another", "api_key": new_key()});
    installation.server.script(
        Kind::Rotate,
        [
            Instead::Answer(Answer::error(409, "conflict")),
            Instead::Answer(Answer::html(200)),
            Instead::HalfAnAnswer,
            Instead::Answer(Answer::json(200, &wrong)),
        ],
    );
    installation.server.book().ask_for_rotation();
    let key = installation.only_key();
    let mut agent = installation.start();
    said(&mut agent, "409 conflict");
    assert_eq!(installation.only_key(), key);
    until("a new key", || installation.has_rotated(key.as_ref())).unwrap();
    assert_eq!(installation.server.book().answered(401), 0);
}

#[test]
fn settings_that_were_edited_meanwhile_are_not_overwritten() {
    let installation = Installation::enrolled(Server::start());
    let agent = installation.start();
    installation.until_well(&agent);
    let (id, other) = installation.server.component();
    installation.write_settings(
        &serde_json::json!({"server_url": installation.server.url(), "component_id": id, "api_key": other}),
    );
    installation.server.book().ask_for_rotation();
    agent.signal(Signal::HUP);
    until("a new key", || installation.has_rotated(Some(&other))).unwrap();
}
