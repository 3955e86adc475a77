//! A server that answers 5xx for an hour: with the agent's own intervals and limits, and its clock two hundred times as
//! fast.

use std::fs;
use std::path::PathBuf;

use stratora_testing::{Background, Signal, until};

use crate::book::Kind;
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::metrics::{samples, waiting};
use crate::server::Server;

/// As long as an hour, in nanoseconds.
const HOUR: i64 = 3_600_000_000_000;

/// Measurements and a pull may be on their way with the old key when the new one is first used, and are sent again with it.
const ON_THEIR_WAY: usize = 2;

/// What the server and an NGINX in front of it say by turns when they are in trouble.
fn troubles() -> [Answer; 5] {
    [
        Answer::error(500, "internal"),
        Answer::html(502),
        Answer::error(503, "unavailable"),
        Answer::html(504),
        Answer::empty(500),
    ]
}

/// An agent that lives fast: nothing else about it is unusual, but that it pulls a configuration.
fn start(installation: &Installation, options: &[&str]) -> Background {
    let target = installation.path("telegraf.conf");
    let mut command = installation.command();
    command.args(["--interval", "10", "--config-target", target.to_str().unwrap()]).args(options);
    // An answer that takes a tenth of a second took twenty in its eyes.
    command.args(["--request-timeout", "3600"]);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME", "+0 x200");
    Background::start(&mut command, installation.directory(), "agent").unwrap()
}

/// The library that lets a process see another time.
fn faketime() -> PathBuf {
    let architectures = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|library| library.is_file());
    found.unwrap_or_else(|| panic!("libfaketime is not installed; on Debian, apt-get install faketime"))
}

/// When the newest sample on disk was taken, in the agent's time.
fn newest(installation: &Installation) -> Option<i64> {
    let files = fs::read_dir(installation.state().join("buffer")).ok()?;
    let newest = files.map(|file| file.unwrap().path()).max()?;
    let text = fs::read_to_string(newest).ok()?;
    let (whole, _) = text.rsplit_once('\n')?;
    whole.rsplit(' ').next()?.parse().ok()
}

/// Waits until the agent has measured for an hour since `begin`.
fn until_an_hour_has_passed(installation: &Installation, agent: &Background, begin: i64) {
    for quarter in 1..=4 {
        let end = begin + quarter * HOUR / 4;
        until("a quarter of an hour", || newest(installation).is_some_and(|time| time >= end))
            .unwrap_or_else(|error| panic!("{error}: {}", agent.output()));
    }
}

fn now() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos().try_into().unwrap()
}

/// What is wrong in the agent's words, but that its clock is fast.
fn warnings(agent: &Background) -> Vec<String> {
    let output = agent.output();
    let wrong = output.lines().filter(|line| line.starts_with("warning") || line.starts_with("error"));
    wrong.filter(|line| !line.contains("this host's clock")).map(str::to_owned).collect()
}

fn ends_in_trouble(installation: &Installation, kind: Kind) -> usize {
    let book = installation.server.book();
    book.requests.iter().filter(|(made, status)| *made == kind && *status >= 500).count()
}

