//! Typed identifiers: a key's id cannot be passed where a component's is meant.

use newtype_uuid::{GenericUuid as _, TypedUuid, TypedUuidKind, TypedUuidTag};
use stratora_cache::Subject;

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

/// Marks an [`EnrollmentTokenId`].
#[derive(Debug)]
pub enum EnrollmentTokenTypeKind {}

impl TypedUuidKind for EnrollmentTokenTypeKind {
    fn tag() -> TypedUuidTag {
        const TAG: TypedUuidTag = TypedUuidTag::new("enrollment-token");
        TAG
    }
}

/// Marks a [`FleetRotationId`].
#[derive(Debug)]
pub enum FleetRotationKind {}

impl TypedUuidKind for FleetRotationKind {
    fn tag() -> TypedUuidTag {
        const TAG: TypedUuidTag = TypedUuidTag::new("fleet_rotation");
        TAG
    }
}

/// Names a rotation of the fleet.
pub type FleetRotationId = TypedUuid<FleetRotationKind>;
/// Names a component for as long as it exists; never given to another.
pub type ComponentId = TypedUuid<ComponentTypeKind>;
/// Names one key of a component. Not a credential.
pub type KeyId = TypedUuid<KeyKind>;

/// Names one enrollment token. Not a credential.
pub type EnrollmentTokenId = TypedUuid<EnrollmentTokenTypeKind>;

/// What a change of the component, of its keys or of its configuration is about.
pub fn subject_of(component: ComponentId) -> Subject {
    Subject::Component(component.into_untyped_uuid())
}
