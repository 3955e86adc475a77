//! The protocol of [ADR 9](../../../docs/adr/0009-revocation-at-cache-speed.md), checked in every order of its steps.
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

use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model, Property, UniformChooser};
use stratora_cache::{Lease, Replica, ReplicaId, Settlement};
use uuid::Uuid;

const TICK: Duration = Duration::from_millis(100);
/// Two ticks: a change surely waits for three.
const LEASE: Duration = Duration::from_millis(200);
const SERVERS: usize = 3;
const CREDENTIALS: usize = 2;
/// Whose memory is followed.
const WATCHED: u8 = 1;
const PROMISE: &str = "what was ended is not accepted after the answer";

fn lease() -> Lease {
    Lease::lasting(LEASE).unwrap()
}

fn moment(tick: u8) -> Duration {
    TICK * u32::from(tick)
}

/// What the protocol insists on. Each can be left out, to see that the check finds what it is for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct Rules {
    /// What is in memory is used only under a lease.
    checks_lease: bool,
    /// What was read before a change is not remembered after it.
    checks_reads: bool,
    /// A lease counts from when it was asked for, not from when the answer came.
    counts_from_asking: bool,
    /// A revocation waits before it is answered.
    waits: bool,
    /// Who has renewed meanwhile is not taken off the list.
    spares_the_living: bool,
    /// A server that was taken off the list starts with an empty memory.
    forgets_when_taken_off: bool,
}

const ALL_RULES: Rules = Rules {
    checks_lease: true,
    checks_reads: true,
    counts_from_asking: true,
    waits: true,
    spares_the_living: true,
    forgets_when_taken_off: true,
};

/// The protocol under `rules`, where the first `answering` servers answer requests, until `last_tick`.
#[derive(Clone, Debug)]
struct Protocol {
    rules: Rules,
    answering: usize,
    last_tick: u8,
    kills: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    /// The changes, each the credential that it ended.
    changes: Vec<u8>,
    rows: Vec<Replica>,
    next_id: u8,
    servers: Vec<Server>,
    revocations: [Revocation; CREDENTIALS],
    kills: u8,
    seen: Seen,
}

/// What has happened at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each happens by itself")]
struct Seen {
    broken: bool,
    accepted: bool,
    waited_out: bool,
    came_back: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    is_alive: bool,
    me: Option<u8>,
    heard: u8,
    trusts_until: Duration,
    asked_at: Option<u8>,
    renewal: Renewal,
    /// The changes that it has read after a wake-up, but not yet applied.
    read: Option<u8>,
    /// Up to which change it has said that it has heard.
    said: u8,
    remembers: bool,
    reading: Option<Reading>,
    request: Option<Request>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Renewal {
    None,
    Asked { at: u8 },
    Alive { at: u8 },
    Read { at: u8, up_to: u8 },
    Registered { at: u8, id: u8, up_to: u8 },
}

/// A read of the credential that is to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reading {
    is_good: Option<bool>,
    changed_since: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    /// It started after the answer to the revocation.
    is_late: bool,
    is_trusted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Revocation {
    None,
    Committed {
        by: usize,
        change: u8,
    },
    Waiting {
        by: usize,
        settlement: Settlement,
        is_listed: bool,
    },
    /// Somebody is silent, and may be taken off the list.
    AnsweredAfterWaiting(Settlement),
    Answered,
    Abandoned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    /// The next step of a renewal: ask, say to be alive, read the changes, apply them and trust.
    Renew(usize),
    WakeUp(usize),
    Hear(usize),
    BeginReading(usize),
    ReadRow(usize),
    Remember(usize),
    BeginRequest(usize),
    AskTrust(usize),
    Decide(usize),
    Commit(u8, usize),
    ApplyOwn(u8),
    ListServers(u8),
    Answer(u8),
    Evict(u8),
    Kill(usize),
    Start(usize),
}

impl Server {
    fn new() -> Self {
        Self {
            is_alive: true,
            me: None,
            heard: 0,
            trusts_until: Duration::ZERO,
            asked_at: None,
            renewal: Renewal::None,
            read: None,
            said: 0,
            remembers: false,
            reading: None,
            request: None,
        }
    }

