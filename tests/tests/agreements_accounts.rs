//! Agreements that are applied while the bus knows others.

use anyhow::Context;
use nkeys::KeyPair;

use crate::{
    agreements::{change, text},
    agreements_applied::today,
    closures::City,
};

/// The bus learns accounts and keys when the product starts, so whoever applies agreements hears whose wait for that.
#[tokio::test]
async fn departments_whose_systems_wait_for_a_restart_are_named() -> anyhow::Result<()> {
    let city = City::start()?;
    let folder = city.agreements();
    let apply = || {
        let day = today().to_string();
        let arguments = [
            "--valid-from",
            &day,
            "--approved-by",
            "Kommunstyrelsen § 13",
        ];
        let arguments = [&["agreements", "apply", text(&folder)?], &arguments[..]].concat();
        city.product.command(&arguments)
    };
    // Another limit changes nothing on the bus.
    change(
        &folder,
        "bygg.toml",
        "email = \"karta@",
        "email = \"kartor@",
    )?;
    let said = apply()?;
    assert!(!said.contains("startas om"), "{said}");

    let new = std::fs::read_to_string(folder.join("kultur.toml"))?;
    let new = new.split("[case_types").next().context("a department")?;
    std::fs::write(folder.join("fritid.toml"), new)?;
    let key = KeyPair::new_user().public_key();
    let gata = std::fs::read_to_string(folder.join("gata.toml"))?;
    std::fs::write(
        folder.join("gata.toml"),
        format!("public_nkey = \"{key}\"\n{gata}"),
    )?;
    let said = apply()?;
    for (line, department) in [("no account", "fritid"), ("the old key", "gata")] {
        let found = said.lines().find(|l| l.contains(line));
        let found = found.with_context(|| said.clone())?;
        assert!(found.ends_with(&format!("): {department}")), "{found}");
    }
    assert!(said.contains("routing.agreements"), "{said}");

    // After it they are there.
    let mut product = city.product;
    product.stop()?;
    product.start_again()?;
    assert!(
        product
            .data()
            .join("nats/keys/departments/fritid.nk")
            .exists()
    );
    let bus = std::fs::read_to_string(product.data().join("nats/nats.conf"))?;
    assert!(bus.contains(&key), "{bus}");
    Ok(())
}
