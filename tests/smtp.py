"""A mail server for tests: enough of RFC 5321 to take mails from anybody, and to fail in every way that a line can.

It runs in threads of this process on a port of its own, keeps what it took, and answers each mail as `script` says.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

TAKE = "take"
CUT_EARLY, CUT_LATE = "cut early", "cut late"  # the line ends before the mail was taken; after it was, without a word
SILENT = "silent"  # no answer for as long as the test lasts


@dataclass(frozen=True)
class Taken:
    """A mail as it came in."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes  # as sent, dots unstuffed
    secure: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        found = BytesParser(policy=policy.default).parsebytes(self.data)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def text(self) -> str:
        return self.message.get_content().replace("\r\n", "\n").rstrip("\n")


@dataclass
class Post:
    """What the server has, and how it answers."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    script: list[str] = field(default_factory=list)  # of the next mails: TAKE, "450 later", CUT_EARLY, ...
    users: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    from_the_start: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def next(self) -> str:
        return self.script.pop(0) if self.script else TAKE


class Hung(Exception):
    """The line ends here."""


class Conversation(socketserver.StreamRequestHandler):
    post: Post

    def setup(self) -> None:
        self.secure, self.user = False, ""
        if self.post.from_the_start:
            self.encrypt()
        super().setup()

    def encrypt(self) -> None:
        assert self.post.tls is not None, "a certificate is there where TLS is asked for"
        self.request = self.post.tls.wrap_socket(self.request, server_side=True)
        self.secure = True

    def say(self, *lines: str) -> None:
        for place, line in enumerate(lines):
            code, _, text = line.partition(" ")
            last = place == len(lines) - 1
            self.wfile.write(f"{code}{' ' if last else '-'}{text}\r\n".encode())
        self.wfile.flush()

    def handle(self) -> None:
        try:
            self.converse()
        except (Hung, OSError, ValueError):
            return

    def converse(self) -> None:
        self.say("220 mail.example siap")
        sender, recipients, answer = "", [], TAKE
        while line := self.rfile.readline(2_000):
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    extra = ["250 STARTTLS"] if self.post.tls and not self.secure else []
                    extra += ["250 AUTH PLAIN"] if self.post.users else []
                    self.say("250 mail.example", *extra, "250 SIZE 1000000")
                case "STARTTLS":
                    self.say("220 mulai")
                    self.encrypt()
                    super().setup()
                case "AUTH":
                    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                    known = self.post.users.get(user) == password
                    self.user = user if known else ""
                    self.say("235 selamat datang" if known else "535 tidak dikenal")
                case "MAIL":
                    if self.post.users and not self.user:
                        self.say("530 masuk dahulu")
                        continue
                    sender, recipients, answer = rest, [], self.post.next()
                    if answer == SILENT:
                        self.post.over.wait(30)
                        raise Hung
                    self.say("250 baik")
                case "RCPT":
                    if answer[:1] in "45":
                        self.say(answer)
                        continue
                    recipients.append(rest)
                    self.say("250 baik")
                case "DATA":
                    self.say("354 silakan")
                    self.take(sender, recipients, answer)
                case "RSET" | "NOOP":
                    self.say("250 baik")
                case "QUIT":
                    self.say("221 sampai jumpa")
                    return
                case _:
                    self.say("502 tidak dikenal")

    def take(self, sender: str, recipients: list[str], answer: str) -> None:
        lines = []
        while (line := self.rfile.readline(2_000)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
            if answer == CUT_EARLY:
                raise Hung
        if answer.startswith("DATA "):
            self.say(answer.removeprefix("DATA "))
            return
        mail = Taken(address(sender), tuple(map(address, recipients)), b"".join(lines), self.secure, self.user)
        self.post.taken.append(mail)
        if answer == CUT_LATE:
            raise Hung
        self.say("250 diterima")


def address(rest: str) -> str:
    """The address in `FROM:<alur@example> SIZE=12`."""
    return rest[rest.index("<") + 1 : rest.index(">")]


@contextmanager
def served(**more: Any) -> Iterator[Post]:
    """A mail server while the block lasts."""
    post = Post(**more)

    class Bound(Conversation):
        pass

    Bound.post = post

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

        def handle_error(self, *_: Any) -> None:
            return  # a client that hangs up is what half of the tests are about

    with Server(("127.0.0.1", 0), Bound) as server:
        post.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield post
        finally:
            post.over.set()
            server.shutdown()
            thread.join(timeout=5)


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Wait until something holds that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
