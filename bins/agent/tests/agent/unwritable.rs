//! A disk that is really full, and a directory that is really read-only: one line each, no key lost, and on it goes by
//! itself once there is room.

use std::collections::BTreeSet;

use stratora_testing::{Background, Signal, until};

use crate::book::Kind;
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::metrics::{sampled, samples, waiting};
use crate::server::Server;

/// Why the directory of the settings cannot be written.
#[derive(Debug, Clone, Copy)]
enum Fault {
    FullDisk,
    ReadOnly,
}

impl Fault {
    const BOTH: [Self; 2] = [Self::FullDisk, Self::ReadOnly];

    fn prepare(self, installation: Installation) -> Installation {
        let installation = installation.apart();
        match self {
            Self::FullDisk => installation.on_small_disk("etc"),
            Self::ReadOnly => installation,
        }
    }

    fn begin(self, installation: &Installation) {
        let (namespace, directory) = (installation.namespace(), installation.place("etc"));
        match self {
            Self::FullDisk => namespace.fill(&directory),
            Self::ReadOnly => namespace.make_read_only(&directory),
        }
    }

    fn end(self, installation: &Installation) {
        let (namespace, directory) = (installation.namespace(), installation.place("etc"));
        match self {
            Self::FullDisk => namespace.make_room(&directory),
            Self::ReadOnly => namespace.make_writable(&directory),
        }
    }

    /// What the system says of it.
    const fn words(self) -> &'static str {
        match self {
            Self::FullDisk => "No space left on device",
            Self::ReadOnly => "Read-only file system",
        }
    }
}

/// Sees that the agent has one line for it, and that it goes on.
fn is_said_once(installation: &Installation, agent: &mut Background, fault: Fault, line: &str) {
    let said = said(agent, line);
    let parts = ["agent.json", "cannot be written", fault.words()];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    goes_on(installation);
    assert_eq!((times(agent, line), times(agent, "warning"), times(agent, "error:")), (1, 1, 0), "{}", agent.output());
}

fn goes_on(installation: &Installation) {
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("it goes on", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 10).unwrap();
}

fn until_rotated(installation: &Installation, agent: &Background, from: Option<&String>) {
    until("a new key", || installation.has_rotated(from) && installation.is_through())
        .unwrap_or_else(|error| panic!("{error}: {} {}", agent.output(), installation.settings()));
}

/// Fills the disk, or makes it read-only, while the server has done what it was asked for, and not answered yet.
fn begin_while_answering(installation: &Installation, fault: Fault, kind: Kind, requests: usize) {
    until("the request", || installation.server.book().count(kind) >= requests).unwrap();
    fault.begin(installation);
    installation.server.book().hold = None;
}

#[test]
fn no_key_is_asked_for_that_could_not_be_kept_and_it_rotates_once_it_can() {
    for fault in Fault::BOTH {
        let installation = fault.prepare(Installation::enrolled(Server::start()));
        let mut agent = installation.start();
        installation.until_well(&agent);
        let before = installation.settings();
        fault.begin(&installation);
        installation.server.book().ask_for_rotation();
        is_said_once(&installation, &mut agent, fault, "the key is not rotated");
        // Nor is one that starts now without the key that works.
        agent.stop(Signal::KILL).unwrap();
        let mut agent = installation.start();
        is_said_once(&installation, &mut agent, fault, "the key is not rotated");
        assert_eq!((installation.settings(), installation.server.book().count(Kind::Rotate)), (before.clone(), 0));
        let key = installation.only_key();
        fault.end(&installation);
        until_rotated(&installation, &agent, key.as_ref());
        let book = installation.server.book();
        assert_eq!((book.count(Kind::Rotate), book.answered(401)), (1, 0), "{fault:?}: {}", agent.output());
    }
}

