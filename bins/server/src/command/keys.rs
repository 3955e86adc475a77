//! Commands about components and their keys.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use stratora_audit::Origin;
use stratora_keys::{ComponentFilter, ComponentId, ComponentKind, Grace, Hostname, Name, NewComponentRequest};
use stratora_port::{Limit, MAX_LIMIT, PageRequest};

use crate::compose::Core;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a component; its key is printed, once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it does.
        #[arg(long, value_enum)]
        kind: Kind,
        /// The host that it runs on.
        #[arg(long)]
        hostname: Option<String>,
    },
    /// Give a component a new key, which is printed, once. The old one is dead, unless there is a grace.
    Rotate {
        /// The component's identifier.
        id: ComponentId,
        /// The old key lives on until the new one is first used, or this many seconds pass.
        #[arg(long)]
        grace_seconds: Option<u32>,
    },
    /// End all keys of a component, at once.
    Revoke {
        /// The component's identifier.
        id: ComponentId,
    },
    /// List components.
    List {
        /// A JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Agent,
    Collector,
}

impl From<Kind> for ComponentKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Agent => Self::Agent,
            Kind::Collector => Self::Collector,
        }
    }
}

pub(super) async fn run(command: Command, core: &Core) -> anyhow::Result<()> {
    let keys = &core.services.keys;
    let origin = Origin::command_line();
    match command {
        Command::Create { name, kind, hostname } => {
            let request = NewComponentRequest {
                name: Name::parse(&name).context("--name")?,
                kind: kind.into(),
                hostname: hostname.as_deref().map(Hostname::parse).transpose().context("--hostname")?,
            };
            let (component, key) = keys.create(request, &origin).await?;
            eprintln!("Component {} has this key, which is not shown again:", component.id);
            println!("{}", *key.expose());
        }
        Command::Rotate { id, grace_seconds } => {
            let grace = match grace_seconds {
                None => Grace::None,
                Some(0) => bail!("--grace-seconds must be at least 1"),
                Some(seconds) => Grace::For(Duration::from_secs(seconds.into())),
            };
            let (component, key) = keys.rotate(id, grace, &origin).await?;
            eprintln!("{} has this key, which is not shown again:", component.name);
            println!("{}", *key.expose());
        }
        Command::Revoke { id } => {
            let component = keys.revoke(id, &origin).await?;
            eprintln!("{} is revoked.", component.name);
        }
        Command::List { json } => list(json, core).await?,
    }
    Ok(())
}

async fn list(json: bool, core: &Core) -> anyhow::Result<()> {
    let mut page = PageRequest { limit: Limit::new(MAX_LIMIT)?, after: None };
    loop {
        let found = core.services.keys.page(&ComponentFilter::default(), &page).await?;
        let now = core.services.clock.now();
        for component in found.items {
            let status = component.status(now).as_str();
            if json {
                let line = serde_json::json!({
                    "id": component.id.to_string(),
                    "name": component.name.as_str(),
                    "hostname": component.hostname.as_ref().map(Hostname::as_str),
                    "kind": component.kind.as_str(),
                    "status": status,
                    "key_prefix": component.key_prefix.as_str(),
                    "key_created_at": component.key_created_at,
                    "last_seen_at": component.last_seen_at,
                });
                println!("{line}");
            } else {
                println!("{}  {status:<8} {:<9} {}", component.id, component.kind.as_str(), component.name);
            }
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}
