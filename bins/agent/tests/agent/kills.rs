//! Killed again and again, and always back: with one key that works, as the one component that it was.
//!
//! At each call that changes a file lastingly, one after the other, which strace makes exact; and in two hundred rounds
//! around each request, from both sides of it, and at times of no meaning. `STRATORA_KILLS=200` makes so many rounds of each
//! of these steps instead of all together.

use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal as RawSignal, kill_process};
use stratora_testing::{Background, until};

use crate::book::{Kind, Moment};
use crate::installation::Installation;
use crate::server::Server;

/// Rounds of each test that goes by requests and by time, unless `STRATORA_KILLS` says how many of each step.
const TIMES: u32 = 200;

/// Where a kill falls in an enrollment, and in a rotation.
const ENROLLMENT_STEPS: u32 = 9;
const ROTATION_STEPS: u32 = 12;

/// The calls that change files lastingly, each under the names that it has on some machine.
const CALLS: [&str; 3] = ["fsync", "?unlink,?unlinkat", "?rename,?renameat,?renameat2"];

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Around a request, after so many others of its kind.
    Request(Kind, Moment, usize),
    /// As soon as a file is another one, and so long after that.
    Changes(&'static str, Duration),
    /// So long after its start.
    Time(Duration),
}

/// The rounds of a test with so many steps: the step, and how often it was there before. They go through the steps in turn.
fn rounds(steps: u32) -> impl Iterator<Item = (u32, u32)> {
    let of_each = std::env::var("STRATORA_KILLS").ok().map(|number| number.parse::<NonZeroU32>().unwrap());
    let all = of_each.map_or(TIMES, |of_each| of_each.get() * steps);
    (0..all).map(move |number| (number % steps, number / steps))
}

/// A time that is another one each round of a step, and spread evenly over `most`.
fn spread(round: u32, most: Duration) -> Duration {
    // Steps of the golden ratio never cluster.
    most.mul_f64((f64::from(round) * 0.618_033_988_749_895).fract())
}

const MILLISECOND: Duration = Duration::from_millis(1);

fn enrollment_step(step: u32, round: u32) -> Step {
    let answered = Moment::Answered(spread(round, 5 * MILLISECOND));
    match step {
        0 => Step::Time(spread(round, 40 * MILLISECOND)),
        1 => Step::Changes("state/enrollment.json", spread(round, MILLISECOND)),
        2 => Step::Request(Kind::Register, Moment::Received, 0),
        3 => Step::Request(Kind::Register, Moment::Done, 0),
        4 => Step::Request(Kind::Register, Moment::Half, 0),
        5 => Step::Request(Kind::Register, answered, 0),
        6 => Step::Changes("etc/agent.json", spread(round, MILLISECOND)),
        7 => Step::Request(Kind::Heartbeat, Moment::Done, 0),
        _ => Step::Request(Kind::Heartbeat, answered, 0),
    }
}

