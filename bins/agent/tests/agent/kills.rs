//! Killed at every step, two hundred times each, and always back: with one key that works, as the one component that
//! it was.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal as RawSignal, kill_process};
use stratora_testing::{Background, until};

use crate::installation::Installation;
use crate::server::{Kind, Moment, Server};

const TIMES: u32 = 200;

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Around a request, after so many others of its kind.
    Request(Kind, Moment, usize),
    /// As soon as a file is there that was not, and so long after that.
    Appears(&'static str, Duration),
    /// As soon as a file is another one, and so long after that.
    Changes(&'static str, Duration),
    /// So long after its start.
    Time(Duration),
}

/// A time of some microseconds that is another one each round, and spread evenly over `most`.
fn spread(round: u32, most: Duration) -> Duration {
    // Steps of the golden ratio never cluster.
    most.mul_f64((f64::from(round) * 0.618_033_988_749_895).fract())
}

const MILLISECOND: Duration = Duration::from_millis(1);

fn enrollment_step(round: u32) -> Step {
    let answered = Moment::Answered(spread(round, 5 * MILLISECOND));
    match round % 10 {
        0 => Step::Time(spread(round, 40 * MILLISECOND)),
        1 => Step::Appears("state/.enrollment.json.new", spread(round, MILLISECOND)),
        2 => Step::Changes("state/enrollment.json", spread(round, MILLISECOND)),
        3 => Step::Request(Kind::Register, Moment::Received, 0),
        4 => Step::Request(Kind::Register, Moment::Done, 0),
        5 => Step::Request(Kind::Register, Moment::Half, 0),
        6 => Step::Request(Kind::Register, answered, 0),
        7 => Step::Changes("etc/agent.json", spread(round, MILLISECOND)),
        8 => Step::Request(Kind::Heartbeat, Moment::Done, 0),
        _ => Step::Request(Kind::Heartbeat, answered, 0),
    }
}

fn rotation_step(round: u32) -> Step {
    let answered = Moment::Answered(spread(round, 5 * MILLISECOND));
    match round % 13 {
        0 => Step::Time(spread(round, 120 * MILLISECOND)),
        1 => Step::Request(Kind::Heartbeat, answered, 0),
        2 => Step::Appears("etc/.agent.json.new", spread(round, 2 * MILLISECOND)),
        3 => Step::Request(Kind::Rotate, Moment::Received, 0),
        4 => Step::Request(Kind::Rotate, Moment::Done, 0),
        5 => Step::Request(Kind::Rotate, Moment::Half, 0),
        6 => Step::Request(Kind::Rotate, answered, 0),
        7 => Step::Changes("etc/agent.json", Duration::ZERO),
        8 => Step::Changes("etc/agent.json", spread(round, 3 * MILLISECOND)),
        // The first heartbeat is with the old key, and the second with the new one.
        9 => Step::Request(Kind::Heartbeat, Moment::Received, 1),
        10 => Step::Request(Kind::Heartbeat, Moment::Done, 1),
        11 => Step::Request(Kind::Heartbeat, Moment::Half, 1),
        _ => Step::Request(Kind::Heartbeat, answered, 1),
    }
}

/// Starts the agent, kills it at this step, and waits for its end.
fn kill_at(installation: &Installation, step: Step) {
    if let Step::Request(kind, moment, others) = step {
        installation.server.book().kill = Some((kind, moment, others));
    }
    let path = |name: &str| installation.path(name);
    // The number of a file alone may be that of the one before the last.
    let which = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.mtime_nsec(), metadata.len()))
    };
    let before = match step {
        Step::Changes(name, _) => which(&path(name)),
        _ => None,
    };
    let mut agent = installation.start();
    installation.server.kill(agent.id());
    match step {
        Step::Request(..) => {}
        Step::Time(after) => strike(agent.id(), after),
        Step::Appears(name, after) => {
            let path = path(name);
            // It is there for microseconds. Whoever misses it kills an agent that is through.
            spin_until(&agent, || path.exists() || installation.is_through());
            strike(agent.id(), after);
        }
        Step::Changes(name, after) => {
            let path = path(name);
            spin_until(&agent, || which(&path) != before || installation.is_through());
            strike(agent.id(), after);
        }
    }
    let ended = agent.wait().unwrap_or_else(|error| panic!("{step:?} never came: {error} {}", agent.output()));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "{step:?}: {}", agent.output());
    installation.server.book().kill = None;
}

/// Looks as often as it can: what is waited for is there for microseconds.
fn spin_until(agent: &Background, mut seen: impl FnMut() -> bool) {
    let start = stratora_agent::clock::instant();
    while !seen() {
        assert!(start.elapsed() < Duration::from_secs(20), "it was never seen: {}", agent.output());
    }
}

fn strike(agent: Pid, after: Duration) {
    let start = stratora_agent::clock::instant();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    kill_process(agent, RawSignal::KILL).unwrap();
}

#[test]
fn killed_anywhere_in_its_enrollment_it_comes_back_as_one_component_with_a_key_that_works() {
    for round in 0..TIMES {
        let installation = Installation::with_token(Server::start());
        let step = enrollment_step(round);
        kill_at(&installation, step);
        let mut agent = installation.start();
        installation.until_well(&agent);
        agent.stop(stratora_testing::Signal::TERM).unwrap();
        let book = installation.server.book();
        assert_eq!((book.components.len(), book.answered(410)), (1, 0), "{step:?}: {}", agent.output());
    }
}

#[test]
fn killed_anywhere_in_its_rotation_it_comes_back_with_a_key_that_works_and_rotates() {
    let installation = Installation::enrolled(Server::start());
    for round in 0..TIMES {
        let key = installation.only_key();
        installation.server.book().components.values_mut().for_each(|component| component.rotate = true);
        let step = rotation_step(round);
        kill_at(&installation, step);
        let refused = installation.server.book().answered(401);
        let mut agent = installation.start();
        let rotated = || {
            let asked = installation.server.book().components.values().any(|component| component.rotate);
            !asked && installation.is_well() && installation.only_key() != key
        };
        until("a new key that works", rotated)
            .unwrap_or_else(|error| panic!("{step:?}: {error} {} {}", agent.output(), installation.settings()));
        agent.stop(stratora_testing::Signal::TERM).unwrap();
        let book = installation.server.book();
        assert_eq!(book.components.len(), 1);
        assert!(book.answered(401) <= refused + 1, "{step:?}: refused again and again: {}", agent.output());
    }
}
