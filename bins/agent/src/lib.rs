//! The agent of a host: enrolls once, reports, pulls a configuration, and never loses its key.

pub mod command_line;
