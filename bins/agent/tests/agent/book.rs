//! What the server of components knows and what it makes of a request. It keeps the real one's rules: a token is good
//! once, a registration is answered again until the key of it was used or replaced, and an old key lives until the new one
//! is used.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::http::{Answer, Request};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Register,
    Heartbeat,
    Rotate,
    Config,
    Report,
    Ingest,
}

/// Where the agent is killed, around a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The server has the request, and has done nothing.
    Received,
    /// The server has done it, and has not answered.
    Done,
    /// Half of the answer is sent.
    Half,
    /// So long after the whole answer was sent.
    Answered(Duration),
}

/// What happens to a request instead of an ordinary answer.
#[derive(Debug, Clone)]
pub(crate) enum Instead {
    /// This is the answer, and nothing is done.
    Answer(Answer),
    /// It is done, and only half of the answer is sent.
    HalfAnAnswer,
    /// It is not answered.
    Silence,
    /// It is not answered, and the connection ends.
    Close,
    /// A body without an end.
    Endless,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Component {
    pub(crate) key: String,
    pub(crate) next: Option<String>,
    pub(crate) ended: Vec<String>,
    pub(crate) used: bool,
    pub(crate) revoked: bool,
    pub(crate) not_approved: bool,
    /// Asked for in heartbeats until a new key was used.
    pub(crate) rotate: bool,
    hostname: String,
    /// The last registration that can be repeated, and the key that it was answered with.
    issued: Option<(String, String)>,
}

impl Component {
    /// An administrator makes a key in place of the one that it has.
    pub(crate) fn replace_key(&mut self) {
        self.ended.push(std::mem::replace(&mut self.key, new_key()));
    }

    /// Somebody has made its last registration once more.
    pub(crate) fn repeat(&mut self) {
        self.replace_key();
        if let Some((_, key)) = &mut self.issued {
            key.clone_from(&self.key);
        }
    }
}

/// What the server knows, and what it has seen.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Which there are, and whether they are used up.
    pub(crate) tokens: BTreeMap<String, bool>,
    /// No token is ever used up.
    pub(crate) tokens_last: bool,
    /// So many registrations are made once more, by a copy of the host, before their answer is sent.
    pub(crate) copied: usize,
    pub(crate) components: BTreeMap<String, Component>,
    pub(crate) requests: Vec<(Kind, u16)>,
    /// Around which request to kill, after how many others of its kind.
    pub(crate) kill: Option<(Kind, Moment, usize)>,
    /// For the next requests of a kind, one after the other.
    pub(crate) script: BTreeMap<Kind, VecDeque<Instead>>,
    /// For every request of a kind that no script is for: one after the other, and over again.
    pub(crate) always: BTreeMap<Kind, VecDeque<Instead>>,
    /// Requests of this kind are done, and answered once this is taken away.
    pub(crate) hold: Option<Kind>,
    pub(crate) approve_existing: bool,
    pub(crate) config: Option<(String, String)>,
    pub(crate) reports: Vec<serde_json::Value>,
    pub(crate) ingested: Vec<String>,
    pub(crate) clock_ahead: Duration,
    pub(crate) heartbeats: Vec<serde_json::Value>,
}

