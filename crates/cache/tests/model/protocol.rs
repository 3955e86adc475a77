//! The steps of the protocol, and when each can be taken.

use stateright::{Model, Property};
use stratora_cache::{Replica, Settlement};

use crate::state::{Reading, Renewal, Request, Revocation, SERVERS, Server, State, WATCHED, lease, moment, replica_id};

pub(crate) const PROMISE: &str = "what was ended is not accepted after the answer";

/// What the protocol insists on. Each can be left out, to see that the check finds what it is for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Rules {
    /// What is in memory is used only under a lease.
    pub(crate) checks_lease: bool,
    /// What was read before a change is not remembered after it.
    pub(crate) checks_reads: bool,
    /// A lease counts from when it was asked for, not from when the answer came.
    pub(crate) counts_from_asking: bool,
    /// A revocation waits before it is answered.
    pub(crate) waits: bool,
    /// Who has renewed meanwhile is not taken off the list.
    pub(crate) spares_the_living: bool,
    /// A server that was taken off the list starts with an empty memory.
    pub(crate) forgets_when_taken_off: bool,
}

pub(crate) const ALL_RULES: Rules = Rules {
    checks_lease: true,
    checks_reads: true,
    counts_from_asking: true,
    waits: true,
    spares_the_living: true,
    forgets_when_taken_off: true,
};

/// The protocol under `rules`, where the first `answering` servers answer requests, until `last_tick`.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) rules: Rules,
    pub(crate) answering: usize,
    pub(crate) last_tick: u8,
    pub(crate) kills: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
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
        // An answer may have to wait. Offered all the same, it would be skipped, and the checker cannot retrace a walk at
        // random that has skipped a step.
        actions.retain(|action| !matches!(action, Action::Answer(_)) || self.next_state(state, *action).is_some());
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