#[test]
fn after_an_hour_of_5xx_to_everything_it_is_back_by_itself_having_said_so_once() {
    let installation = Installation::enrolled(Server::start());
    // What an earlier outage has left, so that the limit is reached in this one: four files of 240 KiB.
    let buffer = installation.state().join("buffer");
    fs::create_dir_all(&buffer).unwrap();
    let line = |name: usize| format!("old{name},host=h used=1i 1700000000000000000\n");
    let lines = 240 * 1024 / line(0).len();
    for name in 0..4 {
        fs::write(buffer.join(format!("{name:016}.lines")), line(name).repeat(lines)).unwrap();
    }
    for kind in [Kind::Register, Kind::Heartbeat, Kind::Rotate, Kind::Config, Kind::Report, Kind::Ingest] {
        installation.server.always_in_turn(kind, troubles());
    }
    installation.server.book().ask_for_rotation();
    let before = installation.settings();
    let key = installation.only_key();
    let begin = now();
    let mut agent = start(&installation, &["--buffer-limit", "1"]);
    until_an_hour_has_passed(&installation, &agent, begin);

    assert_eq!(installation.settings(), before);
    // Waits of up to ten seconds at first, and five minutes in the end: two dozen, give or take.
    let requests = installation.server.book().requests.clone();
    let is_alone = requests.iter().all(|(kind, status)| *kind == Kind::Heartbeat && *status >= 500);
    assert!(is_alone && (10..60).contains(&requests.len()), "{}: {requests:?}", requests.len());
    assert!(waiting(&installation) <= 1024 * 1024);

    installation.server.book().always.clear();
    said(&mut agent, "the server takes this agent's key again");
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    until("a new key", || installation.has_rotated(key.as_ref()) && installation.is_through()).unwrap();
    agent.stop(Signal::TERM).unwrap();
    let text = installation.server.book().ingested.concat();
    let arrived: Vec<_> = (0..4).map(|name| text.matches(&format!("old{name},")).count()).collect();
    let gone = arrived.iter().filter(|count| **count == 0).count();
    assert!(gone > 0 && arrived.iter().skip(gone).all(|count| *count == lines), "the oldest go: {arrived:?}");
    let (dropped, rest): (Vec<_>, Vec<_>) =
        warnings(&agent).into_iter().partition(|line| line.contains("lines of metrics were dropped, the oldest first"));
    assert_eq!(rest.len(), 1, "{rest:?}");
    let said = dropped.last().unwrap();
    assert!(said.ends_with(&format!("; {} since the start", gone * lines)), "{said}: {arrived:?}");
    measured_throughout(&installation, begin);
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.components.len()), (0, 1));
    assert!(book.answered(401) <= ON_THEIR_WAY, "{}", agent.output());
}

#[test]
fn an_hour_of_5xx_to_all_but_heartbeats_is_said_once_of_each() {
    let installation = Installation::enrolled(Server::start());
    installation.server.book().config = Some(("\"v1\"".to_owned(), "a = 1\n".to_owned()));
    let key = installation.only_key();
    let mut agent = start(&installation, &[]);
    until("a configuration and metrics", || {
        let book = installation.server.book();
        book.reports.len() == 1 && !book.ingested.is_empty()
    })
    .unwrap();
    let begin = samples(&installation).0.into_iter().next_back().unwrap();
    for kind in [Kind::Rotate, Kind::Config, Kind::Ingest] {
        installation.server.always_in_turn(kind, troubles());
    }
    installation.server.book().ask_for_rotation();
    until_an_hour_has_passed(&installation, &agent, begin);

    assert_eq!(installation.only_key(), key);
    for kind in [Kind::Rotate, Kind::Config, Kind::Ingest] {
        let requests = ends_in_trouble(&installation, kind);
        assert!((5..60).contains(&requests), "{requests} times {kind:?} in an hour");
    }
    let said_of = |part: &str| times(&agent, part);
    let once = ["metrics are kept for later: ", "the key is not rotated, "].map(said_of);
    assert_eq!((once, warnings(&agent).len()), ([1, 1], 3), "{}", agent.output());

    installation.server.book().always.clear();
    said(&mut agent, "metrics are taken again");
    said(&mut agent, "the configuration can be pulled again");
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    // It asks again within five minutes of its time.
    until("a new key", || installation.has_rotated(key.as_ref()) && installation.is_through()).unwrap();
    agent.stop(Signal::TERM).unwrap();
    measured_throughout(&installation, begin);
    let book = installation.server.book();
    assert_eq!((book.count(Kind::Register), book.reports.len()), (0, 1));
    assert!(book.answered(401) <= ON_THEIR_WAY, "{}", agent.output());
}

/// What was measured in that hour has arrived, once, with nothing missing.
fn measured_throughout(installation: &Installation, begin: i64) {
    let (arrived, lines) = samples(installation);
    assert_eq!(arrived.len(), lines, "each once");
    let hour: Vec<_> = arrived.range(begin..=begin + HOUR).collect();
    assert!(hour.len() > 300, "{} samples in an hour", hour.len());
    // Every ten seconds, which here are fifty milliseconds of a machine that has more to do.
    let longest = hour.iter().zip(hour.iter().skip(1)).map(|(one, next)| **next - **one).max();
    assert!(longest.is_some_and(|gap| gap < HOUR / 12), "{longest:?}");
}
