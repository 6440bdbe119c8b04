//! What the settings come to for each part of the product.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use domain::Department;
use platform::{
    bus::DepartmentAccount,
    mail::{Address, Transport},
    telemetry::Telemetry,
};

use super::{LogFormat, Settings};
use crate::product::accounts_in;

impl Settings {
    /// How to log and trace. A command that is not a service logs only what goes wrong.
    pub(crate) fn telemetry(&self, quiet: bool) -> Telemetry<'_> {
        Telemetry {
            log: if quiet && self.log == "info" {
                "error"
            } else {
                &self.log
            },
            json: self.log_format == LogFormat::Json,
            otlp_endpoint: self.otlp_endpoint.as_deref(),
            sample: self.otlp_sample,
        }
    }

    /// The departments of the configured agreements, as accounts on the bus; none without.
    pub(crate) fn accounts(&self) -> anyhow::Result<Vec<DepartmentAccount>> {
        match &self.routing.agreements {
            Some(folder) => accounts_in(folder).context("in routing.agreements"),
            None => Ok(Vec::new()),
        }
    }

    /// How every service that sends mail sends it, and whom it is from.
    pub(super) fn mail(&self) -> anyhow::Result<(Transport, Address)> {
        let transport = match &self.mail {
            Some(mail) => mail.parse().context("in mail")?,
            None => Transport::Folder(self.data.join("mail")),
        };
        let from = self.mail_from.parse().context("in mail_from")?;
        Ok((transport, from))
    }

    /// Routing's part, for `departments` on the bus and a product at `base`.
    pub(crate) fn routing(
        &self,
        departments: BTreeSet<Department>,
        base: &str,
    ) -> anyhow::Result<routing::Config> {
        let public_url = self.routing.public_url.as_deref().unwrap_or(base);
        let (mail, mail_from) = self.mail()?;
        Ok(routing::Config {
            departments,
            public_url: public_url.trim_end_matches('/').to_owned(),
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }

    /// Reminder's part.
    pub(crate) fn reminder(&self) -> anyhow::Result<reminder::Config> {
        let (mail, mail_from) = self.mail()?;
        Ok(reminder::Config {
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }

    /// Intake's part.
    pub(crate) fn intake(&self) -> anyhow::Result<intake::Config> {
        let log = &self.intake.queue_log;
        let (mail, mail_from) = self.mail()?;
        Ok(intake::Config {
            instance: self.intake.instance.clone(),
            queue_departments: self.intake.queue_departments.clone(),
            queue_log: log.path.clone().map(|path| intake::QueueLog {
                path,
                system: log.system.clone(),
            }),
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }
}
