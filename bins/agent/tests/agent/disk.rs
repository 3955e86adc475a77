//! What reaches the disk, and when: watched through strace, which also makes the system refuse.

use stratora_testing::{Signal, until};

use crate::book::Kind;
use crate::installation::{Installation, said, times};
use crate::server::Server;

/// Each of these calls, named by a part of it, comes after the one before it.
fn is_in_order(calls: &str, wanted: &[(&str, &str)]) {
    let mut lines = calls.lines();
    for (call, part) in wanted {
        let found = lines.any(|line| line.contains(call) && line.contains(part));
        assert!(found, "{call} {part} is not there, or not where it should be: {calls}");
    }
}

/// The calls that write, whether to a file or to the server.
const WRITES: [&str; 2] = ["-e", "trace=fsync,?rename,?renameat,?renameat2,write,writev,sendto,sendmsg"];

#[test]
fn what_a_key_depends_on_is_on_the_disk_before_the_next_request() {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start_traced(&WRITES, &[]);
    installation.until_well(&agent);
    let key = installation.only_key();
    installation.server.book().ask_for_rotation();
    until("a new key", || installation.only_key() != key && installation.is_through()).unwrap();
    agent.stop(Signal::TERM).unwrap();
    let replaced = [("fsync(", "/etc/.agent.json.new>"), ("rename", "/etc/agent.json\""), ("fsync(", "/etc>")];
    let wanted = [
        &[("fsync(", "/.enrollment.json.new>"), ("rename", "/enrollment.json\""), ("fsync(", "/state>")][..],
        &[("", "POST /api/v1/components/register")],
        &replaced,
        &[("", "POST /api/v1/agents/heartbeat/"), ("/api/v1/agents/", "/rotate ")],
        &replaced,
        &[("", "POST /api/v1/agents/heartbeat/")],
        &replaced,
    ];
    is_in_order(&installation.trace(), &wanted.concat());
}

#[test]
fn a_configuration_is_on_the_disk_before_it_is_applied_and_so_is_the_one_that_comes_back() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().config = Some(("\"v1\"".to_owned(), "a = 1\n".to_owned()));
    let target = installation.path("telegraf.conf");
    std::fs::write(&target, "old = 1\n").unwrap();
    let options = ["--config-target", target.to_str().unwrap(), "--apply-command", "false"];
    let mut agent = installation.start_traced(&["-e", "trace=fsync,?rename,?renameat,?renameat2,execve"], &options);
    until("a report", || !installation.server.book().reports.is_empty())
        .unwrap_or_else(|error| panic!("{error}: {}", agent.output()));
    agent.stop(Signal::TERM).unwrap();
    let directory = format!("{}>", installation.directory().display());
    let wanted = [
        ("fsync(", "/.telegraf.conf.staged>"),
        ("fsync(", directory.as_str()),
        ("fsync(", "/.configuration.json.new>"),
        ("rename", "/telegraf.conf\""),
        ("fsync(", &directory),
        ("execve(", "\"false\""),
        ("rename", "/telegraf.conf\""),
        ("fsync(", &directory),
        ("fsync(", "/.configuration.json.new>"),
    ];
    is_in_order(&installation.trace(), &wanted);
}

#[test]
fn no_key_is_asked_for_while_the_directory_of_the_settings_cannot_be_opened() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().ask_for_rotation();
    let before = installation.settings();
    let directory = installation.path("etc");
    let refuse = ["-P", directory.to_str().unwrap(), "-e", "trace=openat", "-e", "inject=openat:error=EACCES"];
    let mut agent = installation.start_traced(&refuse, &[]);
    said(&mut agent, "the key is not rotated");
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("it goes on", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 5).unwrap();
    assert_eq!(installation.server.book().count(Kind::Rotate), 0, "{}", agent.output());
    assert_eq!(installation.settings(), before);
}

#[test]
fn a_file_that_is_replaced_is_replaced_even_if_the_disk_cannot_make_that_last() {
    let installation = Installation::enrolled(Server::start());
    let key = installation.only_key();
    installation.server.book().ask_for_rotation();
    let directory = installation.path("etc");
    // The first is the proof that it could be replaced.
    let refuse = ["-P", directory.to_str().unwrap(), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=2+"];
    let mut agent = installation.start_traced(&refuse, &[]);
    said(&mut agent, "was replaced, but a loss of power may bring back");
    until("a new key", || installation.only_key() != key && installation.is_through())
        .unwrap_or_else(|error| panic!("{error}: {} {}", agent.output(), installation.settings()));
    assert_eq!((installation.server.book().count(Kind::Rotate), times(&agent, "not rotated")), (1, 0));
}
