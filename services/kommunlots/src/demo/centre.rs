//! The centre as a state machine: queues, guides, and an agenda of what happens next. Fed with time, it yields what the
//! product must hear. It draws nothing: all chance is in the plan, so the same plan gives the same day.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::arrival::Arrival;
use super::contact::{Contact, Guide, State};
use super::event::{Action, CaseWork, Channel, Event, Reason};
use super::hours::{self, CLOSING, OPENING};
use super::plan::Plan;
use super::rota::{self, PASSES};

/// After a contact, before the guide takes the next one.
const WRAP_UP: SignedDuration = SignedDuration::from_secs(30);
/// So many can wait on the phone.
const PHONE_PLACES: usize = 25;

/// So many free guides do not begin on what is written: the phone comes first.
const KEPT_FREE: usize = 1;

type Id = u64;

/// The centre, over as many days as it is opened for: what was not dealt with waits for the next day.
#[derive(Debug)]
pub(super) struct Centre {
    /// Makes the references of one run its own.
    prefix: String,
    next_id: Id,
    next_step: u64,
    /// In order of time, and then of when it was put there.
    agenda: BTreeMap<(Timestamp, u64), Step>,
    /// Those that have not ended. Ordered, since the same seed must give the same events in the same order.
    pub(super) contacts: BTreeMap<Id, Contact>,
    /// Waiting on the line and at the desk: served before the written.
    live: VecDeque<Id>,
    written: VecDeque<Id>,
    pub(super) guides: Vec<Guide>,
    open: bool,
}

#[derive(Debug)]
enum Step {
    Open,
    Close,
    /// A guide's pass begins; its end needs no step, since it only keeps the guide from the next contact.
    Rota,
    Arrive {
        arrival: Box<Arrival>,
        again: Option<String>,
    },
    LeaveQueue(Id),
    PickUp(Id),
    Done(Id),
    Free(usize),
}

impl Centre {
    pub(super) fn new(prefix: String) -> Self {
        Centre {
            prefix,
            next_id: 1,
            next_step: 0,
            agenda: BTreeMap::new(),
            contacts: BTreeMap::new(),
            live: VecDeque::new(),
            written: VecDeque::new(),
            guides: PASSES.iter().map(|_| Guide::default()).collect(),
            open: false,
        }
    }

    /// Takes in a day's plan; arrivals before `since` did not happen.
    pub(super) fn begin(&mut self, plan: Plan, since: Option<Timestamp>) {
        let date = plan.date;
        for (place, guide) in self.guides.iter_mut().enumerate() {
            guide.passes = match plan.away.contains(&place) {
                true => Vec::new(),
                false => rota::passes(place, date),
            };
        }
        self.schedule(hours::at(date, OPENING), Step::Open);
        self.schedule(hours::at(date, CLOSING), Step::Close);
        for guide in 0..self.guides.len() {
            for (start, _) in self.guides[guide].passes.clone() {
                self.schedule(start, Step::Rota);
            }
        }
        for arrival in plan.arrivals {
            if since.is_none_or(|since| arrival.at >= since) {
                let arrival = Box::new(arrival);
                self.schedule(
                    arrival.at,
                    Step::Arrive {
                        arrival,
                        again: None,
                    },
                );
            }
        }
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Is a guide with a citizen still?
    pub(super) fn is_busy(&self) -> bool {
        self.guides.iter().any(|guide| guide.busy)
    }

    /// Lets happen what happens up to and including `now`; its actions, in order of their instants.
    pub(super) fn advance(&mut self, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let step = entry.remove();
            self.step(at, step, &mut actions);
            self.assign(at);
        }
        actions
    }

    fn schedule(&mut self, at: Timestamp, step: Step) {
        self.agenda.insert((at, self.next_step), step);
        self.next_step += 1;
    }

    fn step(&mut self, at: Timestamp, step: Step, actions: &mut Vec<Action>) {
        match step {
            Step::Open => self.open = true,
            Step::Close => self.close(at, actions),
            Step::Rota => {}
            Step::Arrive { arrival, again } => self.arrive(at, arrival, again, actions),
            Step::LeaveQueue(id) => self.leave_queue(id, at, actions),
            Step::PickUp(id) => self.pick_up(id, at, actions),
            Step::Done(id) => self.done(id, at, actions),
            Step::Free(guide) => self.free(guide, at),
        }
    }

