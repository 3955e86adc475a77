//! The typed identifier of a provider.

use newtype_uuid::{TypedUuid, TypedUuidKind, TypedUuidTag};

/// Marks a [`ProviderId`].
#[derive(Debug)]
pub enum ProviderKind {}

impl TypedUuidKind for ProviderKind {
    fn tag() -> TypedUuidTag {
        const TAG: TypedUuidTag = TypedUuidTag::new("provider");
        TAG
    }
}

/// Names a provider for as long as the installation lives.
pub type ProviderId = TypedUuid<ProviderKind>;
