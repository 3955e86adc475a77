//! The part of the store in memory that is about enrollment.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};

use super::{Issuance, MemoryStore, State};
use crate::{
    Admission, Answer, ApproveRequestError, Call, Component, ComponentId, EnrollmentPolicy, EnrollmentStore,
    EnrollmentToken, EnrollmentTokenId, Host, Hostname, Issued, KeyState, MissingRequest, MissingToken,
    NewEnrollmentToken, Offer, ProvenKey, Reenrollment, RefusedRegistration, RegisterError, Situation, Standing,
    TakenName, WaitingRequest, decide, names_for,
};

impl State {
    fn situation(&self, call: &Call) -> Situation {
        let token = self.tokens.iter().find(|stored| stored.digest.matches(&call.token));
        let hosts = self
            .components
            .values()
            .filter(|component| component.hostname.as_ref() == Some(&call.hostname) && component.kind == call.kind);
        let hosts: Vec<_> = hosts.map(|component| self.host(component)).collect();
        let names: Vec<_> = names_for(&call.hostname).collect();
        let namesakes = self.components.values().filter(|component| names.contains(&component.name));
        let proof = call.proof.and_then(|id| {
            let stored = self.keys.iter().find(|stored| stored.key.id == id)?;
            Some(ProvenKey { component: stored.component, state: stored.state })
        });
        let proven = proof.and_then(|proof| self.components.get(&proof.component));
        let renamed = proven.filter(|component| hosts.is_empty() && component.kind == call.kind);
        Situation {
            token: token.map(|stored| stored.token.clone()),
            renamed: renamed.map(|component| self.host(component)),
            hosts,
            taken: namesakes
                .map(|component| TakenName {
                    name: component.name.to_string(),
                    hostname: component.hostname.as_ref().map(Hostname::to_string),
                })
                .collect(),
            proof,
        }
    }

    fn host(&self, component: &Component) -> Host {
        let issued = self.issuances.get(&component.id).map(|issuance| Issued {
            token: issuance.token,
            repeat: issuance.repeat,
            was_new: issuance.was_new,
            is_untouched: self.keys.iter().any(|stored| {
                stored.key.id == issuance.key && stored.state == KeyState::Live && stored.used_at.is_none()
            }),
        });
        Host { component: component.clone(), request: self.requests.get(&component.id).cloned(), issued }
    }

    fn carry_out(&mut self, call: &Call, admission: &Admission, offer: &Offer) -> Option<Component> {
        let Offer { component: new_id, key } = offer;
        let id = match admission {
            Admission::New { name, standing } => {
                let component = Component {
                    id: *new_id,
                    name: name.clone(),
                    hostname: Some(call.hostname.clone()),
                    kind: call.kind,
                    standing: *standing,
                    key_prefix: key.prefix.clone(),
                    key_created_at: key.created_at,
                    last_seen_at: None,
                    last_seen_ip: None,
                    version: Some(call.version.clone()),
                    created_at: key.created_at,
                    revoked_at: None,
                    rotation_requested_at: None,
                };
                self.components.insert(*new_id, component);
                *new_id
            }
            Admission::InPlace { component, .. } | Admission::Again { component, .. } => *component,
        };
        for stored in self.keys_of(id) {
            if matches!(stored.state, KeyState::Live | KeyState::Grace { .. }) {
                stored.state = KeyState::Rotated;
            }
        }
        self.insert_key(id, key.clone());
        let component = self.component(id)?;
        component.show(key);
        component.hostname = Some(call.hostname.clone());
        component.version = Some(call.version.clone());
        if admission.lets_in() {
            component.standing = Standing::Active;
            component.revoked_at = None;
        }
        let component = component.clone();
        let token = self.tokens.iter_mut().find(|stored| stored.digest.matches(&call.token))?;
        if !matches!(admission, Admission::Again { .. }) {
            token.token.uses += 1;
            token.token.last_used_at = Some(call.at);
            self.requests.remove(&id);
        }
        let token = token.token.id;
        if let Some(repeat) = call.repeat {
            let was_new = admission.is_new();
            let issuance = Issuance { token, repeat: repeat.digest(), key: key.id, was_new, at: call.at };
            self.issuances.insert(id, issuance);
        }
        Some(component)
    }
}

#[async_trait]
impl EnrollmentStore for MemoryStore {
    async fn create_token(&self, token: NewEnrollmentToken, event: Event) -> Result<(), StoreError> {
        let mut transaction = self.begin()?;
        transaction.state.tokens.push(token);
        transaction.commit(event)
    }

