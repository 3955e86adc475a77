//! The directory as sign-ins see it: in front of OpenLDAP, of Active Directory as Samba makes it, and of directories that say
//! or do what those never would.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so by a panic")]

mod fake;
mod misbehaving;
mod openldap;
mod openldap_tls;
mod samba;
mod support;