    fn apply(&mut self, changes: &[u8]) {
        if changes.contains(&WATCHED) {
            self.remembers = false;
            if let Some(reading) = &mut self.reading {
                reading.changed_since = true;
            }
        }
    }

    fn hear(&mut self, up_to: u8, changes: &[u8]) {
        if up_to > self.heard {
            self.apply(&changes[usize::from(self.heard)..usize::from(up_to)]);
            self.heard = up_to;
        }
    }
}

fn replica_id(id: u8) -> ReplicaId {
    ReplicaId(Uuid::from_u128(id.into()))
}

impl State {
    /// All servers under a lease, with the credential in memory or without.
    fn start(remembers: bool) -> Self {
        let mut state = Self {
            now: 0,
            changes: Vec::new(),
            rows: Vec::new(),
            next_id: 0,
            servers: Vec::new(),
            revocations: [const { Revocation::None }; CREDENTIALS],
            kills: 0,
            seen: Seen::default(),
        };
        for _ in 0..SERVERS {
            let (id, trusts_until) = (state.insert_row(), lease().ends(Duration::ZERO));
            state.servers.push(Server { me: Some(id), trusts_until, remembers, ..Server::new() });
        }
        state
    }

    fn row(&mut self, id: Option<u8>) -> Option<&mut Replica> {
        let id = replica_id(id?);
        self.rows.iter_mut().find(|row| row.id == id)
    }

    fn latest(&self) -> u8 {
        u8::try_from(self.changes.len()).unwrap()
    }

    fn is_answered(&self, credential: u8) -> bool {
        let revocation = &self.revocations[usize::from(credential)];
        matches!(revocation, Revocation::AnsweredAfterWaiting(_) | Revocation::Answered)
    }

