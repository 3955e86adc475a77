//! The console's budgets: what the browser loads before the first screen, and how soon that can be used over a slow network.

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;

use super::figures::{Figure, Mark, Report, median};
use super::subject::Subject;
use crate::console;

/// What the scripts of the first screen may weigh, compressed, in bytes.
const SCRIPTS: f64 = 200_000.0;
/// When the sign-in page has to be on show and take what is typed, over "Fast 3G", in milliseconds.
const USABLE: f64 = 1000.0;

/// Both, of the release server with the console that is embedded in it.
pub(super) fn measure(directory: &TempDir) -> Result<Report> {
    let database = format!("sqlite:{}/stratora.db", directory.path().display());
    let server = Subject::start(directory.path(), "console", &database)?;
    let mut figures = of_weight()?;
    figures.extend(of_speed(&server)?);
    Ok(Report::new(figures))
}

fn of_weight() -> Result<Vec<Figure>> {
    let weights = parse(&console::output(["run", "--silent", "weight", "--", "--json"], &[])?)?;
    let weights = weights.as_object().context("the weights are no object")?;
    let figures = weights.iter().map(|(screen, weight)| {
        let scripts = weight["scripts"].as_f64().context("a weight without scripts")?;
        Ok(Figure {
            what: format!("script before the first screen, gzip, {screen}"),
            floor: "200 kB",
            measured: format!("{:.1} kB", scripts / 1000.0),
            ratio: scripts / SCRIPTS,
            mark: Some(Mark::AtMost(1.0)),
        })
    });
    figures.collect()
}

/// For somebody who was never here, whose mark it is; and for one who was, whose browser has the files. What is typed and
/// sent before the console runs is kept until then: how long that takes stands beside it.
fn of_speed(server: &Subject) -> Result<Vec<Figure>> {
    let seen = parse(&console::output(["run", "--silent", "speed"], &[("BASE_URL", &server.url(""))])?)?;
    let moments = [
        ("usable", "the sign-in page is on show and takes what is typed"),
        ("running", "the console behind the sign-in page runs"),
    ];
    let visits = [("first", "by somebody new"), ("again", "by somebody who was here")];
    let mut figures = Vec::new();
    for (moment, what) in moments {
        for (visit, whom) in visits {
            let rounds = seen.get(visit).and_then(Value::as_array).context("no rounds")?;
            let times = rounds.iter().map(|round| round[moment].as_f64().context("a round without a time"));
            let time = median(times.collect::<Result<_>>()?);
            figures.push(Figure {
                what: format!("{what} over Fast 3G, {whom}"),
                floor: "1 s",
                measured: format!("{time:.0} ms"),
                ratio: time / USABLE,
                mark: (moment == "usable" && visit == "first").then_some(Mark::AtMost(1.0)),
            });
        }
    }
    Ok(figures)
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text.trim()).with_context(|| format!("no JSON: {text}"))
}
