//! The command line.

mod closure;
mod nats_config;
mod operations;
mod reminder;
mod routing;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::{Timestamp, civil::Date};
use metrics::{By, CasesBy};
use platform::auth::Scope;

pub(crate) use closure::{ClosureCommand, SchemaOf};
pub(crate) use nats_config::NatsConfig;
pub(crate) use operations::{DeadLetters, Kept, MailCommand};
pub(crate) use reminder::ReminderCommand;
pub(crate) use routing::{AgreementsCommand, RoutingCommand};

/// Kommunlots: what a municipal contact centre runs on.
///
/// Takes contacts and cases in, keeps figures that can be trusted, and shows them live on the wall.
/// To see it at work, run `kommunlots demo` and open the address it prints.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// Settings that are also flags. Every setting is an environment variable and a line in the configuration file too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Options {
    /// Address to serve HTTP on [env: KOMMUNLOTS_HTTP] [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) http: Option<String>,
    /// Folder for the private servers, their data and the local key [env: KOMMUNLOTS_DATA] [default: ./.kommunlots]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file (TOML); `kommunlots config check` tells whether it is right
    #[arg(long, global = true, value_name = "FILE", env = "KOMMUNLOTS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// How a command reaches a running product.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reaching a running product")]
pub(crate) struct Access {
    /// Its address; without it, the one that uses the data folder, which is started for the moment if none runs
    #[arg(long, global = true, value_name = "URL", env = "KOMMUNLOTS_URL")]
    pub(crate) url: Option<String>,
    /// An API key; without it, the data folder's for the product that runs there, and none for another address
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "KOMMUNLOTS_KEY",
        hide_env_values = true
    )]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every service in this process
    All,
    /// Run intake: takes contacts and cases in
    Intake,
    /// Run routing: hands cases to departments and follows them until they are closed
    ///
    /// With a subcommand it runs nothing, and asks a running product instead.
    Routing {
        #[command(subcommand)]
        what: Option<RoutingCommand>,
    },
    /// Run reminder: follows forwarded cases up, so that none is forgotten
    ///
    /// Several may run; one works, and another takes over when it dies. With a subcommand it runs nothing, and asks a running
    /// product instead.
    Reminder {
        #[command(subcommand)]
        what: Option<ReminderCommand>,
    },
    /// Run metrics: keeps the figures
    Metrics,
    /// Run the wallboard: shows the figures live
    Wallboard,
    /// Run every service, with a simulated municipality that calls, writes and visits
    ///
    /// The product then lives on the demo's clock, which starts on a weekday shortly before opening. The demo keeps its
    /// data in a folder of its own, ./.kommunlots-demo unless --data is given.
    Demo {
        /// Seconds of the demo in a real second, 0.1-3600
        #[arg(long, default_value_t = 10.0)]
        speed: f64,
        /// The same seed on the same days gives the same citizens
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Read contacts or an older system's cases from a file into the product
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Print figures of a period: of contacts, or of forwarded cases
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Figures {
        #[command(subcommand)]
        of: Option<FiguresOf>,
        /// First day, such as 2021-02-01
        #[arg(long, value_name = "DAY", required = true)]
        from: Option<Date>,
        /// Last day, such as 2021-02-28
        #[arg(long, value_name = "DAY", required = true)]
        to: Option<Date>,
        /// Break down by queue, day, channel or department
        #[arg(long, value_name = "WHAT")]
        by: Option<By>,
        /// Print a JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Check, apply, show and compare what the centre has agreed on with the departments
    Agreements {
        #[command(subcommand)]
        what: AgreementsCommand,
    },
    /// For departments' own systems: check a closure before it is sent, make secrets for webhooks
    Closure {
        #[command(subcommand)]
        what: ClosureCommand,
    },
    /// Print the JSON Schema of a message to or from a department's system
    Schema {
        /// Which message
        of: SchemaOf,
    },
    /// Look at messages that could not be applied, and send them again
    DeadLetters {
        #[command(subcommand)]
        what: DeadLetters,
    },
    /// Look at mails that wait to be sent or were given up, and try them again
    Mail {
        #[command(subcommand)]
        what: MailCommand,
    },
    /// Make, list and revoke API keys
    Key {
        #[command(subcommand)]
        what: KeyCommand,
    },
    /// Bring the database to this version
    ///
    /// With KOMMUNLOTS_DATABASE_LOGINS=DIR each service also gets a login of its own, which reaches its own schema alone, with
    /// the password in DIR/<service>.password; passwords that are missing are made.
    Migrate,
    /// Write the configuration and the keys for a NATS server of your own
    ///
    /// It is the one that the private server uses: an acknowledged message is on disk, and each service has a key of its
    /// own with the least rights. Start the server with `nats-server -c DIR/nats.conf`, and the product with
    /// KOMMUNLOTS_NATS_URL and KOMMUNLOTS_NATS_KEYS=DIR/keys. Keys that are there already are kept.
    ///
    /// Each department of the agreements gets an account that reaches its own two streams and nothing else. It connects with
    /// the key that its agreement names as `public_nkey`; for the others keys are made in DIR/keys/departments.
    ///
    /// Run it again when the agreements name another department, and start the server again: reading the file
    /// again (SIGHUP) gives a new account none of its rights. What waits on the bus stays there.
    NatsConfig(NatsConfig),
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Ask a running product whether it is ready; exits with 1 when it is not
    Healthcheck,
    /// Print the OpenAPI document
    Openapi,
    /// Print the AsyncAPI document: what departments' systems send and are told on the bus
    Asyncapi,
}

impl Command {
    /// Whether the log is what the user came for.
    pub(crate) fn runs_services(&self) -> bool {
        matches!(
            self,
            Self::All
                | Self::Intake
                | Self::Routing { what: None }
                | Self::Reminder { what: None }
                | Self::Metrics
                | Self::Wallboard
                | Self::Demo { .. }
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// An Asterisk queue_log; reading the same file again changes nothing
    QueueLog {
        /// The file
        file: PathBuf,
        /// The PBX's name; the same log under another name counts every call twice
        #[arg(long, default_value = "pbx")]
        system: String,
    },
    /// An older system's export of its cases (CSV): when each was registered, its limit, when it was closed
    ///
    /// Nobody gets mail about such cases; the figures of forwarded cases know them. Reading the same file again changes
    /// nothing, and of a later export only what has been closed since then is new.
    Cases {
        /// The file; its first line names the columns
        file: PathBuf,
        /// How to read it: columns, time format, time zone (TOML); docs/examples/import/boston311.toml explains each
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FiguresOf {
    /// Forwarded cases by the day they were forwarded: open, overdue, closed
    Forwarded {
        #[command(flatten)]
        cases: CaseFigures,
        /// As it stood then: a time such as 2021-02-01T12:00:00+01:00, or a day, which is its end; now without it
        #[arg(long, value_name = "TIME", value_parser = metrics::as_of)]
        as_of: Option<Timestamp>,
    },
    /// Handling times of cases by the day they were closed: at the centre, at the department
    Handling {
        #[command(flatten)]
        cases: CaseFigures,
    },
    /// Closed cases by the day they were closed: in time, and after which step of the follow-up
    Followup {
        #[command(flatten)]
        cases: CaseFigures,
        /// As it stood then: a time such as 2021-02-01T12:00:00+01:00, or a day, which is its end; now without it
        #[arg(long, value_name = "TIME", value_parser = metrics::as_of)]
        as_of: Option<Timestamp>,
    },
}

/// Which cases figures are of, and how they are printed.
#[derive(Debug, Args)]
pub(crate) struct CaseFigures {
    /// First day, such as 2021-02-01
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Date,
    /// Last day, such as 2021-02-28
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Date,
    /// Break down by department or queue (`department/group`, or an older system's name)
    #[arg(long, value_name = "WHAT")]
    pub(crate) by: Option<CasesBy>,
    /// Print a JSON array instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it; only its hash is kept
    ///
    /// Such as `kommunlots key new --name desk --scope contacts:write --scope cases:write`.
    New {
        /// Whom it is for, such as `pbx` or `desk`
        #[arg(long, value_parser = key_name)]
        name: String,
        /// What it may do: contacts:write, cases:write, cases:read, agreements:write, operate; may be given several times
        #[arg(long, required = true)]
        scope: Vec<Scope>,
    },
    /// List keys: whom each is for, when it was made and last used, and what it may do; never the keys themselves
    List,
    /// Make a key no good
    ///
    /// A service remembers a good key for 10 seconds, so within that time every one refuses it.
    Revoke {
        /// Its name, or its id where several have the name
        #[arg(value_name = "NAME|ID")]
        which: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell what is wrong with the configuration, or what it comes to
    Check,
}

/// A name that a list can show, and that somebody can find again.
fn key_name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.chars().count());
    if fits && text.trim() == text && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("give 1 to 64 characters on one line, without space around them".to_owned())
    }
}
