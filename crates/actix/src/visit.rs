//! What becomes known of a request on its way. All of it is one thing in the request's extensions, since each thing there is
//! a piece of memory of its own.

use std::sync::Arc;

use actix_web::HttpMessage;
use newtype_uuid::{GenericUuid as _, TypedUuid, TypedUuidKind};
use stratora_auth::{Channel, LiveSession};
use stratora_keys::AuthenticatedKey;
use uuid::Uuid;

use crate::{ApiError, HeaderSet, RequestContext};

/// Begun by [`Envelope`](crate::Envelope), and gone on with by the guard and the handler of an [`Endpoint`](crate::Endpoint).
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) context: RequestContext,
    /// The identifier in the path, where the route has one and it is written as it should be.
    pub(crate) path_id: Option<Uuid>,
    pub(crate) caller: Caller,
    /// Which headers the handler's answer gets.
    pub(crate) headers: HeaderSet,
}

/// Who was let in.
#[derive(Debug)]
pub(crate) enum Caller {
    /// Nobody, or nobody yet.
    Anonymous,
    /// Somebody who is signed in.
    User(Arc<LiveSession>, Channel),
    /// A component, by its key.
    Component(Arc<AuthenticatedKey>),
}

impl Visit {
    /// With nobody let in yet.
    pub(crate) fn begin(request: &impl HttpMessage, context: RequestContext) {
        request.extensions_mut().insert(Self {
            context,
            path_id: None,
            caller: Caller::Anonymous,
            headers: HeaderSet::Api,
        });
    }

    /// The identifier in the path, else 404.
    pub(crate) fn id<K: TypedUuidKind>(&self) -> Result<TypedUuid<K>, ApiError> {
        self.path_id.map(TypedUuid::from_untyped_uuid).ok_or_else(ApiError::not_found)
    }

    /// Fails closed where the application is not wrapped in [`Envelope`](crate::Envelope).
    pub(crate) fn read<R>(request: &impl HttpMessage, read: impl FnOnce(&Self) -> R) -> Result<R, ApiError> {
        request.extensions().get().map(read).ok_or_else(not_begun)
    }

    /// Fails closed in the same way.
    pub(crate) fn change(request: &impl HttpMessage, change: impl FnOnce(&mut Self)) -> Result<(), ApiError> {
        request.extensions_mut().get_mut().map(change).ok_or_else(not_begun)
    }
}

fn not_begun() -> ApiError {
    ApiError::internal("the application is not wrapped in Envelope")
}
