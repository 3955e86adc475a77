//! The load: wrk, and what it reports.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What a load met.
pub(super) struct Met {
    /// Requests a second that were answered, and how many there were.
    pub(super) rate: f64,
    pub(super) requests: f64,
    /// The time within which 99 of 100 were answered, in milliseconds.
    pub(super) p99: f64,
}

/// A load to put on a server.
pub(super) struct Load<'a> {
    /// Where to.
    pub(super) url: String,
    /// With which headers.
    pub(super) headers: Vec<String>,
    /// A script of wrk's, where requests differ or have a body.
    pub(super) script: Option<&'a Path>,
    /// How many connections.
    pub(super) connections: u32,
    /// For how long.
    pub(super) seconds: u32,
    /// On which core; on any when absent.
    pub(super) core: Option<u32>,
}

impl Load<'_> {
    pub(super) fn command(&self) -> Command {
        let mut command = match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string(), "wrk"]);
                command
            }
            None => Command::new("wrk"),
        };
        command.args(["-t1", &format!("-c{}", self.connections), &format!("-d{}s", self.seconds), "--latency"]);
        for header in &self.headers {
            command.args(["-H", header]);
        }
        if let Some(script) = self.script {
            command.arg("-s").arg(script);
        }
        command.arg(&self.url);
        command
    }

    /// Puts the load on and waits for its end.
    pub(super) fn run(&self) -> Result<Met> {
        let output = self.command().output().context("cannot start wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        ensure!(!text.contains("Non-2xx"), "{} is not answered well: {text}", self.url);
        parse(&text).with_context(|| format!("wrk says something else: {text}"))
    }
}

fn parse(text: &str) -> Option<Met> {
    let after = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label).map(str::trim));
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    Some(Met { rate: after("Requests/sec:")?.parse().ok()?, requests: requests?, p99: milliseconds(after("99%")?)? })
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    units.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// Writes a script that sends every request with the same body.
pub(super) fn write_post(path: &Path, content_type: &str, body: &str) -> Result<()> {
    let script =
        format!("wrk.method = \"POST\"\nwrk.body = {body:?}\nwrk.headers[\"Content-Type\"] = {content_type:?}\n");
    fs::write(path, script).context("cannot write a script")
}

/// Writes a script that signs in wrongly, each time under another name from another address, so that no limit is met.
pub(super) fn write_flood(path: &Path) -> Result<()> {
    let script = "\
local number = 0
function request()
  number = number + 1
  local address = string.format(\"10.%d.%d.%d\", number / 65536 % 256, number / 256 % 256, number % 256)
  local body = string.format('{\"username\":\"nobody%d\",\"password\":\"wrong\"}', number)
  local headers = { [\"Content-Type\"] = \"application/json\", [\"X-Forwarded-For\"] = address }
  return wrk.format(\"POST\", \"/api/v1/auth/login\", headers, body)
end
";
    fs::write(path, script).context("cannot write a script")
}

/// Writes a script that sends each request with another credential: each line of the file `of` becomes the path that
/// `path` makes of its first word, with `header` before its last. Whatever the configuration, it is said to be there already.
pub(super) fn write_turns(script: &Path, of: &Path, path: [&str; 2], header: [&str; 2]) -> Result<()> {
    let ([before, after], [name, scheme]) = (path, header);
    let text = format!(
        "\
local requests, number = {{}}, 0
function init()
  for line in io.lines('{}') do
    local first, last = line:match('^%S+'), line:match('%S+$')
    local path = {before:?} .. ({after:?} ~= '' and first .. {after:?} or '')
    requests[#requests + 1] = wrk.format('GET', path, {{ [{name:?}] = {scheme:?} .. last, ['If-None-Match'] = '*' }})
  end
end
function request()
  number = number % #requests + 1
  return requests[number]
end
",
        of.display()
    );
    fs::write(script, text).context("cannot write a script")
}

/// Writes a script that revokes one component after the other: the first word of each line of the file `of` is its identifier.
pub(super) fn write_revocations(script: &Path, of: &Path) -> Result<()> {
    let text = format!(
        "\
local next_line
function init()
  next_line = io.lines('{}')
end
function request()
  local id = next_line():match('^%S+')
  return wrk.format('POST', '/api/v1/remote-components/' .. id .. '/revoke')
end
",
        of.display()
    );
    fs::write(script, text).context("cannot write a script")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_reports_is_read_with_its_units() {
        let met =
            parse("  Latency Distribution\n     50%  100.00us\n     99%    1.25ms\n  51500 requests in 1.01s, 6.63MB read\nRequests/sec:  51234.56\n").unwrap();
        assert!((met.rate - 51_234.56).abs() < 0.001 && (met.p99 - 1.25).abs() < 0.001);
        assert!((met.requests - 51_500.0).abs() < 0.001);
        assert_eq!(milliseconds("250.00us"), Some(0.25));
        assert_eq!(milliseconds("1.50s"), Some(1500.0));
        assert!(parse("unable to connect").is_none());
    }
}
