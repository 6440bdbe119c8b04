// Writes texts and states into the page. Knows the DOM and no rules. Touches only what has changed, so that a screen
// reader, a selection or an open table is not disturbed, and a calm board costs nothing.

import { worse } from "./freshness.js";

const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);

const figureElements = all("[data-figure]");
const copies = all("[data-copy]"); // the table's cells: the same figures once more
const unknownPairs = all("tr[data-pair]");
const statusBox = one("#status");
const statusSv = one("#status-sv");
const statusEn = one("#status-en");
const statusIcon = one("#status-icon use");
const goal = one("#goal");
const goalSv = one("#goal-sv");
const goalEn = one("#goal-en");
const goalIcon = one("#goal-icon use");
const late = one("#late");
const lateSv = one("#late-sv");
const lateEn = one("#late-en");
const lateIcon = one("#late-icon use");
const lists = { wall: one("#departments"), table: one("#departments-table") };
const announcements = { goal: one("#status-goal"), late: one("#status-late") };
const pauseButton = one("#pause");
const pauseLabel = one("#pause-label");
const pauseEn = one("#pause-en");
const pauseIcon = one("#pause-icon use");

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

function setIcon(use, id) {
  if (use.getAttribute("href") !== id) use.setAttribute("href", id);
}

// How wide a text is, in em of the font this screen happens to have: the style sheet shrinks a long figure so that it
// fits. A figure that loses a digit at the edge would be a wrong figure.
const pen = document.createElement("canvas").getContext("2d");
pen.font = `600 100px ${getComputedStyle(document.body).fontFamily}`;

function setWidth(element, text) {
  const em = (pen.measureText(text).width / 100) * 1.02; // tabular digits can be a little wider than the pen's
  element.style.setProperty("--em", em.toFixed(2));
}

function setFigure(element, { text, known, subject }, subjects) {
  setText(element, text);
  setData(element, "known", String(known));
  setData(element, "freshness", subjects[subject].state);
}

export function renderFigures(figures, subjects) {
  for (const element of figureElements) {
    const figure = figures[element.dataset.figure];
    if (element.textContent !== figure.text) setWidth(element, figure.text);
    setData(element, "word", String(!/\d/.test(figure.text))); // a word is set smaller than digits
    setFigure(element, figure, subjects);
  }
  for (const element of copies) setFigure(element, figures[element.dataset.copy], subjects);
  // 'ingen uppgift' once for a channel's row, not in each of its columns.
  for (const row of unknownPairs) {
    const [waiting, longest] = row.querySelectorAll("td");
    const unknown = waiting.textContent === longest.textContent && waiting.dataset.known === "false";
    if (longest.hidden !== unknown) {
      longest.hidden = unknown;
      waiting.colSpan = unknown ? 2 : 1;
    }
  }
}

const ICONS = { fresh: "#i-ok", delayed: "#i-clock", stale: "#i-cross", waiting: "#i-dots", paused: "#i-pause" };

// The one live region: it changes when a state does, never with a tick.
export function renderStatus(state, paused, words) {
  setData(document.body, "freshness", state);
  setData(document.body, "paused", String(paused));
  setIcon(statusIcon, ICONS[paused ? "paused" : state]);
  if (statusSv.textContent !== words.sv) {
    setWidth(statusBox, words.sv);
    setText(statusSv, words.sv);
    document.title = `${words.sv} – Kommunlots tavla`;
  }
  setText(statusEn, words.en);
}

const GOAL_ICONS = { met: "#i-ok", below: "#i-down", unknown: "#i-dots" };

export function renderGoal(words, freshness) {
  setData(goal, "state", words.state);
  setData(goal, "freshness", freshness);
  setIcon(goalIcon, GOAL_ICONS[words.state]);
  setText(goalSv, words.sv);
  setText(goalEn, words.en);
  announce("goal", "Tillgänglighet", words, freshness);
}

// A state that has changed is said once, by the live region.
function announce(what, name, words, freshness) {
  setText(announcements[what], words.state === "unknown" || freshness !== "fresh" ? "" : `${name}: ${words.sv}.`);
}

const LATE_ICONS = { met: "#i-ok", below: "#i-late", unknown: "#i-dots" };

export function renderLate(words, freshness) {
  setData(late, "state", words.state);
  setData(late, "freshness", freshness);
  // Both figures say already that nothing is known.
  if (late.hidden !== (words.state === "unknown")) late.hidden = words.state === "unknown";
  setIcon(lateIcon, LATE_ICONS[words.state]);
  setText(lateSv, words.sv);
  setText(lateEn, words.en);
  announce("late", "Vidareskickat", words, freshness);
}

export function renderDepartments(departments, subjects) {
  for (const [which, list] of Object.entries(lists)) {
    const { rows, more } = departments[which];
    if (list.hidden !== (rows.length === 0)) list.hidden = rows.length === 0;
    const body = list.tBodies[0];
    while (body.rows.length > rows.length) body.deleteRow(-1);
    while (body.rows.length < rows.length) body.append(one("#department").content.cloneNode(true));
    rows.forEach((row, i) => renderDepartment(body.rows[i], row, subjects));
    mergeUnknown([...body.rows].map((row) => row.cells[row.cells.length - 1]));
    const [sv, en] = list.tFoot.querySelectorAll("span");
    setText(sv, more === 0 ? "" : `och ${more} ${more === 1 ? "förvaltning" : "förvaltningar"} till`);
    setText(en, more === 0 ? "" : `and ${more} more`);
  }
}

function renderDepartment(element, { name, late, cells }, subjects) {
  const [head, ...others] = element.cells;
  setText(head, name);
  setData(element, "late", String(late));
  others.forEach((cell, i) => {
    const { text, known, subject } = cells[i];
    if (cell.textContent !== text) setWidth(cell, text);
    setText(cell, text);
    setData(cell, "known", String(known));
    setData(cell, "word", String(!/\d/.test(text)));
    setData(cell, "freshness", worse(subjects.forwarded.state, subjects[subject].state));
  });
}

// 'ingen uppgift' once for a column of which nothing is known, not in each of its rows.
function mergeUnknown(column) {
  const unknown = column.every((cell) => cell.dataset.known === "false");
  column.forEach((cell, i) => {
    const span = unknown && i === 0 ? column.length : 1;
    if (cell.rowSpan !== span) cell.rowSpan = span;
    if (cell.hidden !== (unknown && i > 0)) cell.hidden = unknown && i > 0;
  });
}

// Small texts outside the live region: day, time of the board, age, the demo's clock.
export function renderMeta(texts) {
  for (const [id, text] of Object.entries(texts)) setText(one(`#${id}`), text);
}

export function renderPauseButton(paused) {
  setText(pauseLabel, paused ? "Fortsätt" : "Pausa");
  setText(pauseEn, paused ? "Resume" : "Pause");
  setIcon(pauseIcon, paused ? "#i-play" : "#i-pause");
}

export function onPauseButton(listener) {
  pauseButton.addEventListener("click", listener);
}

// The table lies over the board on a wall: Escape takes it away again.
export function closeTableOnEscape() {
  const details = one("#table");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
}

export function setTheme(theme) {
  setData(document.documentElement, "theme", theme);
}

export function shift(x, y) {
  document.documentElement.style.setProperty("--shift-x", `${x}px`);
  document.documentElement.style.setProperty("--shift-y", `${y}px`);
}
