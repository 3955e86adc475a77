//! The tour in the README, word for word: what a newcomer types has to work.

use std::fs;
use std::process::Command;

use stratora_testing::VictoriaMetrics;

use crate::support::Installation;

/// The lines of the first block that stand for what differs from machine to machine.
const ADDRESS: &str = "export STRATORA=";
const PASSWORD: &str = "export ONE_TIME_PASSWORD=";

#[tokio::test]
async fn the_tour_of_the_readme_works() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let tour = readme.split("## A five-minute tour").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<_> = tour.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5, "the tour has {} steps", blocks.len());

    let store = VictoriaMetrics::start().unwrap();
    let mut installation = Installation::with_settings(&format!("victoriametrics:\n  url: {}\n", store.url()));
    let password = installation.one_time_password();
    let script: String = blocks
        .concat()
        .lines()
        .map(|line| match line {
            line if line.starts_with(ADDRESS) => format!("{ADDRESS}http://localhost:{}\n", installation.port),
            line if line.starts_with(PASSWORD) => format!("{PASSWORD}'{password}'\n"),
            line => format!("{line}\n"),
        })
        .collect();
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    for seen in ["sk_stra_", "no_config", "304", "204", "key_rotated", "key_revoked", "component.revoke"] {
        assert!(said.contains(seen), "the tour does not show {seen}:\n{said}\n{complained}");
    }
    assert_eq!(store.series("{component!=\"\"}").await.unwrap().len(), 1);
}
