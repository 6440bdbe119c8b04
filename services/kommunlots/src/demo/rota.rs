//! Who is in the queues when.

use jiff::Timestamp;
use jiff::civil::Date;

use super::hours::{self, Minute};

const fn h(hour: Minute, minute: Minute) -> Minute {
    hour * 60 + minute
}

/// The two passes of each of the 17 guides. Between and around them lie lunch, meetings with the departments,
/// checklists and the chase after forwarded cases; so the mornings are well staffed and lunch is thin.
pub(super) const PASSES: [[(Minute, Minute); 2]; 17] = [
    [(h(8, 0), h(10, 30)), (h(13, 0), h(15, 0))],
    [(h(8, 0), h(10, 30)), (h(12, 45), h(14, 30))],
    [(h(8, 0), h(10, 0)), (h(12, 0), h(14, 30))],
    [(h(8, 0), h(10, 0)), (h(11, 0), h(13, 30))],
    [(h(8, 0), h(10, 0)), (h(12, 30), h(14, 30))],
    [(h(8, 0), h(11, 0)), (h(14, 30), h(16, 30))],
    [(h(8, 0), h(10, 0)), (h(11, 30), h(13, 30))],
    [(h(8, 0), h(9, 30)), (h(11, 0), h(13, 0))],
    [(h(8, 0), h(9, 30)), (h(13, 0), h(15, 0))],
    [(h(8, 30), h(11, 0)), (h(14, 30), h(16, 30))],
    [(h(8, 30), h(12, 0)), (h(14, 0), h(16, 0))],
    [(h(9, 0), h(11, 30)), (h(13, 30), h(15, 30))],
    [(h(9, 30), h(12, 0)), (h(15, 0), h(16, 30))],
    [(h(9, 30), h(11, 30)), (h(12, 30), h(14, 30))],
    [(h(10, 0), h(12, 30)), (h(15, 0), h(16, 30))],
    [(h(10, 0), h(12, 30)), (h(14, 30), h(16, 30))],
    [(h(10, 30), h(13, 0)), (h(15, 0), h(16, 30))],
];

/// A guide's passes on a date, by the place in the rota.
pub(super) fn passes(place: usize, date: Date) -> Vec<(Timestamp, Timestamp)> {
    let pass = |(from, to)| (hours::at(date, from), hours::at(date, to));
    PASSES[place].map(pass).to_vec()
}
