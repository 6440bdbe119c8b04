//! A day's plan: what kind of day it is, who is away, and who comes with what and when. Pure, and the same for the same
//! seed and date.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::arrival::{Arrival, seconds};
use super::event::Channel;
use super::hours::{self, CLOSING, EVENING, Minute, OPENING};
use super::matter::Matter;
use super::random::arrivals;
use super::rota::PASSES;

const SLOT: Minute = 30;
const SLOT_SECONDS: f64 = 30.0 * 60.0;
/// Calls expected in each half hour from 07:30, an ordinary day: a peak in the morning and one over lunch. The first
/// and the last two find the centre closed.
const CALLS: [f64; 20] = [
    2.0, 28.0, 36.0, 36.0, 32.0, 25.0, 22.0, 21.0, 27.0, 29.0, 26.0, 21.0, 19.0, 18.0, 17.0, 16.0,
    13.0, 11.0, 2.0, 1.0,
];
/// Visits expected in each half hour from 08:00.
const VISITS: [f64; 17] = [
    3.0, 3.5, 4.0, 4.0, 4.0, 4.0, 3.5, 4.5, 5.0, 4.5, 3.5, 3.5, 3.0, 3.0, 3.0, 2.5, 1.5,
];
/// A burst water main: 170 more calls in two and a half hours, from when people notice.
const LEAK_CALLS: [f64; 5] = [50.0, 45.0, 35.0, 25.0, 15.0];

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    /// Many guides are ill.
    SickGuides,
    /// A water main bursts, and everybody calls.
    WaterLeak,
}

/// A working day, before it happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) date: Date,
    pub(super) kind: Kind,
    /// The guides who are away, by their place in the rota.
    pub(super) away: Vec<usize>,
    /// In order of their instants; those written since the evening before come first.
    pub(super) arrivals: Vec<Arrival>,
}

impl Plan {
    pub(super) fn of(seed: u64, date: Date) -> Self {
        let day = hours::at(date, 0).as_second() as u64;
        // The multiplier spreads neighbouring seeds, so that seed 1 is not seed 2 a day later.
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ day);
        let kind = match rng.random::<f64>() {
            lot if lot < 0.10 => Kind::SickGuides,
            lot if lot < 0.20 => Kind::WaterLeak,
            _ => Kind::Normal,
        };
        let away = match kind {
            Kind::SickGuides => 6,
            Kind::Normal | Kind::WaterLeak => rng.random_range(1..=2),
        };
        let mut plan = Plan {
            date,
            kind,
            away: rand::seq::index::sample(&mut rng, PASSES.len(), away).into_vec(),
            arrivals: Vec::new(),
        };
        plan.live(&mut rng);
        plan.written(&mut rng);
        plan.arrivals.sort_by_key(|arrival| arrival.at);
        plan
    }

    /// The calls that will come, those on a closed line and repeat contacts not counted.
    pub(super) fn calls(&self) -> usize {
        let open = hours::at(self.date, OPENING)..hours::at(self.date, CLOSING);
        self.arrivals
            .iter()
            .filter(|arrival| arrival.channel == Channel::Phone && open.contains(&arrival.at))
            .count()
    }

    fn live(&mut self, rng: &mut StdRng) {
        let weekday = match self.date.weekday() {
            Weekday::Monday => 1.02,
            Weekday::Friday => 0.92,
            _ => 1.0,
        };
        let busy = weekday * rng.random_range(0.96..1.04);
        let calls = (OPENING - SLOT, CALLS.as_slice());
        self.slots(rng, calls, busy, |rng, at| {
            Arrival::call(rng, at, Matter::draw)
        });
        let visits = (OPENING, VISITS.as_slice());
        self.slots(rng, visits, busy, Arrival::visit);
        if self.kind == Kind::WaterLeak {
            let noticed = OPENING + SLOT * rng.random_range(2..=7);
            let leak = (noticed, LEAK_CALLS.as_slice());
            self.slots(rng, leak, 1.0, |rng, at| {
                Arrival::call(rng, at, Matter::leak)
            });
        }
    }

    fn slots(
        &mut self,
        rng: &mut StdRng,
        (from, profile): (Minute, &[f64]),
        busy: f64,
        draw: impl Fn(&mut StdRng, Timestamp) -> Arrival,
    ) {
        let mut start = hours::at(self.date, from);
        for expected in profile {
            for offset in arrivals(rng, expected * busy, SLOT_SECONDS) {
                let arrival = draw(rng, start + seconds(offset));
                self.arrivals.push(arrival);
            }
            start += SignedDuration::from_mins(SLOT);
        }
    }

    /// What is written, from the evening before (Friday's, on a Monday) to this evening.
    fn written(&mut self, rng: &mut StdRng) {
        // The share of a day's e-mail in each half hour sums to 1 over an ordinary day.
        let daily = [
            (Channel::Email, 90.0),
            (Channel::WebForm, 40.0),
            (Channel::Social, 25.0),
        ];
        let mut slot = hours::at(hours::weekday_before(self.date), EVENING);
        while slot < hours::at(self.date, EVENING) {
            let local = hours::local(slot);
            let weekend = if hours::is_weekday(local.date()) {
                1.0
            } else {
                0.2
            };
            let share = weekend * written_share(hours::minute_of(local));
            for (channel, count) in daily {
                for offset in arrivals(rng, count * share, SLOT_SECONDS) {
                    let arrival = Arrival::written(rng, slot + seconds(offset), channel);
                    self.arrivals.push(arrival);
                }
            }
            slot += SignedDuration::from_mins(SLOT);
        }
    }
}

/// The share of an ordinary day's written contacts in the half hour from this minute.
fn written_share(minute: Minute) -> f64 {
    let weight = match minute / 60 {
        0..6 => 0.25,
        6..8 => 0.8,
        8..16 => 3.2,
        16..22 => 2.1,
        _ => 0.75,
    };
    weight / 85.6
}
