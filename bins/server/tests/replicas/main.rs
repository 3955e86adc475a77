//! Three real servers, broken in every way that the architecture names while credentials are ended: no request that starts
//! after the answer is accepted, on any of them. `STRATORA_HISTORIES=1000` lets it run for that many histories with faults
//! at random; without it there is one of each.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end where they fail")]

mod dice;
mod faults;
mod fleet;
mod history;
mod load;
mod network;

use std::collections::BTreeMap;
use std::time::Duration;

use stratora_testing::Signal;
use tokio::runtime::Runtime;

use crate::dice::Dice;
use crate::faults::{Ending, Fault, SOON};
use crate::fleet::{Component, Fleet};
use crate::history::{Credential, History, Outcome, Violation};
use crate::load::{Channel, Holder, Load, ask_once, now};

/// What a history was about.
struct Plan {
    fault: Fault,
    ending: Ending,
    /// To whom the fault happens.
    struck: usize,
    /// Who carries the revocation out.
    revoker: usize,
}

impl Plan {
    fn with(fault: Fault) -> Self {
        let ending =
            if Dice::below(2) == 0 { Dice::one_of(&Ending::OF_COMPONENTS) } else { Dice::one_of(&Ending::OF_PEOPLE) };
        let struck = Dice::below(3);
        let revoker = if fault == Fault::RevokerKilled { struck } else { (struck + 1 + Dice::below(2)) % 3 };
        Self { fault, ending, struck, revoker }
    }

    fn is_of_component(&self) -> bool {
        Ending::OF_COMPONENTS.contains(&self.ending)
    }
}

async fn play(fleet: &mut Fleet, plan: &Plan, [component, other]: [Component; 2]) -> History {
    let (person, neighbour) = (fleet.hire(), fleet.hire());
    let (ended, kept) = if plan.is_of_component() {
        (vec![Holder::Component(component.clone())], Holder::Component(other))
    } else {
        let ended = [Channel::Bearer, Channel::Cookie].map(|channel| Holder::Person(person.clone(), channel));
        (ended.to_vec(), Holder::Person(neighbour, Channel::Bearer))
    };
    let mut load = Load::new();
    for replica in 0..3 {
        let client = fleet.client(replica);
        for holder in ended.iter().chain([&kept]) {
            // Every replica has it in memory.
            let first = ask_once(holder, Credential::Kept, replica, &client, 0).await;
            assert_eq!(first.outcome, Outcome::Accepted, "{:?} before {:?}", holder, plan.fault);
        }
        for holder in &ended {
            load.ask(holder.clone(), Credential::Ended, replica, client.clone());
        }
        load.ask(kept.clone(), Credential::Kept, replica, client);
    }

    plan.fault.strike(fleet, plan.struck).await;
    tokio::time::sleep(Dice::within(SOON)).await;
    let sent = now();
    let client = fleet.client(plan.revoker);
    let request = plan.ending.request(&client, &fleet.admin, &component, &person);
    let revoking = tokio::spawn(async move {
        let answer = request.send().await;
        let answered = now();
        answer.ok().filter(|answer| (200..300).contains(&answer.status)).map(|_| answered)
    });
    tokio::time::sleep(Dice::within(SOON)).await;
    plan.fault.relent(fleet);
    if plan.fault == Fault::RevokerKilled {
        fleet.signal(plan.revoker, Signal::KILL);
    }
    let answered = revoking.await.unwrap();
    if plan.fault == Fault::Joining {
        let joined = fleet.replicas.len() - 1;
        fleet.is_listening(joined);
        for holder in &ended {
            load.ask(holder.clone(), Credential::Ended, joined, fleet.client(joined));
        }
    }
    tokio::time::sleep(Dice::within(SOON * 2)).await;
    plan.fault.mend(fleet, plan.struck);
    // Everybody finds back.
    for replica in 0..3 {
        let client = fleet.client(replica);
        while ask_once(&kept, Credential::Kept, replica, &client, 0).await.outcome != Outcome::Accepted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let requests = load.stop().await;
    if plan.fault == Fault::Joining {
        fleet.remove_last();
    }
    History { requests, revocation: Some((sent, answered)) }
}

/// What is told at the end.
#[derive(Default)]
struct Tally {
    requests: usize,
    by_fault: BTreeMap<Fault, Vec<Duration>>,
    healthy: Vec<Duration>,
}

impl Tally {
    fn add(&mut self, plan: &Plan, history: &History) {
        self.requests += history.requests.len();
        let took = history.took();
        self.by_fault.entry(plan.fault).or_default().extend(took);
        // A new password costs a bcrypt, and so does a new key.
        if plan.fault.leaves_all_healthy() && !matches!(plan.ending, Ending::Rotate | Ending::ResetPassword) {
            self.healthy.extend(took);
        }
    }

    fn print(&mut self) {
        self.healthy.sort_unstable();
        let at = |part: usize| self.healthy.get(self.healthy.len().saturating_sub(1) * part / 100);
        println!("{} requests", self.requests);
        println!("revocations with three healthy servers: p50 {:?}, p99 {:?}", at(50), at(99));
        for (fault, took) in &self.by_fault {
            println!("{fault:?}: {} answered, the slowest after {:?}", took.len(), took.iter().max());
        }
    }
}

#[test]
fn no_request_that_starts_after_the_answer_is_accepted() {
    if !network::is_own() && network::can_be_own() {
        network::run_again_in_own();
    } else {
        Runtime::new().unwrap().block_on(play_all());
    }
}

async fn play_all() {
    let possible = Fault::possible();
    let histories = std::env::var("STRATORA_HISTORIES").ok().map(|number| number.parse::<usize>().unwrap());
    let plans: Vec<_> = match histories {
        Some(number) => (0..number).map(|_| Plan::with(Dice::one_of(&possible))).collect(),
        None => possible.into_iter().map(Plan::with).collect(),
    };
    // Of one the credential is ended, of the other it is kept.
    let components: Vec<_> = plans.iter().map(|_| [Component::new(), Component::new()]).collect();
    let mut fleet = Fleet::start(components.as_flattened()).await;
    let mut tally = Tally::default();
    for (number, (plan, components)) in plans.iter().zip(components).enumerate() {
        let history = play(&mut fleet, plan, components).await;
        let mut violations = history.violations();
        if history.took().is_none() && plan.fault.leaves_an_answer() {
            violations.push(Violation::NotAnswered);
        }
        let Plan { fault, ending, struck, revoker } = plan;
        let told: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(
            told.is_empty(),
            "history {number}: {ending:?} through {revoker}, {fault:?} to {struck}, took {:?}: {}",
            history.took(),
            told.join("; ")
        );
        tally.add(plan, &history);
    }
    tally.print();
}
