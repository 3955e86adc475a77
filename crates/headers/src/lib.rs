//! The security header policy of the whole product, as data: one place from which the backend's middleware and NGINX's
//! include files both come, so that they cannot drift apart. Knows no web framework.

pub mod nginx;
mod policy;

pub use policy::{Header, Transport, api, collector_config, page};
