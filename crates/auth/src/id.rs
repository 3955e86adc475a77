//! Typed identifiers: a session's id cannot be passed where a user's is meant.

use newtype_uuid::{GenericUuid as _, TypedUuid, TypedUuidKind, TypedUuidTag};
use stratora_cache::Subject;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $id:ident, $tag:literal;)+) => {$(
        #[doc = concat!("Marks a `", stringify!($id), "`.")]
        #[derive(Debug)]
        pub enum $kind {}

        impl TypedUuidKind for $kind {
            fn tag() -> TypedUuidTag {
                const TAG: TypedUuidTag = TypedUuidTag::new($tag);
                TAG
            }
        }

        $(#[$doc])*
        pub type $id = TypedUuid<$kind>;
    )+};
}

kinds! {
    /// Names an account for as long as the installation lives; never given to another.
    UserKind, UserId, "user";
    /// Names a session to its owner and to administrators. Not a credential.
    SessionKind, SessionId, "session";
    /// Names a browser that has signed in before.
    DeviceKind, DeviceId, "device";
}

/// What a change of the account or of its sessions is about.
pub fn subject_of(user: UserId) -> Subject {
    Subject::User(user.into_untyped_uuid())
}
