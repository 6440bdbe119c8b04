// Takes a department's cases from Kommunlots, and closes them. What to change is in `handle`.
//
//   NATS_URL    where the bus is, such as nats://bus.example:4222
//   DEPARTMENT  the department's label in the agreements, such as bygg
//   KEY_FILE    the file with the department's key (an nkey seed)
//   STATE_FILE  where this program remembers how far it has read; seen.json without it

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const { NATS_URL = "nats://127.0.0.1:4222", DEPARTMENT, KEY_FILE, STATE_FILE = "seen.json" } = process.env;
if (!DEPARTMENT || !KEY_FILE) {
  console.error("DEPARTMENT and KEY_FILE must be set");
  process.exit(2);
}

// Your system does its work here, and says how the case ended: done, declined, no_action or withdrawn. Nothing leaves the
// case open; send its closure when it has ended, with the same `close`.
function handle(c) {
  console.log(`case ${c.case} (${c.case_type}) came to ${c.group}, due ${c.due}`);
  return "done";
}

// An officer has closed the case on its page, or sent it back: your system has no more to do with it.
function gone(c) {
  console.log(`case ${c.case} is ${c.event}`);
}

// Returns when the bus has stored the closure. What became of it is told later, by an answer. The same id may be sent any
// number of times, so whatever goes wrong, sending once more is right.
async function close(nc, id, caseId, outcome) {
  const closure = {
    specversion: "1.0",
    id,
    source: `https://${DEPARTMENT}.example/cases`,
    type: "se.kommunlots.case.closure.v1",
    data: { case: caseId, outcome },
  };
  for (;;) {
    try {
      const reply = await nc.request("closure", JSON.stringify(closure), { timeout: 10_000 });
      const stored = reply.json();
      if (!stored.error) {
        console.log(`sent ${id}, stored as number ${stored.seq}`);
        return;
      }
      // Too many closures wait to be read, for instance.
      console.error(`the bus refused ${id}: ${stored.error.description}; trying again`);
    } catch (error) {
      if (nc.isClosed()) throw error;
      console.error(`the bus did not answer to ${id}: ${error.message}; trying again`);
    }
    await sleep(5_000);
  }
}

// Tells what became of a closure.
function answered(answer) {
  // An unreadable closure may have no id; the number that it was stored as is there then.
  const which = answer.closure ?? `number ${answer.message}`;
  const line = `closure ${which}: ${answer.result}: ${answer.why.english}`;
  if (answer.result === "refused") {
    console.error(`${line} (sending the same again does not help; a person should look)`);
  } else {
    console.log(line);
  }
}

// Whether a message is new. Numbers have no gaps, so one that is too high means that something is missing.
function isNew(seen, source, sequence) {
  const last = seen[source];
  if (last !== undefined && sequence <= last) return false;
  if (last !== undefined && sequence > last + 1) {
    console.error(`missing: ${last + 1} to ${sequence - 1} of ${source}; ask the centre which cases you have`);
  }
  return true;
}

async function take(nc, seen, message) {
  const event = message.json();
  const sequence = Number(event.sequence);
  if (isNew(seen, event.source, sequence)) {
    if (event.type === "department.forwarded") {
      const outcome = handle(event.data);
      // The id of the event and not of the case, which may be taken back and come again.
      if (outcome) await close(nc, event.id, event.data.case, outcome);
    } else if (["department.closed", "department.bounced"].includes(event.type)) {
      gone(event.data);
    } else if (event.type === "department.closure") {
      answered(event.data);
    }
    // Other types may come in later versions, and are none of this program's business.
    seen[event.source] = sequence;
    save(seen);
  }
  // Only now: what is not acknowledged within 30 seconds comes again.
  message.ack();
}

function load() {
  return existsSync(STATE_FILE) ? JSON.parse(readFileSync(STATE_FILE, "utf8")) : {};
}

function save(seen) {
  writeFileSync(`${STATE_FILE}.draft`, JSON.stringify(seen));
  renameSync(`${STATE_FILE}.draft`, STATE_FILE);
}

// Ends with what went wrong where trying again would not help.
function giveUp(what, error) {
  console.error(`${what}: ${error.message}`);
  process.exit(2);
}

console.log(`connecting to ${NATS_URL}`);
const nc = await connect({
  servers: NATS_URL,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(readFileSync(KEY_FILE, "utf8").trim())),
  // The only inbox that the department may listen to.
  inboxPrefix: `_INBOX_${DEPARTMENT}`,
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
}).catch((error) => giveUp("cannot connect; is this the department's key?", error));

// What the server refuses is said here and nowhere else.
(async () => {
  for await (const status of nc.status()) {
    if (["disconnect", "reconnect", "error"].includes(status.type)) {
      console.error(`bus: ${status.type} ${status.error?.message ?? status.server ?? ""}`);
    }
  }
})();

// Whatever is under way and not acknowledged comes again at the next start.
for (const stop of ["SIGINT", "SIGTERM"]) process.on(stop, () => process.exit(0));

const stream = `OUT_${DEPARTMENT.toUpperCase()}`;
const consumer = await jetstream(nc, { apiPrefix: "CITY.API" })
  .consumers.get(stream, DEPARTMENT)
  .catch((error) => giveUp("cannot listen; does the key belong to this department?", error));
const seen = load();
console.log(`listening as ${DEPARTMENT}`);
for (;;) {
  try {
    // One at a time and in order. No request may wait for longer than 60 seconds; null is a quiet half minute.
    const message = await consumer.next({ expires: 30_000 });
    if (message) await take(nc, seen, message);
  } catch (error) {
    if (nc.isClosed()) giveUp("the bus has closed the connection for good", error);
    // The bus is away: the client connects again by itself.
    console.error(`cannot read: ${error.message}; trying again`);
    await sleep(2_000);
  }
}
