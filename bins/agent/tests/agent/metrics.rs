//! Metrics: sent while the server is there, kept while it is not, and dropped with a word about it when there are too
//! many.

use std::collections::BTreeSet;
use std::fs;

use stratora_testing::{Signal, until};

use crate::book::{Instead, Kind};
use crate::http::Answer;
use crate::installation::{Installation, said, times};
use crate::server::Server;

/// The times of the samples that have arrived, and how many lines for CPU there were.
pub(crate) fn samples(installation: &Installation) -> (BTreeSet<i64>, usize) {
    let times = times_of(&installation.server.book().ingested.concat());
    (times.iter().copied().collect(), times.len())
}

/// The times of the samples that wait on disk.
pub(crate) fn sampled(installation: &Installation) -> Vec<i64> {
    let files = fs::read_dir(installation.state().join("buffer")).unwrap();
    // One may have been sent meanwhile.
    files.flat_map(|file| times_of(&fs::read_to_string(file.unwrap().path()).unwrap_or_default())).collect()
}

/// When the samples in some lines were taken, in nanoseconds. Each has one line for CPU; the last may be half written.
fn times_of(lines: &str) -> Vec<i64> {
    let whole = lines.split_inclusive('\n').filter(|line| line.starts_with("cpu,") && line.ends_with('\n'));
    whole.map(|line| line.trim_end().rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

/// How many bytes wait on disk.
pub(crate) fn waiting(installation: &Installation) -> u64 {
    let files = fs::read_dir(installation.state().join("buffer")).unwrap();
    files.map(|file| file.unwrap().metadata().map_or(0, |metadata| metadata.len())).sum()
}

#[test]
fn metrics_of_all_kinds_arrive_as_line_protocol() {
    let installation = Installation::enrolled(Server::start());
    let _agent = installation.start();
    until("metrics", || !installation.server.book().ingested.is_empty()).unwrap();
    let text = installation.server.book().ingested.concat();
    for measurement in ["cpu,", "mem,", "system,", "net,"] {
        assert!(text.lines().any(|line| line.starts_with(measurement)), "{measurement} {text}");
    }
    assert!(influxdb_line_protocol::parse_lines(&text).all(|line| line.is_ok()));
    assert_eq!(waiting(&installation), 0);
    until("its status", || installation.status().1).unwrap();
}

#[test]
fn what_was_measured_while_the_server_was_away_arrives_once_after_it() {
    let installation = Installation::enrolled(Server::start());
    let mut agent = installation.start();
    until("metrics", || samples(&installation).1 > 2).unwrap();
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable").header("Retry-After", "1"));
    said(&mut agent, "metrics are kept for later: the server answers 503 unavailable");
    until("a buffer", || waiting(&installation) > 10_000).unwrap();
    assert!(installation.status().0.contains("BAD  metrics"));
    let before = samples(&installation).0;
    installation.server.book().always.clear();
    said(&mut agent, "metrics are taken again");
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    agent.stop(Signal::TERM).unwrap();
    let (after, lines) = samples(&installation);
    assert!(after.len() > before.len() + 5 && after.len() == lines, "each once: {} {lines}", after.len());
    assert_eq!(times(&agent, "kept for later"), 1);
    // At most a second between two readings: none is missing in the middle.
    let gaps: Vec<_> = after.iter().zip(after.iter().skip(1)).map(|(one, next)| next - one).collect();
    assert!(gaps.iter().all(|gap| *gap < 2_000_000_000), "{gaps:?}");
}

#[test]
fn what_waits_when_the_agent_is_told_to_end_is_sent_by_the_next() {
    let installation = Installation::enrolled(Server::start());
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable"));
    let mut agent = installation.start();
    until("a buffer", || installation.state().join("buffer").exists() && waiting(&installation) > 5_000).unwrap();
    assert!(agent.stop(Signal::TERM).unwrap().success());
    let kept = waiting(&installation);
    installation.server.book().always.clear();
    let agent = installation.start();
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    let arrived: usize = installation.server.book().ingested.iter().map(String::len).sum();
    assert!(arrived as u64 >= kept, "{arrived} of {kept}: {}", agent.output());
}

#[test]
fn a_full_buffer_loses_the_oldest_and_says_how_many() {
    let installation = Installation::enrolled(Server::start());
    // A buffer that is as good as full, of two files.
    let buffer = installation.state().join("buffer");
    fs::create_dir_all(&buffer).unwrap();
    let line = |name: &str| format!("{name},host=h used=1i 1700000000000000000\n");
    for (number, name) in ["old", "new"].iter().enumerate() {
        fs::write(buffer.join(format!("{number:016}.lines")), line(name).repeat(13_400)).unwrap();
    }
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable"));
    let mut agent = installation.start_with(&["--buffer-limit", "1"]);
    let said = said(&mut agent, "lines of metrics were dropped");
    assert!(said.contains("13400 lines") && waiting(&installation) <= 1024 * 1024, "{said}");
    until("its status says so", || installation.status().0.contains("13400 lines dropped")).unwrap();
    installation.server.book().always.clear();
    until("an empty buffer", || waiting(&installation) == 0).unwrap();
    let text = installation.server.book().ingested.concat();
    assert!(!text.contains("old,") && text.matches("new,").count() == 13_400);
}

#[test]
fn a_disk_that_is_full_is_said_once_and_costs_no_heartbeat() {
    let installation = Installation::enrolled(Server::start());
    installation.server.always(Kind::Ingest, Answer::error(503, "unavailable"));
    let mut agent = installation.start();
    until("a buffer", || installation.state().join("buffer").exists() && waiting(&installation) > 0).unwrap();
    // As good as a full disk, for root too: nothing can be made in what is no directory.
    let buffer = installation.state().join("buffer");
    fs::rename(&buffer, installation.path("moved")).unwrap();
    fs::write(&buffer, "").unwrap();
    said(&mut agent, "metrics cannot be buffered on disk");
    let heartbeats = installation.server.book().count(Kind::Heartbeat);
    until("heartbeats", || installation.server.book().count(Kind::Heartbeat) > heartbeats + 10).unwrap();
    assert_eq!(times(&agent, "metrics cannot be buffered on disk:"), 1, "{}", agent.output());
    fs::remove_file(&buffer).unwrap();
    fs::rename(installation.path("moved"), &buffer).unwrap();
    installation.server.book().always.clear();
    said(&mut agent, "metrics are taken again");
}

#[test]
fn lines_that_the_server_will_never_take_are_dropped_with_a_word() {
    let installation = Installation::enrolled(Server::start());
    installation.server.script(Kind::Ingest, [Instead::Answer(Answer::error(400, "invalid_lines"))]);
    let mut agent = installation.start();
    assert!(said(&mut agent, "would be refused for ever").contains("400 invalid_lines"));
    until("metrics", || !installation.server.book().ingested.is_empty()).unwrap();
}

#[test]
fn a_page_that_says_200_has_taken_no_metrics() {
    let installation = Installation::enrolled(Server::start());
    installation.server.script(Kind::Ingest, [Instead::Answer(Answer::html(200))]);
    let mut agent = installation.start();
    said(&mut agent, "metrics are kept for later");
    until("an empty buffer", || samples(&installation).1 > 3 && waiting(&installation) == 0).unwrap();
}

#[test]
fn trouble_that_only_metrics_have_is_said_once() {
    let installation = Installation::enrolled(Server::start());
    installation.server.script(Kind::Ingest, vec![Instead::Close; 4]);
    let mut agent = installation.start();
    said(&mut agent, "metrics are kept for later: the server cannot be reached");
    said(&mut agent, "metrics are taken again");
    assert_eq!(times(&agent, "warning"), 1, "{}", agent.output());
}
