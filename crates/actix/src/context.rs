//! What is known about every request before anything else is: its identifier and where it comes from.

use std::future::{Ready, ready};

use actix_web::dev::{Extensions, Payload};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use stratora_audit::{Actor, Origin, RequestId};
use uuid::Uuid;

use crate::{ApiError, ClientAddress};

/// Put into every request by [`Envelope`](crate::Envelope).
#[derive(Debug, Clone, Copy)]
pub struct RequestContext {
    /// The request's identifier, made here.
    pub request_id: RequestId,
    /// Where it comes from.
    pub client: ClientAddress,
    /// The path of the route that it takes, once that is known.
    pub route: Option<&'static str>,
    /// The identifier in the request's path, where the route has one and it is written as it should be.
    pub(crate) path_id: Option<Uuid>,
}

impl RequestContext {
    /// That of a request whose route is not known yet.
    pub const fn new(request_id: RequestId, client: ClientAddress) -> Self {
        Self { request_id, client, route: None, path_id: None }
    }

    /// The origin of events that nobody has authenticated for.
    pub fn origin(&self) -> Origin {
        self.origin_of(Actor::anonymous())
    }

    /// The origin of events that `actor` causes.
    pub(crate) fn origin_of(&self, actor: Actor) -> Origin {
        Origin { actor, client: Some(self.client.ip()), request_id: Some(self.request_id) }
    }

    /// The same for a handler that has taken the request apart itself.
    ///
    /// # Errors
    /// 500 where the application is not wrapped in [`Envelope`](crate::Envelope).
    pub fn of_request(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::of(&request.extensions())
    }

    /// Fails closed where the application is not wrapped in [`Envelope`](crate::Envelope).
    pub(crate) fn of(extensions: &Extensions) -> Result<Self, ApiError> {
        extensions.get().copied().ok_or_else(|| ApiError::internal("the application is not wrapped in Envelope"))
    }
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(&request.extensions()))
    }
}
