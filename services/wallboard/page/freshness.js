// The rules of freshness. Pure: the caller says how much real time has passed. All ages are real seconds.
//
// An open socket proves nothing. What counts is how long ago metrics made the board, and how long ago metrics last heard
// the sources that the figures come from. Each subject is as old as the oldest of those, and the board
// as a whole is as old as its oldest subject.

export const DELAYED_AFTER_S = 10; // two heartbeats missed
export const STALE_AFTER_S = 25; // within the 20-30 s after which a figure must no longer be taken for the truth

// What the figures are about. `unknown` is a source that this page knows no figures of: then any figure may be its.
export const SUBJECTS = ["contacts", "cases", "forwarded", "followup"];

// A source is `service/STREAM`. Of cases intake tells what comes in, routing what becomes of it elsewhere, and reminder how
// that is followed up.
export function subjectOf(source) {
  const [service, stream] = source.split("/");
  if (stream === "CONTACTS") return "contacts";
  if (stream !== "CASES") return "unknown";
  if (service.startsWith("routing")) return "forwarded";
  return service.startsWith("reminder") ? "followup" : "cases";
}

// The worse of two subjects' states: what is escalated is some of what is open, and no newer than either.
export function worse(a, b) {
  return ["waiting", "stale", "delayed"].find((state) => [a, b].includes(state)) ?? "fresh";
}

export function stateOfAge(ageS) {
  if (ageS >= STALE_AFTER_S) return "stale";
  return ageS >= DELAYED_AFTER_S ? "delayed" : "fresh";
}

// Since when (`now`, ms) this page has seen each source without an age. Metrics that has just started has heard nobody
// yet and may show figures it remembers: the source is then at least as old as this page has waited for it.
export function silences(before, frame, now) {
  const silent = frame.sources.filter((s) => s.ageS === null).map((s) => s.source);
  return new Map(silent.map((source) => [source, before.get(source) ?? now]));
}

// Which subjects have a figure on the board. A source matters where a figure comes from it.
function shown({ queues, answerRate, cases, forwarded }) {
  const some = (...values) => values.some((value) => value !== null);
  return {
    contacts: some(answerRate.value, ...Object.values(queues).map((queue) => queue.waiting)),
    cases: some(cases.registered, cases.resolved),
    forwarded: some(forwarded.open, forwarded.overdue),
    followup: some(forwarded.escalated),
  };
}

// How the figures of `frame` stand `elapsedS` after it arrived at the moment `now` (ms, for `silent` only).
//   state      "waiting" | "fresh" | "delayed" | "stale", the worst of all
//   ageS       age of the oldest thing that matters; null while waiting
//   boardAgeS  age of the board itself; likewise
//   subjects   { contacts: { ageS, state }, cases: ... }
//   late       the subjects that are late though the board is not; empty where the whole board is
//   since      product time (ms) of the last fresh figures; null where it is not known
export function assess(frame, elapsedS, silent = new Map(), now = 0) {
  if (frame === null) {
    const subject = { ageS: null, state: "waiting" };
    const subjects = Object.fromEntries(SUBJECTS.map((name) => [name, subject]));
    return { state: "waiting", ageS: null, boardAgeS: null, subjects, late: [], since: null };
  }
  const boardAge = frame.ageS + elapsedS;
  const has = shown(frame.board);
  const subjects = {};
  for (const subject of SUBJECTS) {
    let oldest = { ageS: boardAge, known: true };
    for (const source of has[subject] ? frame.sources : []) {
      if (![subject, "unknown"].includes(subjectOf(source.source))) continue;
      const candidate = sourceAge(source, elapsedS, silent, now);
      if (candidate.ageS > oldest.ageS) oldest = candidate;
    }
    subjects[subject] = { ...oldest, state: stateOfAge(oldest.ageS) };
  }
  const ageS = Math.max(...SUBJECTS.map((subject) => subjects[subject].ageS));
  const state = stateOfAge(ageS);
  const worst = SUBJECTS.filter((subject) => subjects[subject].state === state);
  // Where every subject that has figures is equally late there is nothing to tell apart: the whole board is late.
  const partial = SUBJECTS.some((subject) => has[subject] && !worst.includes(subject));
  const oldest = SUBJECTS.map((subject) => subjects[subject]).find((subject) => subject.ageS === ageS);
  return {
    state,
    ageS,
    boardAgeS: boardAge,
    subjects,
    late: state !== "fresh" && partial ? worst : [],
    since: oldest.known ? productTime(frame, elapsedS) - ageS * 1000 * frame.clockSpeed : null,
  };
}

function sourceAge(source, elapsedS, silent, now) {
  if (source.ageS !== null) return { ageS: source.ageS + elapsedS, known: true };
  return { ageS: (now - (silent.get(source.source) ?? now)) / 1000, known: false };
}

// The product's clock now, as far as the frame tells, in whole ms: a wait that stands still must not flicker between two
// seconds for a rounding error.
export function productTime(frame, elapsedS) {
  return Math.round(frame.asOf + (frame.ageS + elapsedS) * 1000 * frame.clockSpeed);
}
