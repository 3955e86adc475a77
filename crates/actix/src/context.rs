//! What is known about every request before anything else is: its identifier, where it comes from and when it arrived.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use stratora_audit::{Actor, Origin, RequestId};
use stratora_clock::Timestamp;

use crate::visit::Visit;
use crate::{ApiError, ClientAddress};

/// Goes with every request from [`Envelope`](crate::Envelope) on.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext {
    /// The request's identifier, made here.
    pub request_id: RequestId,
    /// Where it comes from.
    pub client: ClientAddress,
    /// When it arrived. Whether its credential has expired is judged as of then.
    pub arrived_at: Timestamp,
    /// The path of the route that it takes, once that is known.
    pub route: Option<&'static str>,
}

impl RequestContext {
    /// That of a request whose route is not known yet.
    pub const fn new(request_id: RequestId, client: ClientAddress, arrived_at: Timestamp) -> Self {
        Self { request_id, client, arrived_at, route: None }
    }

    /// Makes it that of `request`, which [`Envelope`](crate::Envelope) does for every request; others do in tests.
    pub fn attach_to(self, request: &impl HttpMessage) {
        Visit::begin(request, self);
    }

    /// That of a request.
    ///
    /// # Errors
    /// 500 where the application is not wrapped in [`Envelope`](crate::Envelope).
    pub fn of(request: &impl HttpMessage) -> Result<Self, ApiError> {
        Visit::read(request, |visit| visit.context)
    }

    /// The origin of events that nobody has authenticated for.
    pub fn origin(&self) -> Origin {
        self.origin_of(Actor::anonymous())
    }

    /// The origin of events that `actor` causes.
    pub(crate) fn origin_of(&self, actor: Actor) -> Origin {
        Origin { actor, client: Some(self.client.ip()), request_id: Some(self.request_id) }
    }
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
