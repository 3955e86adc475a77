//! A browser: Debian's Chromium, driven by npm's `playwright-core`.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::node;
use crate::process::{Background, until_within};

/// How long a scenario may take.
const SCENARIO: Duration = Duration::from_mins(1);
/// What the program takes besides, to start and to tell what it saw.
const AROUND: Duration = Duration::from_secs(30);

/// A browser that lives for one scenario, with a profile of its own.
#[derive(Debug, Clone, Copy)]
pub struct Browser;

impl Browser {
    /// Runs a module of `node/scenarios`, which says what its parameters are, and waits for its end. Returns what it
    /// found as `result`, beside what the browser saw: `arrivals`, the address of every document with its fragment;
    /// `requests`, each with `method`, `url`, `referer` and `status`; `csp_violations`, `console_errors` and
    /// `page_errors`; `cookies`; and `storage`, `local` and `session` by origin.
    ///
    /// This thread waits meanwhile: what the browser speaks to has to run elsewhere.
    ///
    /// # Errors
    /// When Node or Chromium is not installed, or the scenario comes to no end, with what was seen until then.
    pub fn run(scenario: &str, parameters: &Value) -> anyhow::Result<Value> {
        Self::run_within(SCENARIO, scenario, parameters)
    }

    /// The same for a scenario that may take as long as `limit`; [`run`](Self::run) allows a minute.
    ///
    /// # Errors
    /// As `run`.
    pub fn run_within(limit: Duration, scenario: &str, parameters: &Value) -> anyhow::Result<Value> {
        let directory = tempfile::tempdir()?;
        let mut command = node::program("browser.mjs")?;
        let milliseconds = limit.as_millis().to_string();
        // The profile goes with the test.
        command.arg(scenario).arg(parameters.to_string()).arg(milliseconds).env("TMPDIR", directory.path());
        let mut browser = Background::start(&mut command, directory.path(), "browser")?;
        until_within(limit + AROUND, scenario, || browser.has_ended()).with_context(|| browser.output())?;
        ensure!(browser.wait()?.success(), "{scenario} failed: {}", browser.output());
        let found = browser.stdout();
        serde_json::from_str(&found).with_context(|| format!("{scenario} found no JSON: {found}"))
    }
}
