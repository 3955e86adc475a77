//! Requests without a pause, from the first to the last moment of a history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stratora_testing::{Client, Request as HttpRequest};
use tokio::task::JoinSet;

use crate::fleet::{Component, Person};
use crate::history::{Credential, Outcome, Request};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Holder {
    Component(Component),
    /// With the token, or with the cookie.
    Person(Person, Channel),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Channel {
    Bearer,
    Cookie,
}

impl Holder {
    fn request(&self, client: &Client, turn: u64) -> HttpRequest {
        match self {
            Self::Component(Component { id, key }) if turn.is_multiple_of(2) => {
                let body = json!({"hostname": "h", "version": "1", "os": "linux"});
                client.post(&format!("/api/v1/agents/heartbeat/{id}")).key(&key.expose()).json(&body)
            }
            Self::Component(Component { id, key }) => {
                client.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key.expose())
            }
            Self::Person(person, Channel::Bearer) => client.get("/api/v1/auth/me").bearer(&person.token),
            Self::Person(person, Channel::Cookie) => {
                client.get("/api/v1/auth/me").cookie("__Host-stratora_session", &person.cookie)
            }
        }
    }
}

/// Requests that go on until they are told to stop.
pub(crate) struct Load {
    asking: JoinSet<Vec<Request>>,
    stop: Arc<AtomicBool>,
}

#[expect(clippy::disallowed_methods, reason = "a history is one of real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { asking: JoinSet::new(), stop: Arc::default() }
    }

    /// Lets `holder` ask `replica` without a pause.
    pub(crate) fn ask(&mut self, holder: Holder, credential: Credential, replica: usize, client: Client) {
        let stop = Arc::clone(&self.stop);
        self.asking.spawn(async move {
            let mut requests = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                let turn = requests.len() as u64;
                requests.push(ask_once(&holder, credential, replica, &client, turn).await);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            // One more of each, which surely started last.
            requests.push(ask_once(&holder, credential, replica, &client, 0).await);
            requests
        });
    }

    /// Tells all to stop. Returns what they asked.
    pub(crate) async fn stop(self) -> Vec<Request> {
        self.stop.store(true, Ordering::SeqCst);
        self.asking.join_all().await.into_iter().flatten().collect()
    }
}

/// One request.
pub(crate) async fn ask_once(
    holder: &Holder,
    credential: Credential,
    replica: usize,
    client: &Client,
    turn: u64,
) -> Request {
    let started = now();
    let outcome = match holder.request(client, turn).send().await {
        // 404 is the answer to a good key whose component has no configuration.
        Ok(answer) if matches!(answer.status, 200 | 404) => Outcome::Accepted,
        // 429 is the answer to a key that is nobody's any more, after the first thirty times.
        Ok(answer) if matches!(answer.status, 401 | 403 | 429) => Outcome::Refused,
        Ok(answer) if answer.status == 503 => Outcome::Failed,
        Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
        Err(_) => Outcome::Failed,
    };
    Request { credential, replica, started, outcome }
}