impl Book {
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.requests.iter().filter(|(made, _)| *made == kind).count()
    }

    pub(crate) fn answered(&self, status: u16) -> usize {
        self.requests.iter().filter(|(_, answered)| *answered == status).count()
    }

    /// What happens to the next request of this kind, if not the ordinary.
    pub(crate) fn instead(&mut self, kind: Kind) -> Option<Instead> {
        let scripted = self.script.get_mut(&kind).and_then(VecDeque::pop_front);
        scripted.or_else(|| {
            let always = self.always.get_mut(&kind)?;
            always.rotate_left(1);
            always.back().cloned()
        })
    }

    /// Around which moment of this request to kill, if at all.
    pub(crate) fn moment_to_kill(&mut self, kind: Kind) -> Option<Moment> {
        let (_, moment, others) = self.kill.as_mut().filter(|(killing, ..)| *killing == kind)?;
        if let Some(fewer) = others.checked_sub(1) {
            *others = fewer;
            return None;
        }
        let moment = *moment;
        self.kill = None;
        Some(moment)
    }

    /// Makes a component that nobody registered. Returns its identifier and its key.
    pub(crate) fn add_component(&mut self) -> (String, String) {
        let component = Component { key: new_key(), ..Component::default() };
        let made = ("component-0".to_owned(), component.key.clone());
        self.components.insert(made.0.clone(), component);
        made
    }

    /// Asks every component for a new key.
    pub(crate) fn ask_for_rotation(&mut self) {
        self.components.values_mut().for_each(|component| component.rotate = true);
    }

    fn register(&mut self, request: &Request) -> Answer {
        let body: stratora_wire::Register = serde_json::from_slice(&request.body).unwrap();
        let attempt = format!("{:?} {} {}", request.header("idempotency-key"), body.hostname, body.version);
        let repeated = self.components.iter_mut().find(|(_, component)| {
            component.issued.as_ref().is_some_and(|(made, key)| *made == attempt && *key == component.key)
        });
        if let Some((id, component)) = repeated.filter(|(_, component)| !component.used) {
            component.repeat();
            return own_key(201, id, &component.key);
        }
        match self.tokens.get(&body.enrollment_token) {
            None => return Answer::error(401, "enrollment_token_unknown"),
            Some(true) => return Answer::error(410, "enrollment_token_used"),
            Some(false) => {}
        }
        let existing = self.components.iter_mut().find(|(_, component)| component.hostname == body.hostname);
        if let Some((id, component)) = existing {
            let proof = request.header("x-api-key");
            if proof != Some(&component.key) && !std::mem::take(&mut self.approve_existing) {
                return Answer::error(409, "component_exists");
            }
            component.replace_key();
            (component.used, component.revoked) = (false, false);
            component.issued = Some((attempt, component.key.clone()));
            self.tokens.insert(body.enrollment_token, !self.tokens_last);
            return own_key(200, id, &component.key);
        }
        self.tokens.insert(body.enrollment_token, !self.tokens_last);
        let id = format!("component-{}", self.components.len());
        let key = new_key();
        let issued = request.header("idempotency-key").map(|_| (attempt, key.clone()));
        let component = Component { key, hostname: body.hostname, issued, ..Component::default() };
        let answer = own_key(201, &id, &component.key);
        self.components.insert(id, component);
        answer
    }

    /// The component whose key this is; using a new key ends the old one.
    fn authenticate(&mut self, id: &str, key: &str) -> Result<&mut Component, Answer> {
        let unknown = || Answer::error(401, "key_unknown");
        let owner = self.components.iter_mut().find(|(_, component)| {
            component.key == key || component.next.as_deref() == Some(key) || component.ended.iter().any(|it| it == key)
        });
        let (owner, component) = owner.ok_or_else(unknown)?;
        if component.ended.iter().any(|ended| ended == key) {
            return Err(Answer::error(401, "key_rotated"));
        }
        if component.revoked {
            return Err(Answer::error(401, "key_revoked"));
        }
        if component.not_approved {
            return Err(Answer::error(403, "not_approved"));
        }
        if owner != id && !id.is_empty() {
            return Err(Answer::error(404, "not_found"));
        }
        component.used = true;
        if component.next.as_deref() == Some(key) {
            component.ended.push(std::mem::replace(&mut component.key, key.to_owned()));
            (component.next, component.rotate) = (None, false);
        }
        Ok(component)
    }

    pub(crate) fn answer(&mut self, kind: Kind, request: &Request) -> Answer {
        if kind == Kind::Register {
            let answer = self.register(request);
            if let Some(fewer) = self.copied.checked_sub(1) {
                self.copied = fewer;
                self.components.values_mut().for_each(Component::repeat);
            }
            return answer;
        }
        let id = match kind {
            Kind::Heartbeat => request.path.rsplit('/').next().unwrap(),
            Kind::Ingest => "",
            _ => request.path.split('/').nth(4).unwrap(),
        };
        let component = match self.authenticate(id, request.header("x-api-key").unwrap_or_default()) {
            Ok(component) => component,
            Err(refused) => return refused,
        };
        match kind {
            Kind::Register => unreachable!("dealt with above"),
            Kind::Heartbeat => {
                let rotate = component.rotate;
                self.heartbeats.push(serde_json::from_slice(&request.body).unwrap());
                let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap() + self.clock_ahead;
                let time = jiff::Timestamp::from_second(time.as_secs().try_into().unwrap()).unwrap();
                Answer::json(200, &json!({"server_time": time.to_string(), "rotate": rotate}))
            }
            Kind::Rotate => {
                component.ended.extend(component.next.replace(new_key()));
                own_key(200, id, component.next.as_ref().unwrap())
            }
            Kind::Config => match &self.config {
                None => Answer::error(404, "no_config"),
                Some((etag, _)) if request.header("if-none-match") == Some(etag) => Answer::empty(304),
                Some((etag, text)) => Answer::of_type(200, "application/toml", text.as_str()).header("ETag", etag),
            },
            Kind::Report => {
                self.reports.push(serde_json::from_slice(&request.body).unwrap());
                Answer::empty(204)
            }
            Kind::Ingest => {
                self.ingested.push(String::from_utf8(request.body.clone()).unwrap());
                Answer::empty(204)
            }
        }
    }
}

fn own_key(status: u16, id: &str, key: &str) -> Answer {
    Answer::json(status, &json!({"component_id": id, "api_key": key}))
}

fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn new_key() -> String {
    format!("sk_stra_{:0>43}", number())
}

pub(crate) fn new_token() -> String {
    format!("enroll_{:0>43}", number())
}
