"""Takes a department's cases from Kommunlots, and closes them. What to change is in `handle`.

    NATS_URL    where the bus is, such as nats://bus.example:4222
    DEPARTMENT  the department's label in the agreements, such as bygg
    KEY_FILE    the file with the department's key (an nkey seed)
    STATE_FILE  where this program remembers how far it has read; seen.json without it
"""

import asyncio
import json
import os
import signal
import sys

import nats
from nats.errors import Error as NatsError

if "DEPARTMENT" not in os.environ or "KEY_FILE" not in os.environ:
    sys.exit("DEPARTMENT and KEY_FILE must be set")
URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
DEPARTMENT = os.environ["DEPARTMENT"]
KEY_FILE = os.environ["KEY_FILE"]
STATE_FILE = os.environ.get("STATE_FILE", "seen.json")


def handle(case: dict) -> str | None:
    """Your system does its work here, and says how the case ended: done, declined, no_action or withdrawn.

    None leaves the case open; send its closure when it has ended, with the same `close`.
    """
    print(f"case {case['case']} ({case['case_type']}) came to {case['group']}, due {case['due']}")
    return "done"


def gone(case: dict) -> None:
    """An officer has closed the case on its page, or sent it back: your system has no more to do with it."""
    print(f"case {case['case']} is {case['event']}")


async def close(nc, closure_id: str, case: str, outcome: str) -> None:
    """Returns when the bus has stored the closure. What became of it is told later, by an answer.

    The same id may be sent any number of times, so whatever goes wrong, sending once more is right.
    """
    closure = {
        "specversion": "1.0",
        "id": closure_id,
        "source": f"https://{DEPARTMENT}.example/cases",
        "type": "se.kommunlots.case.closure.v1",
        "data": {"case": case, "outcome": outcome},
    }
    while True:
        try:
            reply = await nc.request("closure", json.dumps(closure).encode(), timeout=10)
            stored = json.loads(reply.data)
            if "error" not in stored:
                print(f"sent {closure_id}, stored as number {stored['seq']}")
                return
            # Too many closures wait to be read, for instance.
            warn(f"the bus refused {closure_id}: {stored['error']['description']}; trying again")
        except NatsError as error:
            warn(f"the bus did not answer to {closure_id}: {error!r}; trying again")
        await asyncio.sleep(5)


def answered(answer: dict) -> None:
    """Tells what became of a closure."""
    # An unreadable closure may have no id; the number that it was stored as is there then.
    which = answer.get("closure") or f"number {answer.get('message')}"
    line = f"closure {which}: {answer['result']}: {answer['why']['english']}"
    if answer["result"] == "refused":
        warn(line + " (sending the same again does not help; a person should look)")
    else:
        print(line)


def is_new(seen: dict[str, int], source: str, sequence: int) -> bool:
    """Whether a message is new. Numbers have no gaps, so one that is too high means that something is missing."""
    last = seen.get(source)
    if last is not None and sequence <= last:
        return False
    if last is not None and sequence > last + 1:
        warn(f"missing: {last + 1} to {sequence - 1} of {source}; ask the centre which cases you have")
    return True


async def take(nc, seen: dict[str, int], message) -> None:
    event = json.loads(message.data)
    source, sequence = event["source"], int(event["sequence"])
    if is_new(seen, source, sequence):
        if event["type"] == "department.forwarded":
            outcome = handle(event["data"])
            if outcome:
                # The id of the event and not of the case, which may be taken back and come again.
                await close(nc, event["id"], event["data"]["case"], outcome)
        elif event["type"] in ("department.closed", "department.bounced"):
            gone(event["data"])
        elif event["type"] == "department.closure":
            answered(event["data"])
        # Other types may come in later versions, and are none of this program's business.
        seen[source] = sequence
        save(seen)
    # Only now: what is not acknowledged within 30 seconds comes again.
    await message.ack()


def load() -> dict[str, int]:
    try:
        with open(STATE_FILE, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(seen: dict[str, int]) -> None:
    draft = STATE_FILE + ".draft"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(seen, file)
    os.replace(draft, STATE_FILE)


def warn(text: str) -> None:
    print(text, file=sys.stderr)


async def on_error(error: Exception) -> None:
    # What the server refuses is said here and nowhere else.
    text = str(error).lower()
    hint = ""
    if "authorization" in text:
        hint = "; is this the department's key?"
    elif "permissions" in text:
        hint = "; does the key belong to this department?"
    warn(f"bus: {error!r}{hint}")


async def run() -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        # At once: whatever is under way is not acknowledged, and comes again at the next start.
        asyncio.get_running_loop().add_signal_handler(stop, os._exit, 0)
    with open(KEY_FILE, encoding="utf-8") as file:
        seed = file.read()
    nc = await nats.connect(
        URL,
        nkeys_seed_str=seed,
        # The only inbox that the department may listen to.
        inbox_prefix=f"_INBOX_{DEPARTMENT}",
        max_reconnect_attempts=-1,
        error_cb=on_error,
    )
    stream = f"OUT_{DEPARTMENT.upper()}"
    news = await nc.jetstream(prefix="CITY.API").pull_subscribe_bind(consumer=DEPARTMENT, stream=stream)
    seen = load()
    print(f"listening as {DEPARTMENT}")
    while True:
        try:
            # One at a time and in order. A request is lost with a server that goes away, so it waits for a short time only.
            messages = await news.fetch(1, timeout=5)
        except NatsError as error:
            # TimeoutError is five quiet seconds. Anything else is the bus being away: the client connects again by itself.
            if not isinstance(error, nats.errors.TimeoutError):
                warn(f"cannot read: {error!r}; trying again")
                await asyncio.sleep(2)
            continue
        for message in messages:
            await take(nc, seen, message)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(run())
