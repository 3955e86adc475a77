//! Looks for a configuration, again and again. Beside the heartbeats, not between them: what validates and applies it may
//! take its time, and a host that is busy with that is not a host that is down.

use crate::agent::Agent;
use crate::client::Client;
use crate::clock;
use crate::configuration::Puller;
use crate::standing::{Connection, Standing};

/// Pulls for as long as the agent works with this server, if it is told where to put a configuration.
pub async fn pull(agent: &Agent, client: &Client, connection: &Connection) {
    let Some(steps) = &agent.steps else { return std::future::pending().await };
    let interval = agent.options.interval;
    let mut puller = Puller::new(steps.clone(), &agent.state, interval);
    loop {
        let due = clock::instant() + interval;
        // Needs no server: what does not work must not stay because the server is away.
        let mut wait = puller.recover(&agent.state).await;
        say(agent, &puller);
        if wait.is_none() {
            connection.until(|standing| *standing == Standing::Good).await;
            if let Some(identity) = connection.identity() {
                wait = puller.pull(client, &identity, &agent.state).await;
            }
            say(agent, &puller);
        }
        let regular = due.saturating_duration_since(clock::instant());
        tokio::time::sleep(wait.unwrap_or_default().max(regular)).await;
    }
}

/// For `stratora-agent status`.
fn say(agent: &Agent, puller: &Puller) {
    let mut status = agent.status.borrow_mut();
    status.configuration = puller.last().cloned();
    status.configuration_trouble = puller.trouble().map(str::to_owned);
}
