//! `cargo xtask dist --check`: the packages on a Debian of their own, from the first installation to the purge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::machine::Machine;
use super::output;
use crate::process;
use crate::programs::{self, Program};

/// What only checking needs.
const FOR_CHECK: [Program; 6] = [
    Program { name: "debootstrap", package: "debootstrap", purpose: "a Debian to install on" },
    Program { name: "systemd-nspawn", package: "systemd-container", purpose: "what starts it" },
    Program { name: "nsenter", package: "util-linux", purpose: "a way into it" },
    Program { name: "lintian", package: "lintian", purpose: "Debian's policy for packages" },
    Program { name: "mandoc", package: "mandoc", purpose: "what finds mistakes in manual pages" },
    Program { name: "man", package: "man-db", purpose: "what shows manual pages" },
];

/// Waits, for a minute at the most, until the server is ready.
const READY: &str = "curl --silent --show-error --fail --retry 60 --retry-delay 1 --retry-all-errors \
                     http://127.0.0.1:8080/health/ready";

/// Settings with which the agent starts and finds no server.
const AGENT_SETTINGS: &str =
    r#"{"server_url":"https://127.0.0.1:9","enrollment_token":"enroll_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;

/// Installs what is missing. Fails unless root runs this: a system of its own needs it.
pub(super) fn require() -> Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "--check starts a system of its own, which only root may");
    programs::require_or_install(&FOR_CHECK)
}

/// Checks the packages, and the step from one revision to the next.
pub(super) fn run(target: &Path, packages: &[PathBuf], newer: &[PathBuf]) -> Result<()> {
    process::outlive_signals()?;
    for package in packages {
        policy(package)?;
        manual(package)?;
    }
    done("Debian's policy and the manual pages");
    let machine = Machine::boot(target)?;
    for package in packages.iter().chain(newer) {
        machine.receive(package)?;
    }
    let course = Course { machine, packages: names(packages)?, newer: names(newer)? };
    course.refuse_what_was_left()?;
    done("that nothing of the agent's user's is taken for the server's settings");
    course.install()?;
    done("the first installation");
    course.sandbox()?;
    done("the units, under systemd");
    course.share_a_folder()?;
    done("the folder that both packages share");
    course.upgrade()?;
    done("an upgrade");
    course.remove()?;
    done("a removal, and a return");
    course.purge()?;
    done("the purge");
    Ok(())
}

fn done(what: &str) {
    println!("checked: {what}");
}

fn names(packages: &[PathBuf]) -> Result<String> {
    let names = packages.iter().map(|package| package.file_name()?.to_str());
    let names = names.collect::<Option<Vec<_>>>().context("a package has no name")?;
    Ok(names.iter().map(|name| format!("/root/{name}")).collect::<Vec<_>>().join(" "))
}

fn policy(package: &Path) -> Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error", "--tag-display-limit", "0"]).arg(package);
    let ended = lintian.output().context("cannot start lintian")?;
    print!("{}", String::from_utf8_lossy(&ended.stdout));
    let told = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "lintian finds errors in {}: {told}", package.display());
    Ok(())
}

/// Every page is one, says in its first line what it is about, and has no mistakes.
fn manual(package: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder.path()))?;
    let pages = folder.path().join("usr/share/man/man1");
    let pages: Vec<PathBuf> = fs::read_dir(&pages)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    ensure!(!pages.is_empty(), "{} has no manual page", package.display());
    for page in pages {
        let told = output(Command::new("lexgrog").arg(&page))?;
        ensure!(told.contains(" - "), "{}: {told}", page.display());
        let mut man = Command::new("man");
        man.args(["--warnings", "--encoding=UTF-8", "--local-file"]).arg(&page).env("MANWIDTH", "80");
        let ended = man.output().context("cannot start man")?;
        let warnings = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    }
    Ok(())
}

/// The way of the packages through a system. Each step begins where the one before it ended.
struct Course {
    machine: Machine,
    packages: String,
    newer: String,
}

