//! Whose key is whose.

use std::fs;

use anyhow::Context;
use nkeys::KeyPair;

use super::town::{Office, agreements, nats_config};
use crate::harness::{Product, bus_address, eventually, kommunlots};

#[test]
fn nats_config_tells_which_keys_to_hand_over() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let key = KeyPair::new_user();
    let dir = folder.path().join("bus");
    let agreed = agreements(folder.path(), &key.public_key())?;
    let said = nats_config(&dir, "127.0.0.1:4333", &agreed)?;
    let config = fs::read_to_string(dir.join("nats.conf"))?;
    let keys = dir.canonicalize()?.join("keys/departments");

    let line = |said: &str, label: &str| {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("# {label} ")));
        line.map(str::to_owned)
            .with_context(|| format!("{label} is not in {said}"))
    };
    assert!(line(&said, "bygg")?.contains("its own key"), "{said}");
    assert!(config.contains(&key.public_key()));
    assert!(!keys.join("bygg.nk").exists());
    let file = keys.join("gata.nk");
    let made = line(&said, "gata")?;
    assert!(
        made.contains("made") && made.contains(&file.display().to_string()),
        "{said}"
    );
    let seed = fs::read_to_string(&file)?;
    let public = KeyPair::from_seed(seed.trim())?.public_key();
    assert!(made.contains(&public) && config.contains(&public), "{said}");
    assert!(!said.contains(seed.trim()) && !config.contains(seed.trim()));
    assert!(said.contains("KOMMUNLOTS_ROUTING_AGREEMENTS="), "{said}");

    // Again: what has been handed over goes on working.
    let said = nats_config(&dir, "127.0.0.1:4333", &agreed)?;
    assert!(line(&said, "gata")?.contains("kept"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("nats.conf"))?, config);

    // The server knows who speaks by the key alone.
    let intake = KeyPair::from_seed(fs::read_to_string(dir.join("keys/intake.nk"))?.trim())?;
    let agreed = agreements(folder.path(), &intake.public_key())?;
    let error = nats_config(&dir, "127.0.0.1:4333", &agreed)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("intake") && error.contains("bygg"),
        "{error}"
    );

    // Something wrong in the folder is told with its place.
    fs::write(agreed.join("gata.toml"), "name = 5\n")?;
    let error = nats_config(&dir, "127.0.0.1:4333", &agreed)
        .unwrap_err()
        .to_string();
    assert!(error.contains("gata.toml:1"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_private_bus_has_the_departments_of_the_agreements() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let key = KeyPair::new_user();
    let agreed = agreements(folder.path(), &key.public_key())?
        .display()
        .to_string();
    let setting = [("KOMMUNLOTS_ROUTING_AGREEMENTS", agreed.as_str())];
    let output = kommunlots()
        .args(["config", "check"])
        .envs(setting)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("10 departments"), "{said}");

    let product = Product::run(&["all"], &setting)?;
    let bus = bus_address(&product.data())?;
    let bygg = Office::connect(&bus, "bygg", &key.seed()?).await?;
    let seed = fs::read_to_string(product.data().join("nats/keys/departments/gata.nk"))?;
    let gata = Office::connect(&bus, "gata", &seed).await?;
    for office in [bygg, gata] {
        eventually("routing takes closures", async || office.closed("1").await).await?;
    }
    Ok(())
}
