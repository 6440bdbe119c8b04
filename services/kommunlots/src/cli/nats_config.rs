//! `kommunlots nats-config`'s part of the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Places are as the server sees them, which in a container is not as this command does.
#[derive(Debug, Args)]
pub(crate) struct NatsConfig {
    /// Folder for nats.conf, the keys and the streams
    pub(crate) dir: PathBuf,
    /// Address that the server listens on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4222")]
    pub(crate) listen: SocketAddr,
    /// Folder with the agreements [env: KOMMUNLOTS_ROUTING_AGREEMENTS]
    #[arg(long, value_name = "DIR")]
    pub(crate) agreements: Option<PathBuf>,
    /// Where the server keeps its streams [default: DIR/store]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Address of the server's own /healthz; it tells whoever asks who is connected, so keep it on 127.0.0.1
    #[arg(long, value_name = "ADDR")]
    pub(crate) monitor: Option<SocketAddr>,
    /// The server's certificate (PEM); it then speaks TLS alone, and KOMMUNLOTS_NATS_URL begins with tls://
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}
