//! What processes use, from /proc.

use std::{collections::BTreeMap, fs};

/// The kernel's clock ticks in a second: 100 on every Linux that userland sees.
const TICKS: f64 = 100.0;

/// Resident memory now, and at its highest, in MB of 1,000,000 bytes.
pub(crate) fn resident(pid: u32) -> Option<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    };
    Some((value("VmRSS:")?, value("VmHWM:")?))
}

struct Stat {
    parent: u32,
    /// Its own, in seconds.
    own: f64,
    /// Of children that have ended.
    ended: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold spaces.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |n: usize| Some(fields.get(n)?.parse::<f64>().ok()? / TICKS);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: seconds(11)? + seconds(12)?,
        ended: seconds(13)? + seconds(14)?,
    })
}

/// CPU seconds of a process and all its descendants, ended ones included.
pub(crate) fn cpu_of_tree(root: u32) -> f64 {
    let mut stats = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            && let Some(stat) = stat(pid)
        {
            stats.insert(pid, stat);
        }
    }
    let mut sum = 0.0;
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        if let Some(stat) = stats.get(&pid) {
            sum += stat.own + stat.ended;
        }
        waiting.extend(
            stats
                .iter()
                .filter(|(_, s)| s.parent == pid)
                .map(|(pid, _)| *pid),
        );
    }
    sum
}

/// CPU seconds of one process alone.
pub(crate) fn cpu_of(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |stat| stat.own)
}
