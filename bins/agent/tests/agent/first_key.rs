//! A first key that ends before it was used: asked for once more where that can help, and never again and again.

use std::fs;

use stratora_testing::{Signal, until};

use crate::book::{Component, Instead, Kind, new_key};
use crate::enrollment::come_late;
use crate::http::Answer;
use crate::installation::{Installation, said};
use crate::server::Server;

/// The first key ends before it is used, and is asked for once more in vain: then nothing is left of the attempt.
fn is_asked_for_once(installation: &Installation, end: impl FnOnce()) {
    installation.server.book().hold = Some(Kind::Register);
    let mut agent = installation.start();
    until("a registration", || installation.server.book().count(Kind::Register) == 1).unwrap();
    end();
    installation.server.book().hold = None;
    said(&mut agent, "key_rotated");
    let before = installation.settings();
    until_refused_again(installation);
    let attempt = installation.state().join("enrollment.json");
    assert_eq!((installation.server.book().count(Kind::Register), attempt.exists()), (2, false), "{}", agent.output());
    let (status, _) = installation.status();
    assert!(!status.lines().any(|line| line.starts_with("BAD") && line.contains("enrollment")), "{status}");
    agent.stop(Signal::KILL).unwrap();
    let agent = installation.start();
    until_refused_again(installation);
    assert_eq!(installation.server.book().count(Kind::Register), 2, "{}", agent.output());
    assert_eq!(installation.settings(), before);
}

fn until_refused_again(installation: &Installation) {
    let refused = installation.server.book().answered(401);
    until("it is refused again", || installation.server.book().answered(401) > refused + 1).unwrap();
}

#[test]
fn one_that_an_administrator_has_replaced_is_asked_for_once() {
    for (tokens_last, refusal) in [(false, 410), (true, 409)] {
        let installation = Installation::with_token(Server::start());
        installation.server.book().tokens_last = tokens_last;
        let replace = || installation.server.book().components.values_mut().for_each(Component::replace_key);
        is_asked_for_once(&installation, replace);
        assert_eq!(installation.server.book().answered(refusal), 1, "{refusal}");
    }
}

#[test]
fn a_key_of_another_component_in_its_place_is_not_kept_and_not_asked_for_again() {
    let installation = Installation::with_token(Server::start());
    is_asked_for_once(&installation, || {
        installation.server.book().components.values_mut().for_each(Component::repeat);
        let others = serde_json::json!({"component_id": "component-9", "api_key": new_key()});
        installation.server.script(Kind::Register, [Instead::Answer(Answer::json(201, &others))]);
    });
}

#[test]
fn another_one_is_not_asked_for_until_it_could_be_kept() {
    let installation = Installation::with_token(Server::start());
    installation.server.book().hold = Some(Kind::Register);
    installation.server.always(Kind::Heartbeat, Answer::error(503, "unavailable"));
    let mut agent = installation.start();
    come_late(&installation);
    said(&mut agent, "503 unavailable");
    let occupied = installation.path("etc/.agent.json.new");
    fs::create_dir_all(occupied.join("occupied")).unwrap();
    installation.server.book().always.clear();
    said(&mut agent, "could not be kept");
    until_refused_again(&installation);
    assert_eq!(installation.server.book().count(Kind::Register), 1, "{}", agent.output());
    fs::remove_dir_all(&occupied).unwrap();
    installation.until_well(&agent);
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len()), (2, 1));
}

#[test]
fn an_attempt_with_a_word_that_no_agent_makes_is_not_repeated() {
    let installation = Installation::enrolled(Server::start());
    let attempt = serde_json::json!({
        "server_url": installation.server.url() + "/",
        "enrollment_token": installation.server.token(),
        "hostname": "host",
        "version": "1",
        "idempotency_key": "short",
    });
    fs::create_dir_all(installation.state()).unwrap();
    fs::write(installation.state().join("enrollment.json"), attempt.to_string()).unwrap();
    installation.server.book().components.values_mut().for_each(Component::replace_key);
    let mut agent = installation.start();
    said(&mut agent, "key_rotated");
    until_refused_again(&installation);
    assert_eq!(installation.server.book().count(Kind::Register), 0, "{}", agent.output());
}

#[test]
fn copies_of_a_host_that_end_each_others_register_once_more_at_once_and_then_seldom() {
    let installation = Installation::with_token(Server::start());
    installation.server.book().copied = usize::MAX;
    // So that no wait is over within this test.
    let mut agent = installation.start_with(&["--interval", "3600"]);
    said(&mut agent, "copy of another one");
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.answered(401)), (2, 2), "{}", agent.output());
}

#[test]
fn a_copy_of_a_host_has_its_key_as_soon_as_the_other_one_is_quiet() {
    let installation = Installation::with_token(Server::start());
    installation.server.book().copied = 4;
    let agent = installation.start();
    installation.until_well(&agent);
    until("no trace of the attempt", || !installation.state().join("enrollment.json").exists()).unwrap();
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len()), (5, 1), "{}", agent.output());
}