fn rotation_step(step: u32, round: u32) -> Step {
    let answered = Moment::Answered(spread(round, 5 * MILLISECOND));
    match step {
        0 => Step::Time(spread(round, 120 * MILLISECOND)),
        1 => Step::Request(Kind::Heartbeat, answered, 0),
        2 => Step::Request(Kind::Rotate, Moment::Received, 0),
        3 => Step::Request(Kind::Rotate, Moment::Done, 0),
        4 => Step::Request(Kind::Rotate, Moment::Half, 0),
        5 => Step::Request(Kind::Rotate, answered, 0),
        6 => Step::Changes("etc/agent.json", Duration::ZERO),
        7 => Step::Changes("etc/agent.json", spread(round, 3 * MILLISECOND)),
        // The first heartbeat is with the old key, and the second with the new one.
        8 => Step::Request(Kind::Heartbeat, Moment::Received, 1),
        9 => Step::Request(Kind::Heartbeat, Moment::Done, 1),
        10 => Step::Request(Kind::Heartbeat, Moment::Half, 1),
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

/// Starts the agent, and kills it as it is about to make the `nth` of these calls, or else when it is through.
fn kill_at_call(installation: &Installation, calls: &str, nth: u32) {
    let kill = format!("inject={calls}:signal=KILL:when={nth}");
    let mut agent = installation.start_traced(&["-e", &format!("trace={calls}"), "-e", &kill], &[]);
    let mut since = None;
    let ended_or_through = || {
        let heartbeats = installation.server.book().count(Kind::Heartbeat);
        let is_long_through = installation.is_through() && heartbeats > *since.get_or_insert(heartbeats) + 3;
        agent.has_ended() || is_long_through
    };
    until("its end", ended_or_through).unwrap_or_else(|error| panic!("{calls} {nth}: {error} {}", agent.output()));
    let ended = agent.stop(stratora_testing::Signal::KILL).unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "{calls} {nth}: {}", agent.output());
}

/// Kills it at one call after the other, each time in an installation that `begin` makes, until there is a call that comes
/// when all is done; and then at the call that `second` says, when it is about to come back.
fn at_each_call(begin: impl Fn() -> Installation, second: impl Fn(u32) -> Option<u32>) {
    let mut steps = 0;
    for calls in CALLS {
        let mut nth = 0;
        let mut is_through = false;
        while !is_through {
            nth += 1;
            let installation = begin();
            let key = installation.only_key();
            let components = installation.server.book().components.len().max(1);
            let has_new_key = || installation.is_through() && installation.only_key() != key;
            kill_at_call(&installation, calls, nth);
            is_through = has_new_key();
            if let Some(nth) = second(nth) {
                kill_at_call(&installation, calls, nth);
            }
            let mut agent = installation.start();
            until("a new key that works", has_new_key).unwrap_or_else(|error| {
                panic!("{calls} {nth}: {error} {} {}", agent.output(), installation.settings())
            });
            agent.stop(stratora_testing::Signal::TERM).unwrap();
            let book = installation.server.book();
            let refused = (book.answered(409), book.answered(410));
            assert_eq!((book.components.len(), refused), (components, (0, 0)), "{calls} {nth}: {}", agent.output());
            // Of two keys one may be dead; who is refused again and again has none.
            assert!(book.answered(401) <= 2, "{calls} {nth}: refused again and again: {}", agent.output());
        }
        steps += nth;
    }
    // To prove that the settings can be replaced takes four calls, and so does each time that they are.
    assert!(steps >= 12, "{steps}");
}

fn asked_to_rotate() -> Installation {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().ask_for_rotation();
    installation
}

/// One that has a key, and a token to enroll anew with.
fn asked_to_enroll_again() -> Installation {
    let installation = Installation::with_token(Server::start());
    let mut agent = installation.start();
    installation.until_well(&agent);
    agent.stop(stratora_testing::Signal::TERM).unwrap();
    installation.set("enrollment_token", installation.server.token());
    installation
}

#[test]
fn killed_at_each_call_of_its_enrollment_it_becomes_one_component() {
    at_each_call(|| Installation::with_token(Server::start()), |_| None);
}

#[test]
fn killed_at_each_call_of_its_rotation_it_rotates() {
    at_each_call(asked_to_rotate, |_| None);
}

#[test]
fn killed_a_second_time_before_it_is_back_it_rotates() {
    // Steps of three go through all of five.
    at_each_call(asked_to_rotate, |first| Some(1 + first * 3 % 5));
}

#[test]
fn killed_at_each_call_of_an_enrollment_with_a_key_it_stays_the_component_that_it_is() {
    at_each_call(asked_to_enroll_again, |_| None);
}

#[test]
fn killed_anywhere_in_its_enrollment_it_comes_back_as_one_component_with_a_key_that_works() {
    let mut kills = 0;
    for (step, round) in rounds(ENROLLMENT_STEPS) {
        let installation = Installation::with_token(Server::start());
        let step = enrollment_step(step, round);
        kill_at(&installation, step);
        kills += 1;
        let mut agent = installation.start();
        until("a key that works", || installation.is_well())
            .unwrap_or_else(|error| panic!("{step:?}: {error} {} {}", agent.output(), installation.settings()));
        agent.stop(stratora_testing::Signal::TERM).unwrap();
        let book = installation.server.book();
        assert_eq!((book.components.len(), book.answered(410)), (1, 0), "{step:?}: {}", agent.output());
        // One that was killed, one after that, and one more if the first came late and ended the key of the second.
        let asked = (book.count(Kind::Register), book.answered(401));
        assert!(asked.0 <= 3 && asked.1 <= 1, "{step:?}: asked again and again: {asked:?} {}", agent.output());
    }
    println!("{kills} kills");
}

#[test]
fn killed_anywhere_in_its_rotation_it_comes_back_with_a_key_that_works_and_rotates() {
    let installation = Installation::enrolled(Server::start());
    let mut kills = 0;
    for (step, round) in rounds(ROTATION_STEPS) {
        let key = installation.only_key();
        installation.server.book().ask_for_rotation();
        let step = rotation_step(step, round);
        kill_at(&installation, step);
        kills += 1;
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
    println!("{kills} kills");
}
