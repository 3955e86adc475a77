//! Who was let in, as handlers see it. Only the guard of an [`Endpoint`](crate::Endpoint) puts an identity into a request; a
//! handler that asks for one that its route's policy does not provide fails closed.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{Either, LocalBoxFuture};
use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Actor, ActorKind, Origin, Outcome, ResourceKind};
use stratora_auth::{Channel, LiveSession, Role};
use stratora_keys::{AuthenticatedKey, ComponentId};

use crate::guard::known_key;
use crate::visit::{Caller, Visit};
use crate::{ApiError, Gate, RequestContext, credential};

/// The person who is signed in.
#[derive(Debug, Clone)]
pub struct CurrentUser {
    /// Their session and account.
    pub session: Arc<LiveSession>,
    /// The way in which the session's secret came.
    pub channel: Channel,
    context: RequestContext,
}

impl CurrentUser {
    pub(crate) const fn new(session: Arc<LiveSession>, channel: Channel, context: RequestContext) -> Self {
        Self { session, channel, context }
    }

    /// What they may do.
    pub fn role(&self) -> Role {
        self.session.user.role
    }

    /// The origin of events that they cause.
    pub fn origin(&self) -> Origin {
        let user = &self.session.user;
        self.context.origin_of(Actor {
            kind: ActorKind::User,
            id: Some(user.id.into_untyped_uuid()),
            name: user.username.as_str().to_owned(),
        })
    }
}

/// The component that proved itself with its key.
#[derive(Debug, Clone)]
pub struct AuthenticatedComponent {
    /// The component and which of its keys it was.
    pub key: Arc<AuthenticatedKey>,
    context: RequestContext,
}

impl AuthenticatedComponent {
    pub(crate) const fn new(key: Arc<AuthenticatedKey>, context: RequestContext) -> Self {
        Self { key, context }
    }

    pub(crate) fn of(visit: &Visit) -> Result<Self, ApiError> {
        match &visit.caller {
            Caller::Component(key) => Ok(Self::new(Arc::clone(key), visit.context)),
            Caller::Anonymous | Caller::User(..) => Err(not_provided()),
        }
    }

    pub(crate) const fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The address that it asks from.
    pub fn client(&self) -> IpAddr {
        self.context.client.ip()
    }

    /// The origin of events that it causes.
    pub fn origin(&self) -> Origin {
        self.context.origin_of(Actor {
            kind: ActorKind::Component,
            id: Some(self.key.component().into_untyped_uuid()),
            name: self.key.name().as_str().to_owned(),
        })
    }
}

fn not_provided() -> ApiError {
    ApiError::internal("the route's policy provides no such identity")
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = Visit::read(request, |visit| match &visit.caller {
            Caller::User(session, channel) => Ok(Self::new(Arc::clone(session), *channel, visit.context)),
            Caller::Anonymous | Caller::Component(_) => Err(not_provided()),
        });
        ready(user.flatten())
    }
}

impl FromRequest for AuthenticatedComponent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Visit::read(request, Self::of).flatten())
    }
}

/// The component that holds the key in `X-API-Key`, on a route that anybody may use. Whoever sends none, or none that is good,
/// is nobody; the latter is counted and written down like everywhere else.
#[derive(Debug, Clone)]
pub struct ProvenComponent(pub Option<AuthenticatedComponent>);

impl FromRequest for ProvenComponent {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_sent = request.headers().contains_key(credential::X_API_KEY);
        let key = credential::key(request.headers());
        let gate = Gate::of(request).cloned();
        let context = RequestContext::of(request);
        Box::pin(async move {
            if !is_sent {
                return Ok(Self(None));
            }
            let (gate, context) = (gate?, context?);
            match known_key(&gate, &context, key, "X-API-Key").await {
                Ok(key) => Ok(Self(Some(AuthenticatedComponent::new(key, context)))),
                // A key that is no proof is no reason to turn anybody away. Too many of them are, and so is a store that is away.
                Err(error) if matches!(error.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    Ok(Self(None))
                }
                Err(error) => Err(error),
            }
        })
    }
}

/// The authenticated component, on a route whose `{id}` is its own; else 404, as if there were no other component.
#[derive(Debug, Clone)]
pub struct OwnComponent(pub AuthenticatedComponent);

impl OwnComponent {
    /// Its identifier.
    pub fn id(&self) -> ComponentId {
        self.0.key.component()
    }
}

impl FromRequest for OwnComponent {
    type Error = ApiError;
    type Future = Either<Ready<Result<Self, ApiError>>, LocalBoxFuture<'static, Result<Self, ApiError>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = Visit::read(request, |visit| Ok((AuthenticatedComponent::of(visit)?, visit.id()?)));
        match known.flatten() {
            Ok((component, id)) if component.key.component() == id => Either::Left(ready(Ok(Self(component)))),
            Ok((component, id)) => Either::Right(Box::pin(deny(Gate::of(request).cloned(), component, id))),
            Err(error) => Either::Left(ready(Err(error))),
        }
    }
}

async fn deny(
    gate: Result<Data<Gate>, ApiError>,
    component: AuthenticatedComponent,
    asked_for: ComponentId,
) -> Result<OwnComponent, ApiError> {
    let gate = gate?;
    let event = component.origin().event(gate.clock.now(), Action::AccessDeny).ended(Outcome::Denied).on(
        ResourceKind::Component,
        Some(asked_for.into_untyped_uuid()),
        "",
    );
    gate.refusals.write_seldom(event, component.context.client.key()).await;
    Err(ApiError::not_found())
}
