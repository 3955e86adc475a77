//! The routes of this product. [`ROUTES`] is the one table of what there is, who may use it and how often; each family of
//! endpoints has a file, whose handlers parse, call one service and map its answer.

mod audit;
mod collectors;
mod components;
mod console;
mod enrollment;
mod errors;
mod fleet;
mod fleet_rotation;
mod health;
mod identity_providers;
mod ingest;
mod input;
mod metrics;
mod oidc;
mod openapi;
mod routes;
mod services;
mod session;
mod time_series;
mod users;
mod view;
mod welcome;

pub use console::{ConsoleFile, ConsoleFiles};
pub use openapi::document as openapi_document;
pub use routes::{Audited, Limited, ROUTES, RouteSpec, configure, routes};
pub use services::{DirectoryTest, Readiness, Services};
pub use time_series::TimeSeries;