    fn arrive(
        &mut self,
        at: Timestamp,
        arrival: Box<Arrival>,
        again: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        let id = self.next_id;
        self.next_id += 1;
        let channel = arrival.channel;
        let patience = arrival.patience;
        let contact = Contact {
            reference: format!("{}-{id}", self.prefix),
            arrival,
            again,
            state: State::Waiting,
        };
        if channel.is_live() && !self.open {
            return actions.push(contact.tells(Event::TurnedAway(Reason::Closed), at));
        }
        if channel == Channel::Phone && self.phones_waiting() >= PHONE_PLACES {
            return actions.push(contact.tells(Event::TurnedAway(Reason::QueueFull), at));
        }
        actions.push(contact.tells(Event::Queued, at));
        self.contacts.insert(id, contact);
        if channel.is_live() {
            self.live.push_back(id);
        } else {
            self.written.push_back(id);
        }
        if let Some(patience) = patience {
            self.schedule(at + patience.lasts, Step::LeaveQueue(id));
        }
    }

    fn phones_waiting(&self) -> usize {
        let is_phone = |id: &&Id| self.contacts[*id].arrival.channel == Channel::Phone;
        self.live.iter().filter(is_phone).count()
    }

    /// Gives the free guides on a pass something to do, the longest free first.
    fn assign(&mut self, at: Timestamp) {
        while self.open && !(self.live.is_empty() && self.written.is_empty()) {
            let mut free: Vec<usize> = (0..self.guides.len()).collect();
            free.retain(|guide| self.guides[*guide].is_free(at));
            let longest = free
                .iter()
                .min_by_key(|guide| self.guides[**guide].free_since);
            let Some(guide) = longest.copied() else {
                return;
            };
            let next = match self.live.pop_front() {
                None if free.len() > KEPT_FREE => self.written.pop_front(),
                live => live,
            };
            let Some(id) = next else { return };
            self.guides[guide].busy = true;
            let contact = self
                .contacts
                .get_mut(&id)
                .expect("a queued contact is known");
            contact.state = State::Ringing(guide);
            let pickup = contact.arrival.pickup;
            self.schedule(at + pickup, Step::PickUp(id));
        }
    }

    fn pick_up(&mut self, id: Id, at: Timestamp, actions: &mut Vec<Action>) {
        // Gone, if the caller hung up while it rang.
        let Some(contact) = self.contacts.get_mut(&id) else {
            return;
        };
        let State::Ringing(guide) = contact.state else {
            return;
        };
        contact.state = State::Serving(guide);
        actions.push(contact.tells(Event::Answered, at));
        let work = contact.arrival.work;
        self.schedule(at + work, Step::Done(id));
    }

    fn leave_queue(&mut self, id: Id, at: Timestamp, actions: &mut Vec<Action>) {
        let Some(contact) = self
            .contacts
            .get(&id)
            .filter(|contact| !contact.is_served())
        else {
            return;
        };
        let reason = contact
            .arrival
            .patience
            .and_then(|patience| patience.reason);
        let event = reason.map_or(Event::Abandoned, Event::TurnedAway);
        actions.push(contact.tells(event, at));
        self.forget(id, at);
    }

    /// Takes a contact that nobody answered out of the centre.
    fn forget(&mut self, id: Id, at: Timestamp) {
        self.live.retain(|waiting| *waiting != id);
        if let Some(Contact {
            state: State::Ringing(guide),
            ..
        }) = self.contacts.remove(&id)
        {
            self.free(guide, at);
        }
    }

    fn done(&mut self, id: Id, at: Timestamp, actions: &mut Vec<Action>) {
        let Some(contact) = self.contacts.remove(&id) else {
            return;
        };
        actions.push(contact.tells(Event::Ended, at));
        let State::Serving(guide) = contact.state else {
            return;
        };
        self.schedule(at + WRAP_UP, Step::Free(guide));
        let (work, comes_back) = contact.finish(guide);
        let Some(work) = work else { return };
        let again = match &work {
            CaseWork::Register(registration) => Some(registration.reference.clone()),
            CaseWork::Repeat { .. } => None,
        };
        actions.push(Action::Case(work));
        if let Some(mut arrival) = comes_back {
            // What was written may have waited longer than planned: nobody comes back before the answer.
            arrival.at = arrival.at.max(at + SignedDuration::from_mins(30));
            self.schedule(arrival.at, Step::Arrive { arrival, again });
        }
    }

    fn free(&mut self, guide: usize, at: Timestamp) {
        self.guides[guide].busy = false;
        self.guides[guide].free_since = at;
    }

    /// Those on the line and at the desk are sent home; talks that are going are finished; the written wait.
    fn close(&mut self, at: Timestamp, actions: &mut Vec<Action>) {
        self.open = false;
        let mut sent_home = Vec::new();
        for (id, contact) in &self.contacts {
            if contact.arrival.channel.is_live() && !contact.is_served() {
                actions.push(contact.tells(Event::TurnedAway(Reason::Closed), at));
                sent_home.push(*id);
            }
        }
        for id in sent_home {
            self.forget(id, at);
        }
    }
}
