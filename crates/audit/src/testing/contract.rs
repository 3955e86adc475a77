//! What every log must do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a log that fails its contract ends the test")]

use std::sync::Arc;
use std::time::Duration;

use stratora_clock::Timestamp;
use stratora_port::{Cursor, Limit, PageRequest};
use uuid::Uuid;

use crate::{
    Action, Actor, ActorKind, AuditLog, Event, Filter, Head, Origin, Outcome, Record, RequestId, ResourceKind, Stats,
    StatsBucket, Verifier,
};

/// How many appends run side by side.
const WRITERS: u64 = 50;

/// Runs the contract on an empty log, within a runtime of several threads.
///
/// # Panics
/// When the log does not fulfil it.
pub async fn audit_log_contract(log: Arc<dyn AuditLog>) {
    an_empty_log_holds_nothing(log.as_ref()).await;
    for event in history() {
        log.append(event).await.unwrap();
    }
    records_read_back_as_they_were_written(log.as_ref()).await;
    each_filter_finds_exactly_what_it_names(log.as_ref()).await;
    counts_are_those_of_the_records_that_match(log.as_ref()).await;
    pages_lead_from_the_newest_to_the_oldest(log.as_ref()).await;
    appends_side_by_side_make_one_chain(log).await;
}

/// Reads the log and verifies its chain from the start. Returns the number of records.
///
/// # Panics
/// When the chain is broken or the log fails.
pub async fn verify_chain(log: &dyn AuditLog) -> u64 {
    let mut verifier = Verifier::from(Head::EMPTY);
    let mut last = 0;
    loop {
        let records = log.records_after(last, 100).await.unwrap();
        for record in &records {
            verifier.next(record).unwrap();
            last = record.seq;
        }
        if records.is_empty() {
            return verifier.finish(log.head().await.unwrap()).unwrap();
        }
    }
}

/// The last instant before the second day of [`history`], which is the first of January 2026.
fn before_new_year() -> Timestamp {
    new_year().minus(Duration::from_micros(1))
}

fn new_year() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn origin(name: &str) -> Origin {
    Origin {
        actor: Actor { kind: ActorKind::User, id: Some(id(7)), name: name.to_owned() },
        client: Some("2001:db8::7".parse().unwrap()),
        request_id: Some(RequestId::from_uuid(id(u128::MAX))),
    }
}

/// Six events, so different that every field is seen to survive.
fn history() -> [Event; 6] {
    [
        origin("Jürgen").event(before_new_year(), Action::SignIn).on(ResourceKind::Session, Some(id(1)), "Jürgen"),
        origin("ada").event(new_year(), Action::SignIn).ended(Outcome::Failure).with("reason", "50%_off \\ \"quoted\""),
        origin("ada").event(new_year(), Action::SignIn).ended(Outcome::Failure),
        Origin::system().event(new_year().plus(Duration::from_hours(1)), Action::ComponentRevoke).on(
            ResourceKind::Component,
            Some(id(2)),
            "ÖSTERREICH 1",
        ),
        Origin { actor: Actor::anonymous(), client: Some("192.0.2.1".parse().unwrap()), request_id: None }
            .event(new_year().plus(Duration::from_hours(24)), Action::RateLimit)
            .ended(Outcome::Denied)
            .on(ResourceKind::Endpoint, None, "POST /api/v1/auth/login"),
        // Written later than the one before, though it happened earlier: the order is that of the chain.
        Origin::command_line()
            .event(new_year(), Action::PasswordReset)
            .on(ResourceKind::User, Some(id(1)), "")
            .with("a", "")
            .with("name", "line\nbreak"),
    ]
}

