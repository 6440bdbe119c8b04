//! Version numbers as the programs print them.

/// The first major and minor number in what `--version` printed, as in `postgres (PostgreSQL) 15.18 (Debian ...)`,
/// `postgres (PostgreSQL) 18beta1` and `nats-server: v2.15.1`.
pub(crate) fn parse(printed: &str) -> Option<(u32, u32)> {
    let (major, rest) = number(&printed[printed.find(|c: char| c.is_ascii_digit())?..])?;
    let minor = rest
        .strip_prefix('.')
        .and_then(number)
        .map_or(0, |(minor, _)| minor);
    Some((major, minor))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_the_programs_print() {
        assert_eq!(
            parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some((15, 18))
        );
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some((18, 0)));
        assert_eq!(parse("nats-server: v2.9.10"), Some((2, 9)));
        assert_eq!(parse("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse("no number here"), None);
    }
}
