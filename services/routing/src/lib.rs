//! Routing: hands cases to the department groups that the agreements name, and follows them until they are closed.
//!
//! - owns: departments, groups, agreements, checklists; cases from forwarding to closing
//! - consumes: `case.*.*`, `in.closure.*`
//! - publishes: `case.<department>.forwarded`, `.closed`, `.bounced`, `.paused`; `out.<department>.*`

pub mod agreements;
