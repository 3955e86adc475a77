//! Settings that are wrong: each with one clear line, and without a request.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use stratora_testing::{Signal, until};

use crate::book::Kind;
use crate::installation::{Installation, said};
use crate::server::Server;

/// Ends at once with one line that contains `part`, changes nothing and asks nobody.
fn is_refused(installation: &Installation, part: &str) {
    let before = fs::read(installation.config()).ok();
    let output = installation.run(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("error: ") && said.contains(part), "{part:?} is not in {said}");
    assert!(said.contains("agent.json"), "{said}");
    assert_eq!(fs::read(installation.config()).ok(), before);
    assert!(installation.server.book().requests.is_empty());
}

#[test]
fn every_field_that_is_wrong_is_named_in_one_line() {
    let installation = Installation::enrolled(Server::start());
    let good = installation.settings();
    let wrong: [(&str, Value); 12] = [
        ("server_url", json!("stratora.example.com")),
        ("server_url", json!("http://stratora.example.com")),
        ("server_url", json!(["https://stratora.example.com"])),
        ("enrollment_token", json!("enroll_\u{0}")),
        ("component_id", json!("a/../b")),
        ("component_id", Value::Null),
        ("api_key", json!("sk_stra_tooshort")),
        ("api_key", Value::Null),
        ("new_api_key", json!(7)),
        ("ca_file", json!("relative.pem")),
        ("insecure_skip_verify", json!("false")),
        ("insecure_skip_verfy", json!(true)),
    ];
    for (name, value) in wrong {
        installation.write_settings(&good);
        installation.set(name, value);
        is_refused(&installation, &format!("`{name}`"));
    }
}

#[test]
fn what_is_no_json_is_refused_in_one_line() {
    let installation = Installation::enrolled(Server::start());
    for text in ["", "{\"server_url\":", "[]", "server_url = \"https://a\"", "\u{0}\u{0}"] {
        fs::write(installation.config(), text).unwrap();
        is_refused(&installation, "not a JSON object");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_what_to_do() {
    let installation = Installation::enrolled(Server::start());
    fs::set_permissions(installation.config(), fs::Permissions::from_mode(0o640)).unwrap();
    is_refused(&installation, "chmod 600");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let installation = Installation::enrolled(Server::start());
    fs::remove_file(installation.config()).unwrap();
    is_refused(&installation, "cannot be read");
}

#[test]
fn two_agents_do_not_work_with_one_file_whatever_their_state_directories() {
    let installation = Installation::enrolled(Server::start());
    let agent = installation.start();
    installation.until_well(&agent);
    let output = installation.run(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("another agent is running") && said.lines().count() == 1,
        "{said}"
    );
    let elsewhere = installation.path("elsewhere");
    let output = installation.command().arg("--state-directory").arg(elsewhere).output();
    assert!(!output.unwrap().status.success());
}

#[test]
fn two_agents_do_not_share_a_state_directory() {
    let installation = Installation::enrolled(Server::start());
    let agent = installation.start();
    installation.until_well(&agent);
    let copy = installation.path("copy.json");
    fs::copy(installation.config(), &copy).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stratora-agent"));
    let output = command.arg("--config").arg(copy).arg("--state-directory").arg(installation.state()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("another agent is running with the state directory"), "{said}");
}

#[test]
fn settings_that_become_wrong_do_not_stop_an_agent_that_runs() {
    let installation = Installation::enrolled(Server::start());
    let mut agent = installation.start();
    installation.until_well(&agent);
    let good = installation.settings();
    installation.set("server_url", "nonsense");
    agent.signal(Signal::HUP);
    assert!(said(&mut agent, "goes on as before").contains("`server_url`"));
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("heartbeats", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 3).unwrap();
    installation.write_settings(&good);
    agent.signal(Signal::HUP);
    said(&mut agent, "was read again");
}
