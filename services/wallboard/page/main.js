// Wires the parts: frames come in, once in a while the rules are asked, and the page is written.

import * as format from "./format.js";
import { departments, figures, lateWords, targetWords } from "./figures.js";
import { parseFrame } from "./frame.js";
import { assess, productTime, silences } from "./freshness.js";
import * as page from "./render.js";
import { keepConnected } from "./socket.js";
import { pausedWords, statusWords } from "./words.js";

const TICK_MS = 250; // waits change by the second; four looks a second keep the seconds even
const SHIFT_MS = 180_000;
const SHIFTS = [[0, 0], [2, 0], [2, 2], [0, 2], [-2, 2], [-2, 0], [-2, -2], [0, -2], [2, -2]]; // px

let latest = null; // { frame, silent, at, wall }: the last frame and when it came
let pausedView = null; // the same, with the `elapsedS` it is frozen at
let paused = false;
let connected = null; // null until the first try has told

// Real seconds since a frame came. The monotonic clock may stand still while the computer sleeps, and the wall clock may
// be set back: the larger of both never makes old figures look young.
function elapsedOf({ at, wall }) {
  return Math.max(0, performance.now() - at, Date.now() - wall) / 1000;
}

function update() {
  const view = paused ? pausedView : latest;
  const now = performance.now();
  const frame = view?.frame ?? null;
  const elapsedS = view ? elapsedOf(view) : 0;
  // While paused the figures stand still, but they do age, and after a while they are struck through like any others.
  const shownS = paused ? (view?.elapsedS ?? 0) : elapsedS;
  const assessment = assess(frame, elapsedS, view?.silent, now);
  const productNow = frame && productTime(frame, elapsedS);

  const words = paused ? pausedWords(frame && productTime(frame, shownS), productNow) : statusWords(assessment, productNow);
  page.renderStatus(assessment.state, paused, words);
  page.renderFigures(figures(frame, shownS, view?.silent, now), assessment.subjects);
  page.renderGoal(targetWords(frame), assessment.subjects.contacts.state);
  page.renderLate(lateWords(frame), assessment.subjects.forwarded.state);
  page.renderDepartments(departments(frame, shownS, view?.silent, now), assessment.subjects);
  page.renderMeta(meta(frame, assessment));
  page.setTheme(theme(productNow));
  if (frame) document.body.dataset.sequence = String(frame.sequence);
}

function meta(frame, { boardAgeS }) {
  if (frame === null) {
    const age = connected === false ? "ingen kontakt med servern" : "";
    return { day: "", "as-of": "–", age, demo: "" };
  }
  const { day } = frame.board;
  const speed = frame.clockSpeed;
  return {
    day: day === null ? "" : ` · ${format.day(day)}`,
    "as-of": format.clockSeconds(frame.asOf),
    age: `för ${format.age(boardAgeS)} sedan`,
    demo: speed === 1 ? "" : `Demoklocka: går ${String(speed).replace(".", ",")}${format.NBSP}× verklig tid`,
  };
}

// Night is 20-06 on the product's clock, since the room's lights follow the day; before the first frame, as the system says.
function theme(productNow) {
  if (productNow === null) return matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "day";
  const hour = format.hour(productNow);
  return hour >= 20 || hour < 6 ? "night" : "day";
}

function togglePause() {
  paused = !paused;
  pausedView = paused && latest ? { ...latest, elapsedS: elapsedOf(latest) } : null;
  page.renderPauseButton(paused);
  update();
}

// A px or two every few minutes spares the screen from burning in. Not animated, and not for those who want no motion.
function shiftAgainstBurnIn() {
  let step = 0;
  setInterval(() => {
    const still = paused || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!still) page.shift(...SHIFTS[++step % SHIFTS.length]);
  }, SHIFT_MS);
}

page.onPauseButton(togglePause);
page.closeTableOnEscape();
update();
setInterval(update, TICK_MS);
shiftAgainstBurnIn();
keepConnected(new URL("/wallboard/ws", location.href.replace(/^http/, "ws")), {
  read: parseFrame,
  onConnected: (is) => {
    connected = is;
  },
  onFrame: (frame) => {
    const at = performance.now();
    latest = { frame, silent: silences(latest?.silent ?? new Map(), frame, at), at, wall: Date.now() };
    update();
  },
});
