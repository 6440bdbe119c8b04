"""A mail server for the tests: `smtp_server.py FOLDER PORT`, with aiosmtpd on PYTHONPATH.

Listens on PORT of 127.0.0.1, a free one where that is 0, and says `listening on PORT`. What it takes is a file in FOLDER,
read as mail programs read it. Where FOLDER holds a file `refuse` with a code and a text, every recipient whose address has
that text in it is refused with the code. Ends with its standard input.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])


class Keep:
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        refuse = folder / "refuse"
        if refuse.exists():
            code, text = refuse.read_text().split(" ", 1)
            if text in address:
                # Servers like to repeat the address, which must not come into a log.
                return f"{code} <{address}> is refused"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": mail["Subject"],
            "body": mail.get_content().replace("\r\n", "\n"),
            "headers": {name: str(value) for name, value in mail.items()},
        }
        Keep.taken += 1
        draft = folder / "draft"
        draft.write_text(json.dumps(kept))
        draft.rename(folder / f"{Keep.taken:06}.json")
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    keep = Keep()
    server = await loop.create_server(lambda: SMTP(keep, hostname="localhost", loop=loop), "127.0.0.1", int(sys.argv[2]))
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
