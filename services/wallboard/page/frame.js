// What the server sends, checked at the edge. Pure. A message that is no frame proves nothing, so it becomes `null`, and
// the age of the frame before it goes on growing. A figure that is missing or of the wrong kind is `null`: unknown, never 0.

export const CHANNELS = ["phone", "email", "visit", "web_form", "e_service", "social", "letter"];

const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
const atLeastZero = (value) => (number(value) !== null && value >= 0 ? value : null);

// Milliseconds since 1970, or null.
function instant(value) {
  return typeof value === "string" ? number(Date.parse(value)) : null;
}

// The frame in a text, or null where it holds none.
export function parseFrame(text) {
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  const asOf = instant(raw?.as_of);
  const ageS = atLeastZero(raw?.age_s);
  if (asOf === null || ageS === null || typeof raw.board !== "object" || raw.board === null) return null;
  return {
    sequence: number(raw.sequence),
    asOf,
    ageS,
    clockSpeed: atLeastZero(raw.clock_speed) ?? 1,
    sources: list(raw.sources).map((s) => ({ source: String(s?.source), ageS: atLeastZero(s?.age_s) })),
    board: board(raw.board),
  };
}

const list = (value) => (Array.isArray(value) ? value : []);

function department(raw) {
  return {
    name: String(raw?.department),
    open: atLeastZero(raw?.open),
    overdue: atLeastZero(raw?.overdue),
    oldestLateSince: instant(raw?.oldest_overdue_forwarded_at),
    escalated: atLeastZero(raw?.escalated),
  };
}

function board(raw) {
  const queues = {};
  for (const channel of CHANNELS) {
    const queue = list(raw.queues).find((q) => q?.channel === channel);
    queues[channel] = { waiting: atLeastZero(queue?.waiting), longestSince: instant(queue?.longest_since) };
  }
  const rate = raw.answer_rate ?? {};
  return {
    day: /^\d{4}-\d\d-\d\d$/.test(raw.day) ? raw.day : null,
    queues,
    answerRate: {
      value: atLeastZero(rate.value),
      target: atLeastZero(rate.target),
      state: ["met", "below"].includes(rate.state) ? rate.state : "unknown",
      offered: atLeastZero(rate.offered),
      answered: atLeastZero(rate.answered),
      abandoned: atLeastZero(rate.abandoned),
      shortAbandoned: atLeastZero(rate.short_abandoned),
      definition: typeof rate.definition === "string" ? rate.definition : null,
    },
    cases: { registered: number(raw.cases?.registered), resolved: number(raw.cases?.resolved) },
    forwarded: {
      open: number(raw.forwarded?.open),
      overdue: number(raw.forwarded?.overdue),
      escalated: number(raw.forwarded?.escalated),
      departments: list(raw.forwarded?.departments).map(department),
      more: atLeastZero(raw.forwarded?.more) ?? 0,
    },
  };
}
