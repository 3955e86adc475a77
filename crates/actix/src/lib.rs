//! The reusable actix-web adapter: who is asking ([`ClientAddress`], [`CurrentUser`], [`AuthenticatedComponent`]), whether
//! they may ([`RoutePolicy`]), how bodies and parameters are read ([`JsonBody`], [`PathId`], [`QueryParams`]), and what every
//! answer has ([`Envelope`]), most of them in [`Json`]. It knows no route of any product: those come as [`Route`]s with a
//! [`RoutePolicy`] each.

mod answer;
mod body;
mod client;
mod context;
mod cookie;
mod credential;
mod envelope;
mod error;
mod figures;
mod future;
mod gate;
mod guard;
mod headers;
mod identity;
mod limit;
mod origin;
mod path;
mod patience;
mod query;
mod refusals;
mod route;
#[cfg(test)]
mod testing;
mod unread;
mod visit;

pub use answer::Json;
pub use body::{FormBody, JsonBody, TextBody};
pub use client::{ClientAddress, InvalidProxy, TrustedProxies};
pub use context::RequestContext;
pub use cookie::{DeviceCookie, SessionCookie, SetCookie, TransactionCookie};
pub use envelope::{Envelope, Enveloped};
pub use error::ApiError;
pub use gate::Gate;
pub use guard::{Access, RoutePolicy};
pub use headers::HeaderSet;
pub use identity::{AuthenticatedComponent, CurrentUser, OwnComponent, ProvenComponent};
pub use origin::{ExternalOrigin, InvalidOrigin};
pub use path::PathId;
pub use query::QueryParams;
pub use refusals::Refusals;
pub use route::{Endpoint, Route, Routed, Routes};