async fn an_empty_log_holds_nothing(log: &dyn AuditLog) {
    assert_eq!(log.head().await.unwrap(), Head::EMPTY);
    assert_eq!(log.records_after(0, 10).await.unwrap(), []);
    assert_eq!(log.stats(&Filter::default()).await.unwrap(), Stats::default());
    let page = log.page(&Filter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!((page.items, page.next, page.total), (Vec::new(), None, 0));
}

async fn records_read_back_as_they_were_written(log: &dyn AuditLog) {
    let records = log.records_after(0, 10).await.unwrap();
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(records.iter().map(|record| record.event.clone()).collect::<Vec<_>>(), history());
    assert_eq!(log.head().await.unwrap(), records[5].head());
    assert_eq!(log.records_after(2, 3).await.unwrap(), records[2..5], "a part of the chain");
    assert_eq!(log.records_after(6, 3).await.unwrap(), [], "behind the last record");
    assert_eq!(verify_chain(log).await, 6);
}

async fn each_filter_finds_exactly_what_it_names(log: &dyn AuditLog) {
    let everything = Filter::default();
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    let actor = |actor: &str| Filter { actor: Some(actor.to_owned()), ..Filter::default() };
    let cases: [(&str, Filter, &[u64]); 22] = [
        ("no condition", everything.clone(), &[6, 5, 4, 3, 2, 1]),
        ("from is included", Filter { from: Some(new_year()), ..everything.clone() }, &[6, 5, 4, 3, 2]),
        ("until is not", Filter { until: Some(new_year()), ..everything.clone() }, &[1]),
        ("an empty span", Filter { from: Some(new_year()), until: Some(new_year()), ..everything.clone() }, &[]),
        ("an actor", actor("ada"), &[3, 2]),
        ("an actor in another case", actor("Ada"), &[]),
        ("the start of an actor's name", actor("ad"), &[]),
        ("an action", Filter { action: Some(Action::SignIn), ..everything.clone() }, &[3, 2, 1]),
        ("an action that never happened", Filter { action: Some(Action::Panic), ..everything.clone() }, &[]),
        ("an outcome", Filter { outcome: Some(Outcome::Failure), ..everything.clone() }, &[3, 2]),
        ("a kind", Filter { resource_kind: Some(ResourceKind::Component), ..everything.clone() }, &[4]),
        ("a resource", Filter { resource_id: Some(id(1)), ..everything.clone() }, &[6, 1]),
        (
            "a resource of a kind",
            Filter { resource_kind: Some(ResourceKind::User), resource_id: Some(id(1)), ..everything.clone() },
            &[6],
        ),
        ("a part of a name in any case", text("öster"), &[4]),
        ("a part of an actor's name in any case", text("JÜRG"), &[1]),
        ("a detail's value", text("Quoted"), &[2]),
        ("a detail's name", text("reason"), &[2]),
        ("a percent sign and an underscore as such", text("50%_"), &[2]),
        ("no percent sign", text("%off"), &[]),
        ("a backslash as such", text("\\"), &[2]),
        ("an underscore that stands for nothing else", text("_da"), &[]),
        (
            "all conditions at once",
            Filter { from: Some(new_year()), outcome: Some(Outcome::Failure), ..text("ADA") },
            &[3, 2],
        ),
    ];
    for (what, filter, expected) in cases {
        let page = log.page(&filter, &PageRequest::default()).await.unwrap();
        assert_eq!(positions(&page.items), expected, "{what}");
        assert_eq!((page.next, page.total), (None, expected.len() as u64), "{what}");
        assert_eq!(log.stats(&filter).await.unwrap().total, expected.len() as u64, "{what}");
    }
}

async fn counts_are_those_of_the_records_that_match(log: &dyn AuditLog) {
    let stats = log.stats(&Filter::default()).await.unwrap();
    assert_eq!(stats.total, 6);
    let first = StatsBucket { action: Action::SignIn, outcome: Outcome::Failure, count: 2 };
    assert_eq!(stats.buckets[0], first, "the most frequent comes first");
    let mut rest: Vec<_> =
        stats.buckets[1..].iter().map(|bucket| (bucket.action, bucket.outcome, bucket.count)).collect();
    rest.sort_by_key(|bucket| bucket.0);
    assert_eq!(
        rest,
        [
            (Action::SignIn, Outcome::Success, 1),
            (Action::PasswordReset, Outcome::Success, 1),
            (Action::ComponentRevoke, Outcome::Success, 1),
            (Action::RateLimit, Outcome::Denied, 1),
        ]
    );
    let day = Duration::from_hours(24);
    assert_eq!(stats.days, [(new_year().minus(day), 1), (new_year(), 4), (new_year().plus(day), 1)]);

    let filter = Filter { action: Some(Action::SignIn), ..Filter::default() };
    let stats = log.stats(&filter).await.unwrap();
    assert_eq!((stats.total, stats.buckets.len()), (3, 2));
    assert_eq!(stats.days, [(new_year().minus(day), 1), (new_year(), 2)]);
}

async fn pages_lead_from_the_newest_to_the_oldest(log: &dyn AuditLog) {
    let two = |after| PageRequest { limit: Limit::new(2).unwrap(), after };
    let all = Filter::default();
    let first = log.page(&all, &two(None)).await.unwrap();
    assert_eq!((positions(&first.items), first.total), (vec![6, 5], 6));
    // What is written meanwhile moves no page.
    log.append(history()[2].clone()).await.unwrap();
    let second = log.page(&all, &two(first.next)).await.unwrap();
    assert_eq!((positions(&second.items), second.total), (vec![4, 3], 7));
    let third = log.page(&all, &two(second.next)).await.unwrap();
    assert_eq!((positions(&third.items), third.next), (vec![2, 1], None));

    let failures = Filter { outcome: Some(Outcome::Failure), ..Filter::default() };
    let first = log.page(&failures, &two(None)).await.unwrap();
    assert_eq!((positions(&first.items), first.total), (vec![7, 3], 3));
    let second = log.page(&failures, &two(first.next)).await.unwrap();
    assert_eq!((positions(&second.items), second.next, second.total), (vec![2], None, 3));

    for made_up in ["-1", "x", "99999999999999999999"] {
        let page = log.page(&all, &two(Some(Cursor::after(made_up)))).await.unwrap();
        assert_eq!(page.items, [], "a cursor that is none of ours");
    }
}

async fn appends_side_by_side_make_one_chain(log: Arc<dyn AuditLog>) {
    let before = log.head().await.unwrap().seq;
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let log = Arc::clone(&log);
            let event = Origin::system().event(new_year(), Action::KeyRefuse).with("writer", number.to_string());
            tokio::spawn(async move { log.append(event).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(verify_chain(log.as_ref()).await, before + WRITERS);
    let records = log.records_after(before, 100).await.unwrap();
    let mut written: Vec<_> =
        records.iter().map(|record| record.event.details["writer"].parse::<u64>().unwrap()).collect();
    written.sort_unstable();
    assert_eq!(written, (0..WRITERS).collect::<Vec<_>>());
}

fn positions(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}
