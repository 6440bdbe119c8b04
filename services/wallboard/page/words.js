// What the status line says, in Swedish and in English. Pure.

import * as format from "./format.js";

const SV = { contacts: "kontakter", cases: "ärenden", forwarded: "vidareskickade", followup: "uppföljning" };
const EN = { contacts: "contacts", cases: "cases", forwarded: "forwarded cases", followup: "follow-up" };
const LIST_SV = new Intl.ListFormat("sv-SE");
const LIST_EN = new Intl.ListFormat("en-GB");

// `now` is the product's clock (ms), so that a time of another day gets its date.
export function statusWords(assessment, now) {
  const { state, late, since } = assessment;
  if (state === "waiting") return { sv: "Väntar på första uppgiften", en: "Waiting for the first data" };
  if (state === "fresh") return { sv: "Aktuell", en: "Up to date" };
  const sv = LIST_SV.format(late.map((subject) => SV[subject]));
  const en = LIST_EN.format(late.map((subject) => EN[subject]));
  if (state === "delayed") {
    return late.length ? { sv: `Fördröjd: ${sv}`, en: `Delayed: ${en}` } : { sv: "Fördröjd", en: "Delayed" };
  }
  if (since === null) {
    return late.length
      ? { sv: `Inga uppgifter om ${sv} ännu`, en: `No word of ${en} yet` }
      : { sv: "Inga aktuella uppgifter ännu", en: "No current data yet" };
  }
  const time = format.since(since, now);
  return late.length
    ? { sv: `Inga uppgifter om ${sv} sedan ${time}`, en: `No word of ${en} since ${time}` }
    : { sv: `Ingen aktuell data sedan ${time}`, en: `No current data since ${time}` };
}

// Paused is a state of its own: the figures stand still because somebody asked for it, whatever the feed does.
export function pausedWords(since, now) {
  if (since === null) return { sv: "Pausad", en: "Paused" };
  const time = format.since(since, now);
  return { sv: `Pausad: läget ${time}`, en: `Paused: figures as of ${time}` };
}
