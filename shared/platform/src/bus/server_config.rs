//! The NATS server's configuration. There is one, made here, for the embedded default and for every other deployment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use domain::{Department, account, in_subject, out_stream};
use nkeys::{KeyPair, KeyPairType};

use super::{Rights, departments, inbox};

/// Where the server listens and keeps its streams.
#[derive(Debug, Clone, Copy)]
pub struct ServerConfig<'a> {
    /// Clients connect here.
    pub listen: SocketAddr,
    /// Streams are kept here.
    pub store: &'a Path,
    /// Each service's key is kept here as `<service>.nk`, and made where it is missing; so is `departments/<department>.nk`
    /// for departments that bring no key of their own.
    pub keys: &'a Path,
    /// Where it tells of itself over HTTP, `/healthz` among it, to whoever asks; nowhere when not given.
    pub monitor: Option<SocketAddr>,
    /// What it proves with who it is, and then speaks nothing but TLS.
    pub tls: Option<Certificate<'a>>,
}

/// A certificate and its key, both PEM, as the server finds them.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// The certificate, with those between it and its root.
    pub chain: &'a Path,
    /// Its private key.
    pub key: &'a Path,
}

/// A department whose system speaks on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentAccount {
    /// The department.
    pub department: Department,
    /// The public half of the key its system connects with, where the agreement names one.
    pub public_nkey: Option<String>,
}

impl DepartmentAccount {
    /// Where the department's key is kept in the folder `keys`; nowhere when it brings its own.
    pub fn key_file(&self, keys: &Path) -> Option<PathBuf> {
        let file = keys
            .join("departments")
            .join(format!("{}.nk", self.department));
        self.public_nkey.is_none().then_some(file)
    }

    /// The public half of the department's key, which is made at first need when it brings none.
    ///
    /// # Errors
    /// When the key cannot be read or made, or is not a user's.
    pub fn public_key(&self, keys: &Path) -> anyhow::Result<String> {
        if let Some(file) = self.key_file(keys) {
            return public_key(&file);
        }
        let key = self.public_nkey.as_deref().unwrap_or_default();
        let is_user = KeyPair::from_public_key(key)
            .is_ok_and(|pair| matches!(pair.key_pair_type(), KeyPairType::User));
        if !is_user {
            bail!(
                "the public_nkey of the department {} is not the public key of a user; write the 56 characters that begin with U",
                self.department
            );
        }
        Ok(key.to_owned())
    }
}

/// The city's own streams may take so much of the disk, in MB; each department's streams come to that.
const MAX_FILE_MB: i64 = 16 * 1024;
/// What the server keeps in its memory of a stream's messages until they are on the disk. A flood is refused from there on;
/// a relay has at most 500 messages there.
const MAX_BUFFERED: &str = "max_buffered_msgs: 10000, max_buffered_size: 32MB";
/// Connections for all that are not departments' systems.
const MAX_CONNECTIONS: usize = 512;
/// Connections of one department's systems.
const MAX_DEPARTMENT_CONNECTIONS: usize = 4;

/// Writes the configuration: `sync_interval: always`, so that an acknowledged message is on disk; a user for each service
/// with a key of its own and the least rights; and an account for each department, which reaches its own two streams and
/// nothing else.
///
/// # Errors
/// When a key cannot be read or made, is not one, or is that of two.
pub fn render(
    config: ServerConfig<'_>,
    services: &[Rights],
    departments: &[DepartmentAccount],
) -> anyhow::Result<String> {
    let mut owners = Owners::default();
    let mut users = String::new();
    for rights in services {
        let service = rights.service;
        let key = public_key(&config.keys.join(format!("{service}.nk")))?;
        owners.add(&key, format!("service {service}"))?;
        users += &user(rights, &key)?;
    }
    let (mut exports, mut accounts) = (String::new(), String::new());
    let mut seen = BTreeSet::new();
    for account in departments {
        let department = &account.department;
        if !seen.insert(department) {
            bail!("the department {department} is there twice; name each once");
        }
        let key = account.public_key(config.keys)?;
        owners.add(&key, format!("department {department}"))?;
        let (export, account) = department_account(department, &key)?;
        exports += &export;
        accounts += &account;
    }
    let count = departments.len();
    let mut more = String::new();
    if let Some(monitor) = config.monitor {
        writeln!(more, "http: \"{monitor}\"")?;
    }
    if let Some(Certificate { chain, key }) = config.tls {
        writeln!(
            more,
            "tls: {{ cert_file: {chain:?}, key_file: {key:?}, timeout: 4 }}"
        )?;
    }
    Ok(format!(
        "# Made by kommunlots; changes are overwritten.
server_name: kommunlots
listen: \"{listen}\"
{more}max_payload: 262144
max_connections: {max_connections}
max_subscriptions: 2000
max_control_line: 4096
write_deadline: \"5s\"
authorization: {{ timeout: 4 }}
jetstream: {{ store_dir: {store:?}, sync_interval: always, max_memory_store: 64MB, max_file_store: {max_file}MB, {MAX_BUFFERED} }}
accounts: {{
  CITY: {{
    jetstream: {{ max_file: {max_file}MB, max_mem: 64MB, max_streams: {max_streams}, max_consumers: {max_consumers} }}
    users: [{users}
    ]
    exports: [{exports}
    ]
  }}{accounts}
  SYS: {{}}
}}
system_account: SYS
",
        listen = config.listen,
        store = config.store,
        max_connections = MAX_CONNECTIONS + MAX_DEPARTMENT_CONNECTIONS * count,
        max_file = MAX_FILE_MB + departments::MAX_BYTES / 1024 / 1024 * i64::try_from(count)?,
        // Two streams each, and on each one consumer.
        max_streams = 40 + 2 * count,
        max_consumers = 200 + 2 * count,
    ))
}

