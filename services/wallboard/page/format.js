// How figures and times are written in Swedish. The only place that does so. Pure: no DOM, no clock of its own.

export const NBSP = "\u00a0";
export const MINUS = "\u2212";
export const UNKNOWN = "ingen uppgift";

// Groups of three digits, also for four: `1 234`.
export function count(n) {
  if (n === null) return UNKNOWN;
  const digits = String(Math.abs(Math.trunc(n))).replace(/\B(?=(\d{3})+$)/g, NBSP);
  return n < 0 ? MINUS + digits : digits;
}

// A rate from 0 to 1 with one decimal. Rounding must not lift it over a line that it is under: 94,96 % of a target of
// 95 % is `94,9 %`, not `95,0 %` with 'under målet' beside it; and only all of them is `100,0 %`.
export function percent(rate, target = 1) {
  if (rate === null) return UNKNOWN;
  const exact = Number((rate * 1000).toFixed(6)); // tenths of a percent, without binary dust such as 941.9999999
  const rounded = Math.round(exact);
  const lifted = [target, 1].some((line) => rate < line && rounded >= line * 1000);
  return tenths(lifted ? Math.ceil(exact) - 1 : rounded, true);
}

// A target is written as it was decided: `95 %`, `97,5 %`.
export function target(rate) {
  const value = Math.round(rate * 1000);
  return tenths(value, value % 10 !== 0);
}

function tenths(value, decimal) {
  const whole = Math.trunc(value / 10);
  return count(whole) + (decimal ? `,${Math.abs(value % 10)}` : "") + NBSP + "%";
}

// A wait: `m:ss`, from an hour `h:mm:ss`, from a day `2 d 3 h`. Clocks differ a little, so a wait from the future is 0.
export function wait(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  const hours = Math.floor(s / 3600);
  if (hours < 24) return `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return [count(Math.floor(hours / 24)), "d", hours % 24, "h"].join(NBSP);
}

// How old the figures are, in the unit one would say.
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}${NBSP}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${NBSP}min`;
  if (s < 86400) return `${Math.floor(s / 3600)}${NBSP}h`;
  return `${count(Math.floor(s / 86400))}${NBSP}d`;
}

const PARTS = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Stockholm",
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

// An instant (ms since 1970) on a Swedish clock, as two-digit texts.
function local(ms) {
  return Object.fromEntries(PARTS.formatToParts(ms).map((part) => [part.type, part.value]));
}

// `14:32`
export function clock(ms) {
  const { hour, minute } = local(ms);
  return `${hour}:${minute}`;
}

// `14:32:05`
export function clockSeconds(ms) {
  return `${clock(ms)}:${local(ms).second}`;
}

// 0 to 23
export function hour(ms) {
  return Number(local(ms).hour);
}

// `14:32` where that is today at `now`, else with its day: `20/11 14:32`. A wall left over a weekend must not say 14:32.
export function since(ms, now) {
  const then = local(ms);
  const today = local(now);
  const same = ["year", "month", "day"].every((part) => then[part] === today[part]);
  return same ? clock(ms) : `${Number(then.day)}/${Number(then.month)}${NBSP}${clock(ms)}`;
}

const LONG_DAY = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" };

// `2026-11-23` as `måndag 23 november`. A calendar day has no time zone, so none may shift it: hence UTC on both sides.
export function day(iso) {
  return new Intl.DateTimeFormat("sv-SE", LONG_DAY).format(new Date(`${iso}T00:00:00Z`));
}