    fn insert_row(&mut self) -> u8 {
        let (id, acknowledged) = (self.next_id, self.latest().into());
        self.rows.push(Replica { id: replica_id(id), renewals: 0, acknowledged, lease: lease() });
        self.next_id += 1;
        id
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        [true, false].map(State::start).to_vec()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.seen.broken {
            return;
        }
        if state.now < self.last_tick {
            actions.push(Action::Tick);
        }
        for (index, server) in state.servers.iter().enumerate() {
            self.actions_of_server(state, index, server, actions);
        }
        for (credential, revocation) in (0..).zip(&state.revocations) {
            Self::actions_of_revocation(state, credential, revocation, actions);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Start(index) => state.servers[index] = Server::new(),
            Action::Kill(index) => kill(&mut state, index),
            Action::Renew(index) => self.renew(&mut state, index),
            Action::WakeUp(index) if index >= self.answering => {
                let latest = state.latest();
                (state.servers[index].heard, state.servers[index].said) = (latest, latest);
            }
            Action::WakeUp(index) => state.servers[index].read = Some(state.latest()),
            Action::Hear(index) => {
                let server = &mut state.servers[index];
                let up_to = server.read.take()?;
                server.hear(up_to, &before.changes);
                server.said = server.heard;
            }
            Action::BeginReading(index) => {
                state.servers[index].reading = Some(Reading { is_good: None, changed_since: false });
            }
            Action::ReadRow(index) => {
                let reading = state.servers[index].reading.as_mut()?;
                reading.is_good = Some(!before.changes.contains(&WATCHED));
            }
            Action::Remember(index) => {
                let server = &mut state.servers[index];
                let Reading { is_good, changed_since } = server.reading.take()?;
                server.remembers |= is_good? && !(changed_since && self.rules.checks_reads);
            }
            Action::BeginRequest(index) => {
                let is_late = before.is_answered(WATCHED);
                state.servers[index].request = Some(Request { is_late, is_trusted: false });
            }
            Action::AskTrust(index) => {
                let server = &mut state.servers[index];
                let is_trusted = moment(before.now) < server.trusts_until || !self.rules.checks_lease;
                // Without trust the database is read, which is always right.
                server.request = server.request.filter(|_| is_trusted).map(|request| Request { is_trusted, ..request });
            }
            Action::Decide(index) => {
                let server = &mut state.servers[index];
                let request = server.request.take()?;
                if server.remembers {
                    state.seen.accepted = true;
                    state.seen.broken |= request.is_late;
                }
            }
            Action::Commit(..)
            | Action::ApplyOwn(_)
            | Action::ListServers(_)
            | Action::Answer(_)
            | Action::Evict(_) => self.revoke(&mut state, action)?,
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(PROMISE, |_, state: &State| !state.seen.broken),
            Property::sometimes("a request is accepted from memory", |_, state: &State| state.seen.accepted),
            Property::sometimes("a revocation is answered because all have heard", |_, state: &State| {
                state.is_answered(0) && state.now == 0
            }),
            Property::sometimes("a revocation waits until every lease is over", |_, state: &State| {
                state.seen.waited_out
            }),
            Property::sometimes("a server that was taken off the list comes back", |_, state: &State| {
                state.seen.came_back
            }),
        ]
    }
}

fn kill(state: &mut State, index: usize) {
    state.kills += 1;
    state.servers[index] = Server { is_alive: false, ..Server::new() };
    for revocation in &mut state.revocations {
        if let Revocation::Committed { by, .. } | Revocation::Waiting { by, .. } = revocation
            && *by == index
        {
            *revocation = Revocation::Abandoned;
        }
    }
}

impl Protocol {
    fn actions_of_server(&self, state: &State, index: usize, server: &Server, actions: &mut Vec<Action>) {
        if !server.is_alive {
            actions.push(Action::Start(index));
            return;
        }
        if server.read.is_some() {
            actions.push(Action::Hear(index));
        } else if server.me.is_some() && server.heard < state.latest() {
            actions.push(Action::WakeUp(index));
        }
        if index >= self.answering {
            // Whether it hears, or is silent, is all that others notice of it.
            return;
        }
        if state.kills < self.kills {
            actions.push(Action::Kill(index));
        }
        // Renewals at one and the same moment are all alike.
        if server.renewal != Renewal::None || server.asked_at != Some(state.now) {
            actions.push(Action::Renew(index));
        }
        match server.reading {
            None if !server.remembers => actions.push(Action::BeginReading(index)),
            None => {}
            Some(Reading { is_good: None, .. }) => actions.push(Action::ReadRow(index)),
            Some(_) => actions.push(Action::Remember(index)),
        }
        match server.request {
            // Only requests after the answer can break the promise; one before shows that requests are accepted at all.
            None if state.is_answered(WATCHED) || !state.seen.accepted => actions.push(Action::BeginRequest(index)),
            None => {}
            Some(Request { is_trusted: false, .. }) => actions.push(Action::AskTrust(index)),
            Some(_) => actions.push(Action::Decide(index)),
        }
    }

    fn actions_of_revocation(state: &State, credential: u8, revocation: &Revocation, actions: &mut Vec<Action>) {
        match revocation {
            // Through a server that answers requests, and one that does not: the third would be like the second.
            Revocation::None => {
                let able = |by: &usize| state.servers[*by].is_alive;
                actions.extend([0, SERVERS - 1].into_iter().filter(able).map(|by| Action::Commit(credential, by)));
            }
            Revocation::Committed { .. } => actions.push(Action::ApplyOwn(credential)),
            Revocation::Waiting { is_listed, .. } => {
                if !is_listed {
                    actions.push(Action::ListServers(credential));
                }
                actions.push(Action::Answer(credential));
            }
            Revocation::AnsweredAfterWaiting(settlement) => {
                if moment(state.now) >= settlement.dead() {
                    actions.push(Action::Evict(credential));
                }
            }
            Revocation::Answered | Revocation::Abandoned => {}
        }
    }

