//! How many tests passed and failed, read from what test runners report.

use std::fmt;
use std::ops::AddAssign;

/// Tests that ran.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// From the report in JUnit's format that nextest writes.
    pub(crate) fn of_junit(report: &str) -> Option<Self> {
        let suites = report.split_once("<testsuites ")?.1.split_once('>')?.0;
        let count = |name: &str| suites.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.parse::<u64>().ok();
        let failed = count("failures")? + count("errors")?;
        Some(Self { passed: count("tests")?.checked_sub(failed)?, failed })
    }

    /// From what `cargo test` prints: a line `test result: ok. 2 passed; 0 failed; …` for each program of tests.
    pub(crate) fn of_libtest(output: &str) -> Self {
        let mut tally = Self::default();
        for line in output.lines().filter(|line| line.starts_with("test result: ")) {
            for part in line.split(['.', ';']) {
                match part.trim().split_once(' ') {
                    Some((count, "passed")) => tally.passed += count.parse::<u64>().unwrap_or(0),
                    Some((count, "failed")) => tally.failed += count.parse::<u64>().unwrap_or(0),
                    _ => {}
                }
            }
        }
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_junit_report_count_as_failures() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="0" time="5.1">
    <testsuite name="stratora-auth" tests="5" disabled="0" errors="0" failures="0">"#;
        assert_eq!(Tally::of_junit(report), Some(Tally { passed: 9, failed: 3 }));
    }

    #[test]
    fn what_is_no_junit_report_gives_no_tally() {
        assert_eq!(Tally::of_junit(""), None);
        assert_eq!(Tally::of_junit(r#"<testsuites name="x" tests="1" failures="2" errors="0">"#), None);
        assert_eq!(Tally::of_junit(r#"<testsuites name="x" tests="1">"#), None);
    }

    #[test]
    fn programs_of_tests_add_up() {
        let output = "running 2 tests\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
            test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        let mut tally = Tally::of_libtest(output);
        assert_eq!(tally, Tally { passed: 5, failed: 1 });
        tally += Tally { passed: 1, failed: 1 };
        assert_eq!(tally.to_string(), "6 passed, 2 failed");
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(Tally::of_libtest("9 passed; 9 failed\n  test result: ok. 9 passed\n"), Tally::default());
    }
}
