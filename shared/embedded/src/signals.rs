//! Signals to a server and its child processes.

use std::fs;

use anyhow::Context;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal; a process that is gone already is fine.
pub(crate) fn send(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let to = Pid::from_raw(pid.cast_signed()).context("zero is no process")?;
    match kill_process(to, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot send a signal to process {pid}")),
    }
}

/// Freezes a server with its children. The server first: it then makes no more of them.
pub(crate) fn pause(pid: u32) -> anyhow::Result<()> {
    send(pid, Signal::STOP)?;
    to_all(&children(pid), Signal::STOP)
}

/// Lets a frozen server go on.
pub(crate) fn resume(pid: u32) -> anyhow::Result<()> {
    to_all(&children(pid), Signal::CONT)?;
    send(pid, Signal::CONT)
}

/// Kills the server. Its children end by themselves when they notice, which frozen ones could not.
pub(crate) fn kill(pid: u32) -> anyhow::Result<()> {
    let children = children(pid);
    send(pid, Signal::KILL)?;
    to_all(&children, Signal::CONT)
}

fn to_all(pids: &[u32], signal: Signal) -> anyhow::Result<()> {
    pids.iter().try_for_each(|pid| send(*pid, signal))
}

/// The direct children of a process. Where the system does not tell, none: then only the server itself is frozen.
fn children(pid: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}
