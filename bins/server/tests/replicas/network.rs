//! A network of one's own, in which packets can be dropped without harm to anybody else's.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Set in the process that has its own network.
const VARIABLE: &str = "STRATORA_OWN_NETWORK";

/// Whether this process has one.
pub(crate) fn is_own() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Whether this process may have one: that takes root, outside a container that forbids it.
pub(crate) fn can_be_own() -> bool {
    in_own("true", []).status().is_ok_and(|status| status.success())
}

/// Runs this test again in a network of its own.
pub(crate) fn run_again_in_own() {
    let program = std::env::current_exe().unwrap();
    let test = in_own(program.to_str().unwrap(), std::env::args().skip(1)).env(VARIABLE, "yes").status().unwrap();
    assert!(test.success());
}

fn in_own(program: &str, arguments: impl IntoIterator<Item = String>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--", "sh", "-c", "ip link set lo up && nft list ruleset && exec \"$@\"", "sh", program]);
    command.args(arguments);
    command
}

/// Every packet from or to that port is dropped on its way, and nobody is told.
pub(crate) fn drop_all_for(port: u16) {
    let input = "type filter hook input priority 0;";
    nft(&format!(
        "table inet faults {{ chain arriving {{ {input} tcp dport {port} drop; tcp sport {port} drop; }}; }}\n"
    ));
}

/// Undoes it.
pub(crate) fn drop_nothing() {
    nft("delete table inet faults\n");
}

fn nft(rules: &str) {
    assert!(is_own(), "these rules would be the machine's");
    let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
    assert!(nft.wait().unwrap().success());
}
