//! A private NATS server.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::guard::{Guard, Stop};
use crate::process::{Program, on_thread};
use crate::run_as::RunAs;
use crate::server::Server;
use crate::{files, pid_file, port, programs};

/// How long one attempt to talk to the server may take.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// What the configuration must say about places.
#[derive(Clone, Debug)]
pub struct NatsPlace {
    /// For `listen`.
    pub listen: SocketAddr,
    /// For `jetstream { store_dir }`; absolute, created by the server.
    pub store_dir: PathBuf,
}

/// A private NATS server.
pub struct Nats {
    /// The process.
    pub server: Server,
    listen: SocketAddr,
}

impl Nats {
    /// Starts the NATS server of `dir` with the configuration that `render` gives, and waits until it answers.
    ///
    /// The program is an installed one, or is fetched into the tools cache.
    ///
    /// # Errors
    /// When the program is neither installed nor can be fetched, or does not start; the text says what to do.
    pub async fn start(
        dir: &Path,
        guard: &Guard,
        render: impl Fn(&NatsPlace) -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        let dir = files::private_folder(dir)?;
        let pid_file = pid_file::path(&dir, "nats");
        pid_file::wait_until_free(&pid_file).await?;
        let data_folder = dir.parent().unwrap_or(&dir).to_owned();
        let nats_server = on_thread(move || programs::nats_server(&data_folder)).await??;
        let listen = port::keep_or_choose(&dir)?;
        let configuration = dir.join("nats.conf");
        // It holds the passwords or keys of the accounts.
        files::write_private(
            &configuration,
            &render(&NatsPlace {
                listen,
                store_dir: dir.join("store"),
            })?,
        )?;

        let mut command = RunAs::Ourselves.prefix(Stop::Terminate.name());
        command.extend([nats_server.into(), "-c".into(), configuration.into()]);
        let guard = guard.clone();
        let program = Program {
            name: "nats",
            dir,
            command,
            stop: Stop::Terminate,
            is_ready,
            listen,
            guard,
            leftover: None,
        };
        Ok(Self {
            server: Server::start(program).await?,
            listen,
        })
    }

    /// `nats://127.0.0.1:PORT`, the same as long as `dir` is the same and nobody else takes the port.
    pub fn url(&self) -> String {
        format!("nats://{}", self.listen)
    }
}

/// A NATS server speaks first, and the port opens only when its streams are restored.
fn is_ready(program: &Program, _pid: u32) -> bool {
    let greeted = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect_timeout(&program.listen, ANSWER_WITHIN)?;
        connection.set_read_timeout(Some(ANSWER_WITHIN))?;
        let mut greeting = [0; 5];
        connection.read_exact(&mut greeting)?;
        Ok(&greeting == b"INFO ")
    };
    greeted().unwrap_or(false)
}
