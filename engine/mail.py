"""Plain mails to a mail server (SMTP), one connection a batch. Knows no database, no person and no reason to write.

Every wait has an end. What the server says decides: refused for good (Undeliverable) or not now (Delayed).
"""
from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as AS_SENT
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from .store.database import Unavailable

TIMEOUT_SECONDS = 20.0                  # for each answer of the server
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
EXAMPLE = "smtp+starttls://alur:PASSWORD@mail.example.go.id:587"


class Undeliverable(Exception):
    """The server refused this mail for good; sending it again would say the same."""


class Delayed(Exception):
    """Not now: the server is not there, or said so.

    lost  whether the connection is gone, or was never had: the next mail will not fare better.
    """

    def __init__(self, message: str, lost: bool = False):
        super().__init__(message)
        self.lost = lost


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail to one person. `id` names it for good: sent again after a crash, it is the same mail."""
    id: str
    to: str
    subject: str
    body: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Mailer:
    """A mail server and in whose name is written to it."""
    scheme: str                             # one of PORTS: plain, TLS after a greeting, TLS from the start
    host: str
    port: int
    sender: str                             # "alur@kecamatan.example.go.id"
    domain: str                             # of Message-IDs, and how we greet
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS

    @contextmanager
    def mailing(self) -> Iterator[Mailing]:
        """A batch of mails; the connection is made by the first and closed behind the last."""
        batch = Mailing(self)
        try:
            yield batch
        finally:
            batch.close()


def mailer(url: str, sender: str, public_url: str, password: str | None = None) -> Mailer:
    """The mail server at a URL such as `smtp+starttls://user:password@host:587`.

    sender      of every mail; "": alur@ the host of the public address.
    public_url  of the installation.
    password    when it does not stand in the URL.
    Raises Unavailable for what is no such address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise _wrong("SMTP_URL", f"is no address of a mail server: {error}") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong("SMTP_URL", "is no address of a mail server")
    domain = urlsplit(public_url).hostname or "localhost"
    one = sender or f"alur@{domain}"
    try:
        address = Address(addr_spec=one)
    except (MessageError, ValueError, IndexError) as error:
        raise _wrong("MAIL_FROM", f"is {one!r}, which is no e-mail address") from error
    if not address.username or not address.domain or not one.isascii():
        raise _wrong("MAIL_FROM", f"is {one!r}, which is no e-mail address")
    return Mailer(scheme=parts.scheme, host=parts.hostname, port=port, sender=one, domain=domain,
                  user=unquote(parts.username or ""), password=password or unquote(parts.password or ""))


def _wrong(name: str, what: str) -> Unavailable:
    return Unavailable("setting", f"ALUR_{name} {what}.", f"Write it like {EXAMPLE}." if name == "SMTP_URL" else
                       "Write it like alur@kecamatan.example.go.id.")


class Mailing:
    """A connection to a mail server, for as long as a batch lasts."""

    def __init__(self, mailer: Mailer):
        self.mailer = mailer
        self.server: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> None:
        """Hand a mail over; it is the server's when this returns. Raises Undeliverable or Delayed."""
        message = composed(mail, self.mailer)
        try:
            server = self.server = self.server or self.connected()
            server.send_message(message, from_addr=self.mailer.sender, to_addrs=[mail.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()), (550, b""))
            self.refused(code, said)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            self.refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            if self.server is None:         # no TLS where TLS was asked for
                raise Delayed(str(error), lost=True) from error
            raise Undeliverable(str(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Delayed(f"{type(error).__name__}: {error}", lost=True) from error

    def connected(self) -> smtplib.SMTP:
        mailer, seconds = self.mailer, self.mailer.timeout_seconds
        secure = ssl.create_default_context()
        if mailer.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(mailer.host, mailer.port, mailer.domain, timeout=seconds,
                                                    context=secure)
        else:
            server = smtplib.SMTP(mailer.host, mailer.port, mailer.domain, timeout=seconds)
        try:
            if mailer.scheme == "smtp+starttls":
                server.starttls(context=secure)
            if mailer.user:
                server.login(mailer.user, mailer.password)
        except BaseException:
            server.close()
            raise
        return server

    def refused(self, code: int, said: bytes | str) -> None:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        sentence = f"{code} {' '.join(text.split())}"[:300]
        if code == 421:                     # it closes the line
            self.close()
            raise Delayed(sentence, lost=True)
        if 500 <= code < 600:
            raise Undeliverable(sentence)
        raise Delayed(sentence)

    def close(self) -> None:
        if self.server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.server.quit()
            self.server.close()
            self.server = None


def composed(mail: Mail, mailer: Mailer) -> EmailMessage:
    """The mail as it is sent: plain text in UTF-8, and headers that hold one line each, whatever the text holds.

    Raises Undeliverable where the address is none.
    """
    # Python folds a long header right behind its name, which leaves a space in front; up to 998 a line may be long.
    message = EmailMessage(policy=AS_SENT.clone(max_line_length=998) if mail.subject.isascii() else AS_SENT)
    try:
        message["From"] = Address(addr_spec=mailer.sender, display_name="Alur")
        message["To"] = Address(addr_spec=mail.to)
    except (MessageError, ValueError, IndexError) as error:
        raise Undeliverable("the address of the addressee is none") from error
    message["Subject"] = "".join(one if one.isprintable() else " " for one in mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.id}@{mailer.domain}>"
    message["Auto-Submitted"] = "auto-generated"        # RFC 3834: nobody's out-of-office answers it
    message.set_content(mail.body, charset="utf-8", cte="quoted-printable")
    return message