fn user(rights: &Rights, key: &str) -> Result<String, std::fmt::Error> {
    let mut subscribe = rights.subscribe.clone();
    subscribe.push(format!("{}.>", inbox(rights.service)));
    let answers = if rights.answers {
        "\n        allow_responses: { max: 1, expires: \"5s\" }"
    } else {
        ""
    };
    let mut user = String::new();
    write!(
        user,
        "\n      # {}\n      {{ nkey: \"{key}\", allowed_connection_types: [\"STANDARD\"], permissions: {{\n        \
         publish: {{ allow: {:?} }}\n        subscribe: {{ allow: {subscribe:?} }}{answers} }} }}",
        rights.service, rights.publish,
    )?;
    Ok(user)
}

/// A subject of the city's account that a department reaches from its own.
struct Reached {
    /// In the city's account.
    there: String,
    /// In the department's.
    here: String,
    /// How many answers come, and for how long the server knows where to send them.
    answers: String,
}

/// All that `department` reaches. The names of its subjects are made here and not by the department, so a closure is known
/// by its subject to be the department's, whatever it holds. The answer to one, too, comes back to the department's account
/// only, wherever it asks for it.
fn reached(department: &Department) -> [Reached; 4] {
    let told = out_stream(department);
    let soon = "response_threshold: \"10s\"".to_owned();
    let api = |call: &str, answers| Reached {
        there: format!("$JS.API.CONSUMER.{call}.{told}.{department}"),
        // A department's own `$JS.API` is that of its own account, which has no streams.
        here: format!("CITY.API.CONSUMER.{call}.{told}.{department}"),
        answers,
    };
    let acknowledgement = format!("$JS.ACK.{told}.{department}.>");
    [
        Reached {
            there: in_subject(department),
            here: "closure".to_owned(),
            answers: soon.clone(),
        },
        api(
            "MSG.NEXT",
            format!(
                "response_type: Stream, response_threshold: \"{}s\"",
                departments::ANSWERED_WITHIN_S
            ),
        ),
        api("INFO", soon.clone()),
        Reached {
            there: acknowledgement.clone(),
            here: acknowledgement,
            answers: soon,
        },
    ]
}

/// The city's exports to a department, and the department's account.
fn department_account(
    department: &Department,
    key: &str,
) -> Result<(String, String), std::fmt::Error> {
    let account = account(department);
    let (mut exports, mut imports) = (String::new(), String::new());
    let reached = reached(department);
    for Reached {
        there,
        here,
        answers,
    } in &reached
    {
        write!(
            exports,
            "\n      {{ service: {there:?}, accounts: [{account:?}], {answers} }}"
        )?;
        write!(
            imports,
            "\n      {{ service: {{ account: CITY, subject: {there:?} }}, to: {here:?} }}"
        )?;
    }
    let publish = reached.map(|reached| reached.here);
    let subscribe = [format!("{}.>", inbox(department.as_str()))];
    let account = format!(
        "
  {account:?}: {{
    limits: {{ max_connections: {MAX_DEPARTMENT_CONNECTIONS}, max_subscriptions: 20, max_payload: {max_payload}, max_leafnodes: 0 }}
    users: [
      {{ nkey: \"{key}\", allowed_connection_types: [\"STANDARD\"], permissions: {{
        publish: {{ allow: {publish:?} }}
        subscribe: {{ allow: {subscribe:?} }} }} }}
    ]
    imports: [{imports}
    ]
  }}",
        max_payload = departments::MAX_MESSAGE_BYTES,
    );
    Ok((exports, account))
}

/// Whose each key is: the server knows who speaks by the key alone.
#[derive(Default)]
struct Owners(BTreeMap<String, String>);

impl Owners {
    fn add(&mut self, key: &str, owner: String) -> anyhow::Result<()> {
        match self.0.get(key) {
            Some(other) => bail!(
                "the {other} and the {owner} have the same key {key}; each must have one of its own"
            ),
            None => {
                self.0.insert(key.to_owned(), owner);
                Ok(())
            }
        }
    }
}

/// The public half of the key in `file`, which is made at first need.
fn public_key(file: &Path) -> anyhow::Result<String> {
    let pair = match std::fs::read_to_string(file) {
        Ok(seed) => KeyPair::from_seed(seed.trim()).with_context(|| {
            format!(
                "{} holds no nkey seed; remove it to have a new one made",
                file.display()
            )
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let pair = KeyPair::new_user();
            crate::auth::write_secret(file, &pair.seed()?)?;
            pair
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    Ok(pair.public_key())
}