impl Course {
    /// The agent is there first, and its user has left a link in the place of the server's settings.
    fn refuse_what_was_left(&self) -> Result<()> {
        let on = &self.machine;
        let (server, agent) = self.packages.split_once(' ').context("there are not two packages")?;
        on.run(&format!("dpkg --install {agent}"))?;
        on.run("umask 077; echo secret > /root/secret; runuser -u stratora-agent -- ln -s /root/secret /etc/stratora/config.yaml")?;
        let secret = "cat /root/secret; stat -c '%a %U:%G' /root/secret";
        let before = on.run(secret)?;
        let told = on.refused(&format!("dpkg --force-confold --install {server}"))?;
        ensure!(told.contains("/etc/stratora/config.yaml is a link"), "the link is not told of: {told}");
        ensure!(on.run(secret)? == before, "the installation followed the link");
        on.run("rm -f /etc/stratora/config.yaml /root/secret* && dpkg --purge stratora-server stratora-agent")?;
        Ok(())
    }

    fn install(&self) -> Result<()> {
        let on = &self.machine;
        on.run(&format!("dpkg --install {}", self.packages))?;
        for user in ["stratora", "stratora-agent"] {
            on.prints(&format!("getent passwd {user} | cut -d: -f7"), "/usr/sbin/nologin")?;
        }
        for (path, expected) in [
            ("/etc/stratora", "1775 root:stratora-agent"),
            ("/etc/stratora/config.yaml", "640 root:stratora"),
            ("/var/lib/stratora", "700 stratora:stratora"),
            ("/var/lib/stratora-agent", "700 stratora-agent:stratora-agent"),
            ("/usr/bin/stratora-server", "755 root:root"),
            ("/usr/bin/stratora-agent", "755 root:root"),
        ] {
            on.prints(&format!("stat -c '%a %U:%G' {path}"), expected)?;
        }
        for file in [
            "/usr/share/bash-completion/completions/stratora-server",
            "/usr/share/zsh/vendor-completions/_stratora-agent",
            "/usr/share/fish/vendor_completions.d/stratora-agent.fish",
            "/usr/share/doc/stratora-agent/agent.md",
            "/usr/share/doc/stratora-agent/third-party-licenses.gz",
            "/usr/share/doc/stratora-agent/third-party-licenses-of-rust.html.gz",
            "/usr/share/doc/stratora-server/third-party-licenses.gz",
            "/usr/share/doc/stratora-server/third-party-licenses-of-the-console.gz",
        ] {
            on.run(&format!("test -s {file}"))?;
        }
        on.prints("dpkg-query --show --showformat='${Conffiles}' stratora-agent", "")?;
        on.run("stratora-server --help && stratora-agent --help")?;
        on.run("systemctl is-enabled stratora-server stratora-agent")?;
        // It has no settings yet: that is no failure.
        on.prints(
            "systemctl show --property=ActiveState,ConditionResult stratora-agent",
            "ActiveState=inactive\nConditionResult=no",
        )?;
        let told = on.refused("runuser -u stratora-agent -- stratora-agent run")?;
        ensure!(told.lines().count() == 1 && told.contains("/etc/stratora/agent.json"), "without settings: {told}");
        Ok(())
    }

    fn sandbox(&self) -> Result<()> {
        let on = &self.machine;
        on.run(READY)?;
        on.prints(
            "stat -c '%a %U' /var/lib/stratora/keys.json /var/lib/stratora/initial-admin-password",
            "600 stratora\n600 stratora",
        )?;
        // The threads that hash passwords could step back: the filter of system calls lets them.
        on.run("ps -L -o ni= -p $(systemctl show --property=MainPID --value stratora-server) | grep -qv ' 0$'")?;
        // Commands find the database and the running server's socket.
        on.run("cd / && runuser -u stratora -- stratora-server keys list")?;
        on.run(&format!(
            "runuser -u stratora-agent -- sh -c 'umask 077; echo \"$0\" > /etc/stratora/agent.json' '{AGENT_SETTINGS}'"
        ))?;
        on.run("systemctl start stratora-agent")?;
        on.prints("systemctl show --property=NRestarts,ActiveState stratora-agent", "NRestarts=0\nActiveState=active")?;
        for unit in ["stratora-server", "stratora-agent"] {
            on.run(&format!("systemd-analyze verify --man=no {unit}.service"))?;
            let rated =
                on.run(&format!("systemd-analyze security --no-pager --threshold=19 {unit}.service | tail -n 1"))?;
            println!("{rated}");
            on.run(&format!("systemd-analyze security --no-pager --threshold=19 {unit}.service >/dev/null"))?;
        }
        Ok(())
    }

