//! `kommunlots config check`: the settings as they come out of file, environment and command line.

use crate::{config::Settings, output::say};

/// Prints them, without passwords. That they could be read at all, and the agreements they name, is the check.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    let departments = settings.accounts()?.len();
    let mut shown = settings.clone();
    let urls = [
        &mut shown.database_url,
        &mut shown.nats_url,
        &mut shown.mail,
    ];
    for url in urls.into_iter().flatten() {
        *url = without_password(url);
    }
    say!("# the configuration is right; these settings are in force")?;
    say!("{}", toml::to_string(&shown)?.trim_end())?;
    if settings.database_url.is_none() {
        say!(
            "# database_url is not set: a private PostgreSQL is kept in {}",
            settings.data.display()
        )?;
    }
    if settings.nats_url.is_none() {
        say!(
            "# nats_url is not set: a private NATS is kept in {}",
            settings.data.display()
        )?;
    }
    match &settings.routing.agreements {
        None => say!("# routing.agreements is not set: no department has an account on the bus"),
        Some(folder) => say!(
            "# routing.agreements: the {departments} departments in {} have accounts on the bus",
            folder.display()
        ),
    }
}

fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        // A password may hold anything but an unescaped `@`; a user's name holds no `:`.
        let (login, host) = rest.rsplit_once('@')?;
        // Without a password the whole login of a bus is a token.
        Some(match login.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
            None if scheme == "nats" => format!("{scheme}://***@{host}"),
            None => url.to_owned(),
        })
    };
    hidden().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_are_not_shown() {
        let hide = super::without_password;
        assert_eq!(
            hide("postgres://me:pa:ss@db:5432/x"),
            "postgres://me:***@db:5432/x"
        );
        assert_eq!(hide("nats://bus:4222"), "nats://bus:4222");
        assert_eq!(
            hide("smtps://lots:p@ss@mail:465"),
            "smtps://lots:***@mail:465"
        );
        assert_eq!(hide("./mail"), "./mail");
        assert_eq!(hide("postgres://me@db/x"), "postgres://me@db/x");
    }
}