    async fn find_token(&self, id: EnrollmentTokenId) -> Result<Option<EnrollmentToken>, StoreError> {
        let state = self.state()?;
        Ok(state.tokens.iter().find(|stored| stored.token.id == id).map(|stored| stored.token.clone()))
    }

    async fn tokens(&self, page: &PageRequest) -> Result<Page<EnrollmentToken>, StoreError> {
        let tokens: Vec<_> = self.state()?.tokens.iter().map(|stored| stored.token.clone()).collect();
        Ok(newest_first(tokens, page, |token| (token.created_at, token.id.to_string())))
    }

    async fn delete_token(&self, id: EnrollmentTokenId, event: Event) -> Result<(), MissingToken> {
        let mut transaction = self.begin()?;
        let place = transaction.state.tokens.iter().position(|stored| stored.token.id == id);
        transaction.state.tokens.remove(place.ok_or(MissingToken::Missing)?);
        Ok(transaction.commit(event)?)
    }

    async fn register(
        &self,
        call: &Call,
        policy: EnrollmentPolicy,
        offer: Option<&Offer>,
    ) -> Result<Answer, RegisterError> {
        let mut transaction = self.begin()?;
        let situation = transaction.state.situation(call);
        match decide(call, &situation, policy) {
            Ok(admission) => {
                let offer = offer.ok_or(RegisterError::OfferNeeded)?;
                let component = transaction.state.carry_out(call, &admission, offer).ok_or(RegisterError::Raced)?;
                transaction.commit(call.admitted(&admission, &component, &offer.key.prefix))?;
                Ok(Answer::Admitted { admission, component: Box::new(component) })
            }
            Err(RefusedRegistration::Exists { component: id, is_news }) => {
                if let (true, Some(token)) = (is_news, &situation.token) {
                    transaction.state.requests.insert(id, Reenrollment::of(call, token.id));
                    let component = transaction.state.component(id).ok_or(RegisterError::Raced)?.clone();
                    transaction.commit(call.refused(&component))?;
                }
                Ok(Answer::Exists { component: id })
            }
            Err(refused) => Err(refused.into()),
        }
    }

    async fn requests(&self, page: &PageRequest) -> Result<Page<WaitingRequest>, StoreError> {
        let state = self.state()?;
        let waiting = state.requests.iter().filter_map(|(id, request)| {
            Some(WaitingRequest { component: state.components.get(id)?.clone(), request: request.clone() })
        });
        Ok(newest_first(waiting.collect(), page, |waiting| {
            (waiting.request.requested_at, waiting.component.id.to_string())
        }))
    }

    async fn approve_request(
        &self,
        component: ComponentId,
        requested_at: Option<Timestamp>,
        event: Event,
    ) -> Result<Component, ApproveRequestError> {
        let mut transaction = self.begin()?;
        let request = transaction.state.requests.get_mut(&component).ok_or(ApproveRequestError::Missing)?;
        if requested_at.is_some_and(|at| at != request.requested_at) {
            return Err(ApproveRequestError::Changed);
        }
        request.approved_at = Some(event.at);
        let component = transaction.state.component(component).ok_or(ApproveRequestError::Missing)?.clone();
        transaction.commit(event)?;
        Ok(component)
    }

    async fn dismiss_request(&self, component: ComponentId, event: Event) -> Result<(), MissingRequest> {
        let mut transaction = self.begin()?;
        transaction.state.requests.remove(&component).ok_or(MissingRequest::Missing)?;
        Ok(transaction.commit(event)?)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        let count = state.tokens.len();
        state.tokens.retain(|NewEnrollmentToken { token, .. }| {
            let is_used_up = token.allowance.max_uses().is_some_and(|max| token.uses >= max);
            let was_used_up = is_used_up && token.last_used_at.is_some_and(|at| at < before);
            !was_used_up && token.expires_at.is_none_or(|at| at >= before)
        });
        let purged = count - state.tokens.len();
        state.requests.retain(|_, request| request.requested_at >= before);
        state.issuances.retain(|_, issuance| issuance.at >= before);
        Ok(purged as u64)
    }
}

fn newest_first<T>(mut items: Vec<T>, page: &PageRequest, key: impl Fn(&T) -> (Timestamp, String)) -> Page<T> {
    let total = items.len() as u64;
    items.sort_by_key(|item| std::cmp::Reverse(key(item)));
    let text = |item: &T| {
        let (at, id) = key(item);
        format!("{} {id}", at.as_micros())
    };
    if let Some(cursor) = &page.after {
        let place = items.iter().position(|item| text(item) == cursor.key());
        items.drain(..place.map_or(items.len(), |place| place + 1));
    }
    Page::from_overfull(items, page.limit, total, text)
}
