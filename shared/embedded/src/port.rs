//! The loopback port of a private server, chosen once and kept.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::bail;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::files;

/// Below the ports that systems hand out to outgoing connections. With one of those, a client that keeps trying while
/// the server is down could by chance connect to itself and then hold the port.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

const TRIES: u32 = 100;

/// The port in `<dir>/port` if nobody holds it, else another, written there.
///
/// A client that is told the address once can rely on it: the port changes only when somebody else has taken it.
pub(crate) fn keep_or_choose(dir: &Path) -> anyhow::Result<SocketAddr> {
    let file = dir.join("port");
    let kept = files::read_trimmed(&file)?.and_then(|text| text.parse().ok());
    if let Some(port) = kept {
        if is_free(port) {
            return Ok(loopback(port));
        }
        tracing::warn!(port, folder = %dir.display(), "somebody else holds this server's port, choosing another");
    }
    let mut random = StdRng::from_os_rng();
    for _ in 0..TRIES {
        let port = random.random_range(PORTS);
        if is_free(port) {
            files::write_private(&file, &format!("{port}\n"))?;
            return Ok(loopback(port));
        }
    }
    bail!(
        "found no free port on 127.0.0.1 between {} and {} in {TRIES} tries",
        PORTS.start,
        PORTS.end
    )
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(loopback(port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_port_until_somebody_takes_it() {
        let dir = std::env::temp_dir().join(format!("embedded-port-{}", std::process::id()));
        files::private_folder(&dir).unwrap();
        let first = keep_or_choose(&dir).unwrap();
        assert_eq!(keep_or_choose(&dir).unwrap(), first);
        let taken = TcpListener::bind(first).unwrap();
        assert_ne!(keep_or_choose(&dir).unwrap(), first);
        drop(taken);
        files::remove_folder(&dir).unwrap();
    }
}