    /// The next step of a revocation.
    fn revoke(&self, state: &mut State, action: Action) -> Option<()> {
        let now = moment(state.now);
        match action {
            Action::Commit(credential, by) => {
                state.changes.push(credential);
                let change = state.latest();
                state.revocations[usize::from(credential)] = Revocation::Committed { by, change };
            }
            Action::ApplyOwn(credential) => {
                let revocation = &mut state.revocations[usize::from(credential)];
                let Revocation::Committed { by, change } = *revocation else { return None };
                state.servers[by].apply(&[credential]);
                let settlement = Settlement::of(change.into(), now, lease());
                *revocation = Revocation::Waiting { by, settlement, is_listed: false };
            }
            Action::ListServers(credential) => {
                let revocation = &mut state.revocations[usize::from(credential)];
                let Revocation::Waiting { settlement, is_listed, .. } = revocation else { return None };
                settlement.replicas_are(&state.rows, now);
                *is_listed = true;
            }
            Action::Answer(credential) => {
                let revocation = &mut state.revocations[usize::from(credential)];
                let Revocation::Waiting { by, mut settlement, is_listed } = revocation.clone() else { return None };
                // Looked at once more, with all that was said. To hear of it later would only be later.
                if is_listed {
                    settlement.replicas_are(&state.rows, now);
                    for server in &state.servers {
                        settlement.acknowledged(replica_id(server.me.unwrap_or(u8::MAX)), server.said.into());
                    }
                    // The server that revokes has told itself.
                    settlement.acknowledged(replica_id(state.servers[by].me.unwrap_or(u8::MAX)), u64::MAX);
                }
                if self.rules.waits && !settlement.is_settled(now) {
                    return None;
                }
                let somebody_is_silent = settlement.silent().next().is_some();
                state.seen.waited_out |= somebody_is_silent;
                *revocation = if somebody_is_silent {
                    Revocation::AnsweredAfterWaiting(settlement)
                } else {
                    Revocation::Answered
                };
            }
            Action::Evict(credential) => {
                let revocation = &mut state.revocations[usize::from(credential)];
                let Revocation::AnsweredAfterWaiting(settlement) = revocation.clone() else { return None };
                for (id, renewals) in settlement.silent() {
                    let spared = |row: &Replica| self.rules.spares_the_living && row.renewals != renewals;
                    state.rows.retain(|row| row.id != id || spared(row));
                }
                *revocation = Revocation::Answered;
            }
            _ => return None,
        }
        Some(())
    }

    fn renew(&self, state: &mut State, index: usize) {
        let (now, changes) = (state.now, state.changes.clone());
        let Server { me, heard, renewal, .. } = state.servers[index].clone();
        let next = match renewal {
            Renewal::None => {
                state.servers[index].asked_at = Some(now);
                Renewal::Asked { at: now }
            }
            Renewal::Asked { at } => {
                if let Some(row) = state.row(me) {
                    row.renewals += 1;
                    row.acknowledged = heard.into();
                    Renewal::Alive { at }
                } else {
                    let id = state.insert_row();
                    Renewal::Registered { at, id, up_to: state.latest() }
                }
            }
            Renewal::Alive { at } => Renewal::Read { at, up_to: state.latest() },
            Renewal::Read { at, up_to } => {
                state.servers[index].hear(up_to, &changes);
                self.trust(&mut state.servers[index], at, now);
                Renewal::None
            }
            Renewal::Registered { at, id, up_to } => {
                state.seen.came_back |= me.is_some();
                let server = &mut state.servers[index];
                (server.me, server.heard, server.said) = (Some(id), up_to, up_to);
                if self.rules.forgets_when_taken_off {
                    server.apply(&[WATCHED]);
                }
                self.trust(server, at, now);
                Renewal::None
            }
        };
        state.servers[index].renewal = next;
    }

    fn trust(&self, server: &mut Server, asked: u8, now: u8) {
        let from = if self.rules.counts_from_asking { asked } else { now };
        server.trusts_until = lease().ends(moment(from));
    }
}

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
