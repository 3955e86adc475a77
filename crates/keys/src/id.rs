//! Typed identifiers: a key's id cannot be passed where a component's is meant.

use newtype_uuid::{TypedUuid, TypedUuidKind, TypedUuidTag};

/// Marks a [`ComponentId`].
#[derive(Debug)]
pub enum ComponentTypeKind {}

impl TypedUuidKind for ComponentTypeKind {
    fn tag() -> TypedUuidTag {
        const TAG: TypedUuidTag = TypedUuidTag::new("component");
        TAG
    }
}

/// Marks a [`KeyId`].
#[derive(Debug)]
pub enum KeyKind {}

impl TypedUuidKind for KeyKind {
    fn tag() -> TypedUuidTag {
        const TAG: TypedUuidTag = TypedUuidTag::new("key");
        TAG
    }
}

/// Names a component for as long as it exists; never given to another.
pub type ComponentId = TypedUuid<ComponentTypeKind>;
/// Names one key of a component. Not a credential.
pub type KeyId = TypedUuid<KeyKind>;