#[test]
fn a_new_key_that_comes_when_it_cannot_be_kept_any_more_costs_nothing_but_another_one() {
    for fault in Fault::BOTH {
        let installation = fault.prepare(Installation::enrolled(Server::start()));
        let before = installation.settings();
        installation.server.book().ask_for_rotation();
        installation.server.book().hold = Some(Kind::Rotate);
        let mut agent = installation.start();
        begin_while_answering(&installation, fault, Kind::Rotate, 1);
        is_said_once(&installation, &mut agent, fault, "the key is not rotated");
        assert_eq!((installation.settings(), installation.server.book().count(Kind::Rotate)), (before, 1));
        let key = installation.only_key();
        fault.end(&installation);
        until_rotated(&installation, &agent, key.as_ref());
        let book = installation.server.book();
        assert_eq!((book.count(Kind::Rotate), book.answered(401)), (2, 0), "{fault:?}: {}", agent.output());
    }
}

#[test]
fn an_old_key_that_cannot_be_removed_any_more_stays_beside_the_new_one_and_does_no_harm() {
    for fault in Fault::BOTH {
        let installation = fault.prepare(Installation::enrolled(Server::start()));
        let key = installation.only_key();
        installation.server.book().ask_for_rotation();
        installation.server.book().hold = Some(Kind::Rotate);
        let mut agent = installation.start();
        until("the request", || installation.server.book().count(Kind::Rotate) == 1).unwrap();
        let heartbeats = installation.server.book().count(Kind::Heartbeat);
        installation.server.book().hold = Some(Kind::Heartbeat);
        // The first heartbeat with the new key, which is in the settings by then.
        begin_while_answering(&installation, fault, Kind::Heartbeat, heartbeats + 1);
        is_said_once(&installation, &mut agent, fault, "the key that is not needed any more stays in");
        // Both are there, and one that starts now finds that which works.
        assert!(installation.settings()["new_api_key"].is_string(), "{}", installation.settings());
        agent.stop(Signal::KILL).unwrap();
        let mut agent = installation.start();
        is_said_once(&installation, &mut agent, fault, "the key that is not needed any more stays in");
        fault.end(&installation);
        until_rotated(&installation, &agent, key.as_ref());
        let book = installation.server.book();
        assert_eq!((book.count(Kind::Rotate), book.answered(401)), (1, 0), "{fault:?}: {}", agent.output());
    }
}

#[test]
fn no_token_is_spent_on_a_key_that_could_not_be_kept_and_it_enrolls_once_it_can() {
    for fault in Fault::BOTH {
        let installation = fault.prepare(Installation::with_token(Server::start()));
        let before = installation.settings();
        fault.begin(&installation);
        let mut agent = installation.start();
        let line = said(&mut agent, "not enrolled yet, since a key could not be kept");
        assert!(line.contains("agent.json cannot be written") && line.contains(fault.words()), "{line}");
        until("its status says so", || installation.status().0.contains("BAD  server")).unwrap();
        assert_eq!((installation.settings(), installation.server.book().requests.len()), (before, 0));
        fault.end(&installation);
        installation.until_well(&agent);
        assert_eq!((times(&agent, "warning"), times(&agent, "error:")), (1, 0), "{}", agent.output());
        let book = installation.server.book();
        assert_eq!((book.count(Kind::Register), book.components.len()), (1, 1), "{fault:?}");
    }
}

#[test]
fn a_first_key_that_comes_when_it_cannot_be_kept_any_more_is_given_again_to_the_same_component() {
    for fault in Fault::BOTH {
        let installation = fault.prepare(Installation::with_token(Server::start()));
        let before = installation.settings();
        installation.server.book().hold = Some(Kind::Register);
        let mut agent = installation.start();
        begin_while_answering(&installation, fault, Kind::Register, 1);
        let line = said(&mut agent, "not enrolled yet, since a key could not be kept");
        assert!(line.contains("agent.json cannot be written") && line.contains(fault.words()), "{line}");
        agent.stop(Signal::KILL).unwrap();
        let mut agent = installation.start();
        said(&mut agent, "not enrolled yet, since a key could not be kept");
        assert_eq!((installation.settings(), installation.server.book().count(Kind::Register)), (before, 1));
        fault.end(&installation);
        installation.until_well(&agent);
        assert_eq!((times(&agent, "warning"), times(&agent, "error:")), (1, 0), "{}", agent.output());
        let book = installation.server.book();
        let refused = (book.answered(401), book.answered(409), book.answered(410));
        assert_eq!((book.count(Kind::Register), book.components.len(), refused), (2, 1, (0, 0, 0)), "{fault:?}");
    }
}

