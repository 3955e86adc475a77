//! What is known about every request before anything else is: its identifier and where it comes from.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use stratora_audit::{Actor, Origin, RequestId};
use stratora_clock::Timestamp;
use uuid::Uuid;

use crate::visit::Visit;
use crate::{ApiError, ClientAddress};

/// Goes with every request from [`Envelope`](crate::Envelope) on.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext {
    /// The request's identifier, made here.
    pub request_id: RequestId,
    /// Where it comes from.
    pub client: ClientAddress,
    /// When it arrived: as of then its credential is looked at.
    pub arrived_at: Timestamp,
    /// The path of the route that it takes, once that is known.
    pub route: Option<&'static str>,
    /// The identifier in the request's path, where the route has one and it is written as it should be.
    pub(crate) path_id: Option<Uuid>,
}

impl RequestContext {
    /// That of a request whose route is not known yet.
    pub const fn new(request_id: RequestId, client: ClientAddress, arrived_at: Timestamp) -> Self {
        Self { request_id, client, arrived_at, route: None, path_id: None }
    }

    /// Goes with `request` from here on.
    pub fn accompany(self, request: &impl HttpMessage) {
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
