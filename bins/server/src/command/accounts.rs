//! Commands about people: let an administrator back in, end sessions, take over users.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde::Deserialize;
use stratora_audit::Origin;
use stratora_auth::{Account, DisplayName, EmailAddress, ImportedUser, PasswordHash, Username};

use crate::compose::Core;

#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Give a user a one-time password, end its sessions and clear its failed attempts.
    ResetPassword {
        /// Whose.
        #[arg(long, default_value = "admin")]
        username: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Sessions {
    /// End all sessions of a user.
    Revoke {
        /// Whose.
        #[arg(long)]
        username: String,
    },
}

pub(super) async fn admin(command: Admin, core: &Core) -> anyhow::Result<()> {
    let Admin::ResetPassword { username } = command;
    let account = account(&username, core).await?;
    let (account, password) = core.services.users.reset_password(account.id, &Origin::command_line()).await?;
    eprintln!("{} signs in with this one-time password within 24 hours, and changes it:", account.username);
    println!("{}", password.expose());
    Ok(())
}

pub(super) async fn sessions(command: Sessions, core: &Core) -> anyhow::Result<()> {
    let Sessions::Revoke { username } = command;
    let account = account(&username, core).await?;
    let ended = core.services.sessions.end_all(account.id, None, &Origin::command_line()).await?;
    eprintln!("{ended} sessions of {} were ended.", account.username);
    Ok(())
}

async fn account(username: &str, core: &Core) -> anyhow::Result<Account> {
    let username = Username::parse(username)?;
    let account = core.services.users.find_by_username(&username).await?;
    account.with_context(|| format!("there is no user {username}"))
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    username: String,
    role: String,
    password_hash: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    email: Option<String>,
}

impl Line {
    fn parse(text: &str) -> anyhow::Result<ImportedUser> {
        // The reason that serde gives may quote the line, which holds a hash.
        let line: Self =
            serde_json::from_str(text).map_err(|error| anyhow::anyhow!("not a user: {:?} error", error.classify()))?;
        Ok(ImportedUser {
            username: Username::parse(&line.username)?,
            role: line.role.parse()?,
            display_name: DisplayName::parse(&line.display_name).context("display_name")?,
            email: line.email.as_deref().map(EmailAddress::parse).transpose().context("email")?,
            password: PasswordHash::parse(&line.password_hash).context("password_hash")?,
        })
    }
}

/// Reads the whole file before it takes over anybody, so that a bad line changes nothing.
pub(super) async fn import(file: &Path, core: &Core) -> anyhow::Result<()> {
    let place = || file.display().to_string();
    let lines = BufReader::new(File::open(file).with_context(place)?).lines();
    let mut users = Vec::new();
    for (index, line) in lines.enumerate() {
        let line = line.with_context(place)?;
        if !line.trim().is_empty() {
            users.push(Line::parse(&line).with_context(|| format!("{}: line {}", place(), index + 1))?);
        }
    }
    let mut refused = 0;
    for user in &users {
        if let Err(error) = core.services.users.import(user.clone(), &Origin::command_line()).await {
            refused += 1;
            eprintln!("{}: {error}", user.username);
        }
    }
    eprintln!("{} of {} users were taken over.", users.len() - refused, users.len());
    if refused > 0 {
        bail!("{refused} users were not taken over");
    }
    Ok(())
}
