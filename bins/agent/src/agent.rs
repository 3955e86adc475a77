//! The agent as a whole: what its parts share, and what its signals do.

use std::cell::RefCell;
use std::io;

use tokio::sync::Notify;
use tracing::{error, info, warn};

use crate::buffer::Buffer;
use crate::client::{Client, ClientError};
use crate::clock;
use crate::command_line::{CommandLine, RunOptions};
use crate::configuration::{Command, InvalidCommand, Steps};
use crate::control::Control;
use crate::host::Host;
use crate::log::causes;
use crate::metrics::{NoMetrics, Sampler};
use crate::outage::Outage;
use crate::pulling;
use crate::settings::Settings;
use crate::shipping;
use crate::signals::{Request, Signals};
use crate::standing::Connection;
use crate::state::{StateDirectory, StateError};
use crate::status::{self, Status};
use crate::store::{LoadError, SettingsStore};

/// What the parts of the agent share.
pub struct Agent {
    pub(crate) options: RunOptions,
    pub(crate) store: Box<dyn SettingsStore>,
    pub(crate) state: StateDirectory,
    pub(crate) host: Host,
    pub(crate) steps: Option<Steps>,
    pub(crate) buffer: RefCell<Buffer>,
    /// There are metrics to send.
    pub(crate) fresh: Notify,
    pub(crate) status: RefCell<Status>,
    writing_status: RefCell<Outage>,
}

/// The agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be used.
    #[error("{place}")]
    Settings {
        /// Where they are.
        place: String,
        /// What is wrong.
        #[source]
        source: LoadError,
    },
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The server cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An option is wrong.
    #[error(transparent)]
    Command(#[from] InvalidCommand),
    /// This host cannot be read.
    #[error(transparent)]
    Metrics(#[from] NoMetrics),
    /// The system does not give what is needed.
    #[error("cannot start")]
    System(#[from] io::Error),
}

enum Ended {
    /// For good.
    Terminated,
    /// To begin again with the settings as they are now.
    Reloading,
}

impl Agent {
    /// Takes possession of the settings and the state directory.
    ///
    /// # Errors
    /// [`StartError`] says in a line why not.
    pub fn open(line: &CommandLine, store: Box<dyn SettingsStore>) -> Result<(Self, Settings), StartError> {
        let options = line.run.clone();
        let settings = load(store.as_ref()).map_err(|source| StartError::Settings { place: store.place(), source })?;
        let state = StateDirectory::open(&line.state_directory)?;
        let steps = steps(&options, &state)?;
        let limit = u64::from(options.buffer_limit) * 1024 * 1024;
        let buffer = Buffer::open(state.join("buffer"), limit)?;
        let status = Status::new(clock::now(), options.interval.as_secs(), limit, steps.is_some());
        let agent = Self {
            options,
            store,
            state,
            host: Host::this(),
            steps,
            buffer: RefCell::new(buffer),
            fresh: Notify::new(),
            status: RefCell::new(status),
            writing_status: RefCell::default(),
        };
        Ok((agent, settings))
    }

    /// Runs until it is told to end.
    ///
    /// # Errors
    /// [`StartError`] when it cannot begin.
    pub async fn run(&self, mut settings: Settings, mut signals: Signals) -> Result<(), StartError> {
        let mut sampler = Sampler::new(&self.host.name)?;
        let mut client = Client::new(&settings, self.options.request_timeout)?;
        info!("stratora-agent {} works for {}", env!("CARGO_PKG_VERSION"), settings.server_url);
        loop {
            if settings.insecure_skip_verify {
                warn!("`insecure_skip_verify` is on: whoever is on the way to the server can take this agent's key");
            }
            let connection = Connection::new(settings.credentials.clone());
            let ended = self.work(&settings, &client, &connection, &mut sampler, &mut signals).await;
            settings.credentials = connection.credentials().clone();
            match ended {
                Ended::Terminated => break,
                Ended::Reloading => self.reload(&mut settings, &mut client),
            }
        }
        self.buffer.borrow_mut().keep();
        if let Some(trouble) = self.buffer.borrow().trouble() {
            warn!("the last metrics cannot be kept: {trouble}");
        }
        info!("ended, as asked");
        Ok(())
    }

    async fn work(
        &self,
        settings: &Settings,
        client: &Client,
        connection: &Connection,
        sampler: &mut Sampler,
        signals: &mut Signals,
    ) -> Ended {
        let mut control = Control::new(self, client, connection, settings);
        // Whatever is dropped here stands where a kill would leave it, which no part minds.
        tokio::select! {
            biased;
            request = signals.next() => match request {
                Request::End => Ended::Terminated,
                Request::Reload => Ended::Reloading,
            },
            () = control.run() => Ended::Reloading,
            () = shipping::sample(self, sampler) => Ended::Reloading,
            () = shipping::ship(self, client, connection) => Ended::Reloading,
            () = pulling::pull(self, client, connection) => Ended::Reloading,
        }
    }

    fn reload(&self, settings: &mut Settings, client: &mut Client) {
        let place = self.store.place();
        let loaded = load(self.store.as_ref()).map_err(|error| causes(&error));
        let made = loaded.and_then(|settings| {
            let client = Client::new(&settings, self.options.request_timeout).map_err(|error| causes(&error))?;
            Ok((settings, client))
        });
        match made {
            Ok((new, made)) => {
                info!("{place} was read again");
                (*settings, *client) = (new, made);
            }
            Err(why) => error!("{place} is not used as it is now, and the agent goes on as before: {why}"),
        }
    }

    /// Writes down how the agent is, for `stratora-agent status`.
    pub(crate) fn write_status(&self, connection: &Connection, key: &Outage, enrollment: &Outage) {
        let mut status = self.status.borrow_mut();
        status.standing = connection.standing();
        status.component_id = connection.identity().map(|identity| identity.component_id);
        status.key_trouble = key.trouble().map(str::to_owned);
        // Without a key there is nothing else, and the standing tells of it.
        let enrollment = enrollment.trouble().filter(|_| status.component_id.is_some());
        status.enrollment_trouble = enrollment.map(str::to_owned);
        status.buffered_bytes = self.buffer.borrow().size();
        status.dropped_lines = self.buffer.borrow().dropped();
        match self.state.save_loosely(status::FILE, &*status) {
            Ok(()) => self.writing_status.borrow_mut().end("the status can be written"),
            Err(error) => {
                let what =
                    format!("`stratora-agent status` will be out of date, since its file cannot be written: {error}");
                self.writing_status.borrow_mut().begin(&what);
            }
        }
    }
}

fn load(store: &dyn SettingsStore) -> Result<Settings, LoadError> {
    store.claim()?;
    store.load()
}

fn steps(options: &RunOptions, state: &StateDirectory) -> Result<Option<Steps>, InvalidCommand> {
    let Some(target) = &options.config_target else { return Ok(None) };
    let command = |option, text: &Option<String>| {
        let parse = |text: &String| Command::parse(option, text, options.command_timeout, state.join("command.output"));
        text.as_ref().map(parse).transpose()
    };
    Ok(Some(Steps {
        target: std::path::absolute(target).unwrap_or_else(|_| target.clone()),
        validate: command("--validate-command", &options.validate_command)?,
        apply: command("--apply-command", &options.apply_command)?,
    }))
}
