//! The protocol of [ADR 9](../../../../docs/adr/0009-revocation-at-cache-speed.md), checked in every order of its steps.
//!
//! Three servers on one database, two credentials of two people, each of which somebody revokes once. Time advances at any
//! moment; so a server that is stopped is one that takes no step, a notification that is lost is a step that is not taken,
//! and a message that is late is one that is taken later. A server may be killed and start again. The steps of a renewal,
//! of a read that is to be remembered, of a request and of a revocation are taken one by one, between those of all others.
//! The decisions are the real ones of [`Lease`] and [`Settlement`]; what is in memory follows the rule of `Coherence`.
//!
//! The promise is one about each server and each credential by itself: what others have in memory, or what it has of
//! others, changes nothing about it. So what a server remembers is followed for one of the credentials; the other one's
//! revocation is a change that is heard of, waited for and acknowledged like any other. And the exhaustive check lets one
//! server answer requests, while the other two revoke, acknowledge or are silent, and are waited for. A second check lets
//! all three answer requests, and be killed, up to a number of steps.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests end where they fail")]

mod protocol;
mod state;

use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model as _, UniformChooser};

use crate::protocol::{ALL_RULES, Action, PROMISE, Protocol, Rules};
use crate::state::{SERVERS, State};

fn one_answers(rules: Rules) -> Protocol {
    Protocol { rules, answering: 1, last_tick: 4, kills: 1 }
}

/// As a checker takes it, of which a million states are a second or two.
fn exhaustively(protocol: Protocol, steps: usize) -> impl Checker<Protocol> {
    let checker = protocol.checker().threads(2).target_max_depth(steps).spawn_bfs().join();
    println!("{} states within {steps} steps", checker.unique_state_count());
    checker
}

#[test]
fn one_server_keeps_the_promise_in_every_order_of_steps() {
    exhaustively(one_answers(ALL_RULES), 11).assert_no_discovery(PROMISE);
}

#[test]
fn three_servers_keep_the_promise_in_every_order_of_steps() {
    let protocol = Protocol { rules: ALL_RULES, answering: SERVERS, last_tick: 4, kills: 1 };
    exhaustively(protocol, 7).assert_no_discovery(PROMISE);
}

/// Walks at random through what lies deeper, for a while or until something is found.
fn at_random(rules: Rules, span: Duration) -> impl Checker<Protocol> {
    let checker = one_answers(rules).checker().threads(2).timeout(span);
    checker.finish_when(HasDiscoveries::AnyFailures).spawn_simulation(1, UniformChooser).join()
}

#[test]
fn the_promise_is_kept_far_on_and_everything_that_is_to_happen_does() {
    let checker = at_random(ALL_RULES, Duration::from_secs(10));
    println!("{} states", checker.state_count());
    checker.assert_properties();
}

/// The check finds how the promise is broken when a rule is left out.
fn finds_the_error_without(rules: Rules) {
    let found = at_random(rules, Duration::from_mins(2)).discovery(PROMISE);
    println!("{:?}", found.unwrap().into_actions());
}

#[test]
fn without_the_lease_a_server_that_hears_nothing_breaks_the_promise() {
    finds_the_error_without(Rules { checks_lease: false, ..ALL_RULES });
}

#[test]
fn an_answer_that_does_not_wait_breaks_the_promise() {
    finds_the_error_without(Rules { waits: false, ..ALL_RULES });
}

#[test]
fn a_server_that_comes_back_with_its_old_memory_breaks_the_promise() {
    finds_the_error_without(Rules { forgets_when_taken_off: false, ..ALL_RULES });
}

/// Whether the promise is broken by these steps: what a walk at random meets too seldom. A step that the rules forbid is
/// left out.
fn is_broken_by(story: &[&[Action]], remembers: bool, rules: Rules) -> bool {
    let protocol = one_answers(rules);
    let step = |state: State, action: &Action| protocol.next_state(&state, *action).unwrap_or(state);
    story.concat().iter().fold(State::start(remembers), step).seen.broken
}

const REQUEST: [Action; 3] = [Action::BeginRequest(0), Action::AskTrust(0), Action::Decide(0)];

#[test]
fn without_the_mark_a_read_that_was_overtaken_breaks_the_promise() {
    let overtaken = [Action::BeginReading(0), Action::ReadRow(0), Action::Commit(1, 2), Action::ApplyOwn(1)];
    let heard = [Action::ListServers(1), Action::WakeUp(0), Action::Hear(0), Action::WakeUp(1), Action::Answer(1)];
    let story = [&overtaken[..], &heard, &[Action::Remember(0)], &REQUEST];
    assert!(is_broken_by(&story, false, Rules { checks_reads: false, ..ALL_RULES }));
    assert!(!is_broken_by(&story, false, ALL_RULES));
}

#[test]
fn a_lease_that_counts_from_its_answer_breaks_the_promise() {
    let asked = [Action::Renew(0); 3];
    let revoked = [Action::Commit(1, 2), Action::ApplyOwn(1), Action::ListServers(1), Action::WakeUp(1)];
    let late = [Action::Tick, Action::Tick, Action::Renew(0), Action::Tick, Action::Answer(1)];
    let story = [&asked[..], &revoked, &late, &REQUEST];
    assert!(is_broken_by(&story, true, Rules { counts_from_asking: false, ..ALL_RULES }));
    assert!(!is_broken_by(&story, true, ALL_RULES));
}

/// A server hears of the first change by a renewal, just before it is taken off the list; so nobody waits for it at the
/// second.
#[test]
fn taking_the_living_off_the_list_breaks_the_promise() {
    use Action::{Answer, ApplyOwn, Commit, Evict, ListServers, Renew, Tick, WakeUp};
    let first = [Commit(0, 2), ApplyOwn(0), ListServers(0), WakeUp(1), Tick, Tick];
    let renewal = [Renew(0); 4];
    let second = [Tick, Answer(0), Evict(0), Commit(1, 2), ApplyOwn(1), ListServers(1), WakeUp(1), Answer(1)];
    let story = [&first[..], &renewal, &second, &REQUEST];
    assert!(is_broken_by(&story, true, Rules { spares_the_living: false, ..ALL_RULES }));
    assert!(!is_broken_by(&story, true, ALL_RULES));
}
