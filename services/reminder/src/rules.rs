//! How a forwarded case is followed up (the audit's recommendation): the plan, when its steps come, and the words for it.
//! The service, `kommunlots reminder plan` and the simulation all go by it.
//!
//! **Invariant:** nothing here reads a clock or does I/O, and a plan is worked out from what has been told of the case, from
//! the terms that it is bound to, which never change, and from when its department works by later versions.

mod clock;
mod facts;
mod happened;
mod outline;
mod plan;
mod reason;
mod simulate;
mod step;
mod terms;
mod whom;
mod words;

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod slow_version;
#[cfg(test)]
mod tests;

pub use outline::{OutlineLine, OutlineState};
pub(crate) use plan::{Plan, PlanState};
pub use simulate::{Differing, SimulatedCount, SimulatedDigest, SimulatedStep, Simulation};
pub(crate) use simulate::{Lists, simulate};
pub(crate) use step::Taking;
pub(crate) use terms::Terms;
pub(crate) use words::local;
