//! PostgreSQL and NATS: those that are configured, or private ones in the data folder.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::bail;
use domain::{Agreements, Department, DepartmentAgreement};
use embedded::{DataFolder, Guard, Nats, Postgres};
use platform::bus::{self, DepartmentAccount, Rights, ServerConfig};

use super::Roles;
use crate::config::Settings;

/// The servers that the product stands on.
pub(crate) struct Servers {
    pub(crate) database_url: String,
    pub(crate) nats_url: String,
    pub(crate) nats_keys: Option<PathBuf>,
    /// Departments that have an account on the bus.
    pub(crate) departments: BTreeSet<Department>,
    /// Taken where something in it is used.
    pub(crate) folder: Option<DataFolder>,
    postgres: Option<Postgres>,
    nats: Option<Nats>,
}

impl Servers {
    /// No servers at all.
    pub(super) fn none() -> Self {
        Self {
            database_url: String::new(),
            nats_url: String::new(),
            nats_keys: None,
            departments: BTreeSet::new(),
            folder: None,
            postgres: None,
            nats: None,
        }
    }

    /// Starts what `roles` need and the settings do not name; `departments` get accounts on the bus.
    ///
    /// # Errors
    /// When the data folder is in use, or a server can neither be found nor fetched nor started.
    pub(crate) async fn start(
        settings: &Settings,
        roles: Roles,
        departments: &[DepartmentAccount],
    ) -> anyhow::Result<Self> {
        let mut servers = Self {
            database_url: settings.database_url.clone().unwrap_or_default(),
            nats_url: settings.nats_url.clone().unwrap_or_default(),
            nats_keys: settings.nats_keys.clone(),
            departments: departments.iter().map(|d| d.department.clone()).collect(),
            ..Self::none()
        };
        let own_database = settings.database_url.is_none() && roles.need_database();
        let own_nats = settings.nats_url.is_none();
        if !own_database && !own_nats {
            return Ok(servers);
        }
        let folder = DataFolder::lock(&settings.data)?;
        let guard = Guard::this_program()?;
        let database = async {
            if !own_database {
                return anyhow::Ok(None);
            }
            let postgres = Postgres::start(&folder.path().join("postgres"), &guard).await?;
            postgres.server.supervise();
            Ok(Some(postgres))
        };
        let bus = async {
            if !own_nats {
                return anyhow::Ok(None);
            }
            let nats = start_nats(&folder, &guard, departments).await?;
            nats.server.supervise();
            Ok(Some(nats))
        };
        (servers.postgres, servers.nats) = tokio::try_join!(database, bus)?;
        if let Some(postgres) = &servers.postgres {
            servers.database_url = postgres.url();
        }
        if let Some(nats) = &servers.nats {
            servers.nats_url = nats.url();
            servers.nats_keys = Some(folder.path().join("nats/keys"));
        }
        servers.folder = Some(folder);
        Ok(servers)
    }

    /// Ends the private ones, in order.
    pub(crate) async fn stop(self) {
        if let Some(nats) = &self.nats {
            nats.server.stop().await;
        }
        if let Some(postgres) = &self.postgres {
            postgres.server.stop().await;
        }
    }
}

/// What each service may do on the bus.
pub(crate) fn rights(departments: &[DepartmentAccount]) -> [Rights; 5] {
    let departments = departments.iter().map(|d| d.department.clone()).collect();
    [
        intake::rights(),
        routing::rights(&departments),
        reminder::rights(),
        metrics::rights(),
        wallboard::rights(),
    ]
}

/// The departments of the agreements in `folder`, with the keys they bring.
///
/// # Errors
/// When the folder cannot be used; everything that is wrong in it.
pub(crate) fn accounts_in(folder: &Path) -> anyhow::Result<Vec<DepartmentAccount>> {
    match routing::agreements::read(folder) {
        Ok(checked) => Ok(accounts(&checked.agreements)),
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!(
                "something is wrong with the agreements in {}:\n{}",
                folder.display(),
                problems.join("\n")
            )
        }
    }
}

/// The departments that `agreements` name, with the keys they bring.
pub(crate) fn accounts(agreements: &Agreements) -> Vec<DepartmentAccount> {
    let account = |(department, agreed): (&Department, &DepartmentAgreement)| DepartmentAccount {
        department: department.clone(),
        public_nkey: agreed.public_nkey.clone(),
    };
    agreements.departments.iter().map(account).collect()
}

async fn start_nats(
    folder: &DataFolder,
    guard: &Guard,
    departments: &[DepartmentAccount],
) -> anyhow::Result<Nats> {
    let place = folder.path().join("nats");
    let keys = place.join("keys");
    Nats::start(&place, guard, |place| {
        let config = ServerConfig {
            listen: place.listen,
            store: &place.store_dir,
            keys: &keys,
            monitor: None,
            tls: None,
        };
        bus::render(config, &rights(departments), departments)
    })
    .await
}
