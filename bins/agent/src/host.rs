//! This host, as it introduces itself.

use sysinfo::System;

/// What the server keeps of an operating system's name, in characters.
const LONGEST_OS: usize = 100;

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its operating system.
    pub os: String,
}

impl Host {
    /// The host that this runs on.
    pub fn this() -> Self {
        let name = System::host_name().unwrap_or_default();
        let name = if name.is_empty() { "localhost".to_owned() } else { name };
        let os = System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
        Self { name, os: os.chars().filter(|c| !c.is_control()).take(LONGEST_OS).collect() }
    }
}
