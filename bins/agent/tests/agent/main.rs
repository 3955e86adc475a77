//! The agent as it runs, against a server that keeps the rules of the real one and misbehaves when it is told to.

mod configuration;
mod enrollment;
mod http;
mod installation;
mod kills;
mod metrics;
mod refusals;
mod rotation;
mod server;
mod settings;
mod signals;
mod status;
mod tls;