#[test]
fn no_token_is_spent_while_the_disk_of_the_state_is_full() {
    let installation = Installation::with_token(Server::start()).apart().on_small_disk("state");
    installation.namespace().fill(&installation.place("state"));
    let before = installation.settings();
    let mut agent = installation.start();
    let line = said(&mut agent, "not enrolled yet, since a key could not be kept");
    assert!(line.contains("enrollment.json cannot be written: No space left on device"), "{line}");
    said(&mut agent, "metrics cannot be buffered on disk: No space left on device");
    assert_eq!((installation.settings(), installation.server.book().requests.len()), (before, 0));
    installation.namespace().make_room(&installation.place("state"));
    installation.until_well(&agent);
    assert_eq!(times(&agent, "not enrolled"), 1, "{}", agent.output());
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len()), (1, 1));
}

#[test]
fn a_full_disk_under_the_state_costs_metrics_that_are_counted_and_nothing_else() {
    let installation = Installation::enrolled(Server::start()).apart().on_small_disk("state");
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable"));
    let mut agent = installation.start();
    until("a buffer", || installation.state().join("buffer").exists() && waiting(&installation) > 5_000).unwrap();
    let key = installation.only_key();

    installation.namespace().fill(&installation.place("state"));
    is_full(&installation, &mut agent);
    let kept = sampled(&installation);
    // Neither a server that is away altogether, nor a new key, changes that.
    installation.server.always(Kind::Heartbeat, Answer::error(503, "unavailable"));
    said(&mut agent, "warning: the server answers 503 unavailable");
    installation.server.book().always.remove(&Kind::Heartbeat);
    said(&mut agent, "the server takes this agent's key again");
    installation.server.book().ask_for_rotation();
    until_rotated(&installation, &agent, key.as_ref());
    goes_on(&installation);
    // What was there when the disk was full stays there, and is not made way for, since nobody knows who takes the room.
    assert_eq!(sampled(&installation), kept);
    for line in ["cannot be buffered", "lines of metrics were dropped", "will be out of date"] {
        assert_eq!(times(&agent, line), 1, "{line}: {}", agent.output());
    }
    agent.stop(Signal::KILL).unwrap();
    let mut agent = installation.start();
    is_full(&installation, &mut agent);
    goes_on(&installation);

    // The server is back before there is room, and gets what waits, and no empty file.
    installation.server.book().always.clear();
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    let arrived = samples(&installation).0;
    assert!(kept.iter().all(|time| arrived.contains(time)), "{arrived:?} {kept:?}");
    goes_on(&installation);
    let ingested = installation.server.book().ingested.clone();
    assert!(ingested.iter().all(|lines| !lines.is_empty()), "nothing was sent as if it were metrics");
    // And is away again, with the room gone that this has made.
    installation.namespace().fill(&installation.place("state"));
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable"));
    goes_on(&installation);

    installation.namespace().make_room(&installation.place("state"));
    said(&mut agent, "metrics can be buffered on disk again");
    said(&mut agent, "the status can be written again");
    until("more in the buffer", || sampled(&installation).len() > 20).unwrap();
    until("its status", || installation.status().0.contains("lines dropped since the start")).unwrap();
    let kept: BTreeSet<i64> = sampled(&installation).into_iter().collect();
    installation.server.book().always.clear();
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    agent.stop(Signal::TERM).unwrap();
    let (arrived, lines) = samples(&installation);
    assert!(arrived.is_superset(&kept) && arrived.len() == lines, "{lines}: {arrived:?} {kept:?}");
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.answered(401)), (0, 0));
}

/// Two things do not go any more, and one line says so of each.
fn is_full(installation: &Installation, agent: &mut Background) {
    said(agent, "metrics cannot be buffered on disk: No space left on device");
    said(agent, "will be out of date, since its file cannot be written: No space left on device");
    said(agent, "lines of metrics were dropped, since they could not be buffered");
    goes_on(installation);
}
