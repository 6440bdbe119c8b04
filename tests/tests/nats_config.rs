//! `kommunlots nats-config`: the same configuration for a server of one's own.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::harness::kommunlots;

#[test]
fn a_server_of_ones_own_gets_the_same_configuration_and_keeps_its_keys() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("bus");
    let run = || -> anyhow::Result<(String, String)> {
        let output = kommunlots()
            .arg("nats-config")
            .arg(&dir)
            .args(["--listen", "127.0.0.1:4333"])
            .output()?;
        assert!(output.status.success(), "{output:?}");
        let config = fs::read_to_string(dir.join("nats.conf"))?;
        Ok((String::from_utf8(output.stdout)?, config))
    };
    let (said, config) = run()?;
    assert!(
        said.contains("KOMMUNLOTS_NATS_URL=nats://127.0.0.1:4333"),
        "{said}"
    );
    assert!(
        said.contains("no department has an account: --agreements"),
        "{said}"
    );
    let mode = fs::metadata(dir.join("keys"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(config.contains("sync_interval: always"), "{config}");
    assert!(config.contains("127.0.0.1:4333"), "{config}");
    for service in ["intake", "metrics", "wallboard"] {
        let seed = fs::read_to_string(dir.join("keys").join(format!("{service}.nk")))?;
        let pair = nkeys::KeyPair::from_seed(&seed)?;
        assert!(config.contains(&pair.public_key()), "{service} is a user");
        assert!(
            !config.contains(seed.trim()),
            "the secret half stays in its file"
        );
    }
    // Again: the keys that services already have must go on working.
    assert_eq!(run()?.1, config);
    Ok(())
}