    fn share_a_folder(&self) -> Result<()> {
        let on = &self.machine;
        let agent = "nsenter -t $(systemctl show --property=MainPID --value stratora-agent) -m setpriv --reuid=stratora-agent \
                     --regid=stratora-agent --clear-groups --inh-caps=-all --no-new-privs sh -ec";
        // As it replaces its key: within what the unit lets it see and write.
        on.run(&format!(
            "{agent} 'umask 077; cp /etc/stratora/agent.json /etc/stratora/new; mv /etc/stratora/new /etc/stratora/agent.json'"
        ))?;
        on.prints("stat -c '%a %U' /etc/stratora/agent.json", "600 stratora-agent")?;
        for forbidden in [
            "cat /etc/stratora/config.yaml",
            "rm -f /etc/stratora/config.yaml",
            "mv /etc/stratora/config.yaml /etc/stratora/old.yaml",
            "echo > /etc/stratora/new; mv -f /etc/stratora/new /etc/stratora/config.yaml",
            "ls /var/lib/stratora",
            "echo > /usr/bin/new",
        ] {
            on.refused(&format!("{agent} '{forbidden}'"))?;
        }
        on.run("rm -f /etc/stratora/new")?;
        Ok(())
    }

    fn upgrade(&self) -> Result<()> {
        let on = &self.machine;
        on.run("echo '# Changed here.' >> /etc/stratora/config.yaml")?;
        let before = self.kept()?;
        let running = on.run("systemctl show --property=MainPID --value stratora-server")?;
        on.run(&format!("dpkg --install {}", self.newer))?;
        ensure!(self.kept()? == before, "the upgrade changed what has to stay");
        on.run(READY)?;
        let restarted = on.run("systemctl show --property=MainPID --value stratora-server")?;
        ensure!(restarted != running, "the upgrade left the old server running");
        on.run("systemctl is-active stratora-server stratora-agent")?;
        Ok(())
    }

    fn remove(&self) -> Result<()> {
        let on = &self.machine;
        let before = self.kept()?;
        on.run("dpkg --remove stratora-server stratora-agent")?;
        on.refused("systemctl is-active --quiet stratora-server || systemctl is-active --quiet stratora-agent")?;
        on.refused("test -e /usr/bin/stratora-server || test -e /usr/bin/stratora-agent")?;
        ensure!(self.kept()? == before, "the removal changed what only a purge may");
        on.run(&format!("dpkg --install {}", self.newer))?;
        on.run(READY)?;
        ensure!(self.kept()? == before, "the return changed what has to stay");
        Ok(())
    }

    fn purge(&self) -> Result<()> {
        let on = &self.machine;
        // As a kill leaves it.
        on.run("cp -p /etc/stratora/agent.json /etc/stratora/.agent.json.new")?;
        let told = on.run("dpkg --purge stratora-agent")?;
        ensure!(told.contains("revoke the component's key"), "the purge does not tell of the key: {told}");
        on.refused("test -e /etc/stratora/agent.json || test -e /etc/stratora/.agent.json.new || test -e /var/lib/stratora-agent")?;
        on.prints("stat -c '%a %U:%G' /etc/stratora", "755 root:root")?;
        on.run(READY)?;
        on.run("dpkg --purge stratora-server")?;
        on.prints("find / -xdev -path /proc -prune -o -path /root -prune -o -name '*stratora*' -print | grep -v ^/var/log || true", "")?;
        on.run("getent passwd stratora stratora-agent")?;
        Ok(())
    }

    /// What belongs to the installation, with its owners and modes: the same after everything but a purge.
    fn kept(&self) -> Result<String> {
        self.machine.run(
            "cd /etc/stratora && sha256sum config.yaml agent.json /var/lib/stratora/keys.json && \
             stat -c '%n %a %U:%G' . config.yaml agent.json /var/lib/stratora /var/lib/stratora/keys.json /var/lib/stratora-agent",
        )
    }
}
