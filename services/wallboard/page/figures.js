// From a frame to the texts on the wall. Pure.

import * as format from "./format.js";
import { CHANNELS } from "./frame.js";
import { STALE_AFTER_S, assess, productTime } from "./freshness.js";

const NOBODY = "ingen"; // 'Längsta väntan: ingen', 'Äldsta försenade: ingen'
const NOT_YET = "–"; // no frame has come
const ROWS = 5; // departments on the wall; the table has all that the frame has

// Every figure as { id: { text, known, subject } }. `id` is the element's data-figure.
export function figures(frame, elapsedS, silent = new Map(), now = 0) {
  const all = {};
  const put = (subject) => (id, value, write) => {
    const text = frame === null ? NOT_YET : value === null ? format.UNKNOWN : write(value);
    all[id] = { text, known: frame !== null && value !== null, subject };
  };
  const contact = put("contacts");
  const cases = put("cases");
  const forwarded = put("forwarded");
  const board = frame?.board;
  const waits = frame && longestWaits(frame, elapsedS, silent, now);
  for (const channel of CHANNELS) {
    const id = channel.replace("_", "-");
    contact(`waiting-${id}`, board?.queues[channel].waiting ?? null, format.count);
    contact(`longest-${id}`, waits?.[channel] ?? null, (wait) => (wait === NOBODY ? NOBODY : format.wait(wait)));
  }
  const rate = board?.answerRate;
  contact("answer-rate", rate?.value ?? null, (value) => format.percent(value, rate.target ?? 1));
  contact("answer-counts", counted(rate), ([part, whole]) => `${format.count(part)} av ${format.count(whole)} besvarade`);
  contact("answer-target", rate?.target ?? null, format.target);
  contact("answer-offered", rate?.offered ?? null, format.count);
  contact("answer-answered", rate?.answered ?? null, format.count);
  contact("answer-abandoned", rate?.abandoned ?? null, format.count);
  contact("answer-short-abandoned", rate?.shortAbandoned ?? null, format.count);
  contact("answer-definition", rate?.definition ?? null, String);
  cases("cases-registered", board?.cases.registered ?? null, format.count);
  cases("cases-resolved", board?.cases.resolved ?? null, format.count);
  forwarded("forwarded-open", board?.forwarded.open ?? null, format.count);
  forwarded("forwarded-overdue", board?.forwarded.overdue ?? null, format.count);
  put("followup")("forwarded-escalated", board?.forwarded.escalated ?? null, format.count);
  return all;
}

// What the rate divides: answered, and offered without the short abandons. Null where one of them is not known.
function counted(rate) {
  const { answered = null, offered = null, shortAbandoned = null } = rate ?? {};
  return [answered, offered, shortAbandoned].includes(null) ? null : [answered, offered - shortAbandoned];
}

// Until when (product time, ms) something of a subject is known to have lasted. It goes with the product's clock, and
// stands still from the moment the subject is stale.
function lastedUntil(subject, frame, elapsedS, silent, now) {
  const { ageS } = assess(frame, elapsedS, silent, now).subjects[subject];
  return productTime(frame, elapsedS - Math.max(0, ageS - STALE_AFTER_S));
}

// Each channel's longest wait in product seconds, NOBODY or null.
function longestWaits(frame, elapsedS, silent, now) {
  const until = lastedUntil("contacts", frame, elapsedS, silent, now);
  const waits = {};
  for (const channel of CHANNELS) {
    const { waiting, longestSince } = frame.board.queues[channel];
    if (waiting === 0) waits[channel] = NOBODY;
    else waits[channel] = waiting === null || longestSince === null ? null : (until - longestSince) / 1000;
  }
  return waits;
}

// The answer rate's state in words with its target: never colour alone.
export function targetWords(frame) {
  const rate = frame?.board.answerRate;
  if (!rate || rate.target === null) return { state: "unknown", sv: "Mål: ingen uppgift", en: "Target unknown" };
  const goal = format.target(rate.target);
  const state = rate.value === null ? "unknown" : rate.state;
  const words = {
    met: { sv: `Når målet ${goal}`, en: "Target met" },
    below: { sv: `Under målet ${goal}`, en: "Below target" },
    unknown: { sv: `Målet är ${goal}`, en: "Target" },
  };
  return { state, ...words[state] };
}

// The departments with forwarded cases, in the frame's order, as texts. `more` is how many further ones each of the two
// lists leaves out: the wall's, which is short, and the table's.
export function departments(frame, elapsedS, silent = new Map(), now = 0) {
  const { departments = [], more = 0 } = frame?.board.forwarded ?? {};
  const until = departments.length && lastedUntil("forwarded", frame, elapsedS, silent, now);
  const cell = (value, subject = "forwarded", write = format.count) =>
    ({ text: value === null ? format.UNKNOWN : write(value), known: value !== null, subject });
  const age = (since) => (since === NOBODY ? NOBODY : format.age((until - since) / 1000));
  const rows = departments.map(({ name, open, overdue, oldestLateSince, escalated }) => ({
    name,
    late: overdue > 0,
    cells: [
      cell(open),
      cell(overdue),
      cell(overdue === 0 ? NOBODY : oldestLateSince, "forwarded", age),
      cell(escalated, "followup"),
    ],
  }));
  return {
    wall: { rows: rows.slice(0, ROWS), more: more + Math.max(0, rows.length - ROWS) },
    table: { rows, more },
  };
}

// Whether anything forwarded is overdue, in words: never colour alone.
export function lateWords(frame) {
  const overdue = frame?.board.forwarded.overdue ?? null;
  if (overdue === null) return { state: "unknown", sv: "", en: "" };
  return overdue > 0
    ? { state: "below", sv: "Försenat", en: "Overdue" }
    : { state: "met", sv: "Inget försenat", en: "None overdue" };
}
