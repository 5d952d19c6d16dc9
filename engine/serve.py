"""Answers the web on a socket until told to stop, then finishes what is under way. Knows no page and no database."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import ssl
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import Error, RequestEntityTooLarge

from .certificates import Certificate
from .settings import Settings, is_loopback
from .store.database import Unavailable

DRAIN_SECONDS = 25.0  # for what is under way when the process is told to stop
BACKLOG = 1_024  # connections that wait to be accepted
HEAD_SECONDS = 60.0  # in which the head of a request must have come
SMALL_BYTES = 1_000_000  # of a request, which is read whatever others send
SPOOLED_MOST = 1_000_000_000  # bytes of all larger requests together that are being read or answered
LEAST_BYTES_A_SECOND = 500  # after that, on average: who sends slower keeps a place that others need
TLS_RECORD = 65_536  # bytes asked for at once: more than a TLS record has, so that nothing stays behind in it
CERTIFICATE_SECONDS = 3600.0  # how often it is looked whether the certificate is to be exchanged

log = structlog.get_logger("alur.serve")


def refuse_plain(settings: Settings) -> None:
    """See that nobody of another machine is answered without https unawares. Raises Unavailable."""
    if settings.secure or settings.plain_http or is_loopback(settings.host):
        return
    raise Unavailable(
        "plain_http",
        f"{settings.host} is reached from other machines, and without https anybody on the way reads passwords along.",
        "Say --tls, or ALUR_URL=https://... where a proxy ends https, or ALUR_PLAIN_HTTP=yes if that is meant.",
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that holds the address; nobody is answered yet. Raises Unavailable when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        held = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":  # there it would let two programs share the port
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(address)
            # Held from here on: a second one that listens is told so now, not at its first request.
            held.listen(BACKLOG)
        except OSError:
            held.close()
            raise
        return held
    except socket.gaierror as error:
        raise Unavailable(
            "host", f"{host!r} is no address of this machine.", "Use 127.0.0.1, or 0.0.0.0 for all."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                "port_taken",
                f"Port {port} of {host} is taken: another program listens there.",
                f"End it, or choose another port: --port {port + 1}, or ALUR_PORT={port + 1}.",
            ) from error
        if error.errno == errno.EACCES:
            raise Unavailable(
                "port_forbidden",
                f"Port {port} of {host} is for the system's administrator only.",
                "Choose one above 1023, for example --port 8080.",
            ) from error
        raise Unavailable(
            "port", f"{host}:{port} cannot be listened on: {error.strerror}.", "Choose another with --host and --port."
        ) from error


TOO_LARGE = """<!doctype html><html lang="id"><meta charset="utf-8"><title>Kiriman terlalu besar</title>
<h1>Kiriman terlalu besar</h1><p>Tidak ada yang tersimpan dari kiriman ini. Kembali ke halaman sebelumnya, perkecil atau
bagi berkasnya, lalu lampirkan satu per satu.</p></html>"""


class TooLarge(RequestEntityTooLarge):  # type: ignore[misc]
    """The answer to a request that says it is too large, or becomes so: given before anything more of it is kept."""

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", "default-src 'none'"),
                   ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
        return f"{self.code} {self.reason}", headers, TOO_LARGE.encode()


BUSY = """<!doctype html><html lang="id"><meta charset="utf-8"><title>Terlalu banyak kiriman besar</title>
<h1>Terlalu banyak kiriman besar sekaligus</h1><p>Server sedang menerima banyak berkas, sehingga tidak ada yang
tersimpan dari kiriman ini. Tunggu satu menit, kembali ke halaman sebelumnya, lalu kirim lagi: isian Anda masih ada di
sana.</p></html>"""


class Busy(Error):  # type: ignore[misc]
    """The answer to a large request where many of them are being read already."""

    code, reason = 503, "Service Unavailable"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        _, headers, _ = TooLarge("").to_response()
        return f"{self.code} {self.reason}", [*headers, ("Retry-After", "60")], BUSY.encode()


class Spool:
    """How many bytes of large requests are kept until they are answered, of all connections together.

    Each request is bounded, and so are the connections; both bounds together are more than a disk has.
    """

    def __init__(self, most: int):
        self.most, self.kept, self.lock = most, 0, threading.Lock()

    def take(self, more: int) -> bool:
        """Whether there is room for so many bytes more; then they are taken."""
        with self.lock:
            if self.kept + more > self.most:
                return False
            self.kept += more
            return True

    def give_back(self, taken: list[int]) -> None:
        with self.lock:
            self.kept -= taken.pop()


spool = Spool(SPOOLED_MOST)


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """What reads a request; one that is too large, or for which there is no room now, is told so in words."""

    error: Any
    taken: list[int] | None = None  # bytes of the spool, one number
    gone: Callable[[], object] | None = None  # gives them back: when it was answered, or its connection is no more

    def received(self, data: bytes) -> int:
        read = int(super().received(data))
        if type(self.error) is RequestEntityTooLarge:
            self.error = TooLarge(self.error.body)
        if self.body_bytes_received > SMALL_BYTES and self.error is None:
            if self.taken is None:
                self.taken = [0]
                gone = weakref.finalize(self, spool.give_back, self.taken)
                gone.atexit, self.gone = False, gone
            more = self.body_bytes_received - self.taken[0]
            if spool.take(more):
                self.taken[0] += more
            else:
                self.error = Busy("")
                self.completed = True
        return read

    def close(self) -> None:
        super().close()
        if self.gone is not None:
            self.gone()


def too_slow(channel: Any) -> bool:
    """Whether a connection sends its request slower than anybody may; looked at whenever something came."""
    if channel.request is None:
        channel.begun = None
        return False
    channel.begun = channel.begun or time.monotonic()
    seconds = time.monotonic() - channel.begun
    read = channel.request.body_bytes_received if channel.request.headers_finished else 0
    return bool(seconds > HEAD_SECONDS and read < LEAST_BYTES_A_SECOND * seconds and not channel.requests)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that has to send its requests in a bounded time."""

    parser_class = Parser
    request: Parser | None
    begun: float | None = None  # when the first byte of the request that is being read came

    def handle_close(self) -> None:
        """Who is gone in the middle of a request, or is left at the end, leaves no file of it open."""
        super().handle_close()
        if self.request is not None:
            self.request.close()
            self.request = None


class PlainChannel(Channel):
    """A connection by plain HTTP."""

    def received(self, data: bytes) -> bool:
        more = bool(super().received(data))
        if too_slow(self):
            self.will_close = True
        return more


class TLSChannel(Channel):
    """A connection by TLS. Its handshake is part of what is read, so that a silent client keeps nobody waiting."""

    def __init__(self, *arguments: Any, to: str, **named: Any) -> None:
        self.one_at_a_time = threading.Lock()  # OpenSSL lets one thread into a connection, and answers come from others
        self.to = to  # where who speaks plain HTTP is sent
        super().__init__(*arguments, **named)

    def handle_read(self) -> None:
        try:
            with self.one_at_a_time:
                data = self.socket.recv(TLS_RECORD)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self.send_elsewhere()
            self.handle_close()
            return
        except OSError:
            self.handle_close()
            return
        if not data:
            self.handle_close()
            return
        self.last_activity = time.time()
        self.received(data)
        if too_slow(self):
            self.will_close = True

    def send(self, data: bytes, do_close: bool = True) -> int:
        try:
            with self.one_at_a_time:
                return int(self.socket.send(data))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError:
            if do_close:
                self.handle_close()
            return 0

    def send_elsewhere(self) -> None:
        """The address with https, said without it: they spoke plain HTTP."""
        head = ["HTTP/1.1 308 Permanent Redirect", f"Location: {self.to}/", "Content-Length: 0", "Connection: close"]
        try:
            socket.socket.send(self.socket, ("\r\n".join(head) + "\r\n\r\n").encode("ascii", "ignore"))
        except OSError:
            log.debug("plain http was not answered")


def tls_channel(certificate: Certificate, to: str) -> Callable[..., None]:
    """What waitress makes a connection with, where it is one by TLS."""

    def made(server: Any, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        try:
            sock.setblocking(False)
            secured = certificate.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            if secured._sslobj is None:  # type: ignore[attr-defined]
                secured.close()  # they were gone before it began; what such a socket says would be read as plain text
                return
            TLSChannel(server, secured, *arguments, to=to, **named)
        except OSError:  # SSLError is one
            sock.close()

    return made


def serve(
    app: Callable[..., Any],
    held: socket.socket,
    threads: int,
    goes_on: Callable[[], bool],
    stop: threading.Event,
    request_bytes: int,
    certificate: Certificate | None = None,
    settings: Settings | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Answer requests until `stop` is set or `goes_on` says no; then accept no more and finish those under way.

    request_bytes  the largest request that is read.
    certificate    https is answered, with this one; looked after as the `settings` say. None: plain HTTP.
    """
    channels: dict[int, Any] = {}
    server = waitress.create_server(
        app,
        map=channels,
        sockets=[held],
        threads=threads,
        ident="alur",
        backlog=BACKLOG,
        connection_limit=1_000,
        max_request_body_size=request_bytes,
        channel_timeout=60,
        clear_untrusted_proxy_headers=False,
        url_scheme="https" if certificate else "http",
        log_socket_errors=False,  # a browser that goes away is no error of ours
    )
    server.channel_class = PlainChannel
    if certificate:
        server.channel_class = tls_channel(certificate, settings.url if settings else "")
    looked = time.monotonic()
    while not stop.is_set() and goes_on():
        wasyncore.loop(timeout=0.5, use_poll=True, map=channels, count=1)
        if certificate and settings and time.monotonic() - looked > CERTIFICATE_SECONDS:
            looked = time.monotonic()
            if certificate.refresh(settings, now()):
                log.info("certificate exchanged", fingerprint=certificate.fingerprint)
    wasyncore.dispatcher.close(server)  # the listening socket; not the trigger, which the threads still pull
    end = time.monotonic() + DRAIN_SECONDS
    while any(under_way(one) for one in channels.values()) and time.monotonic() < end:
        wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown(timeout=1)
    server.trigger.close()
    for one in [one for one in channels.values() if isinstance(one, Channel)]:
        one.handle_close()
    wasyncore.close_all(channels, ignore_all=True)


def under_way(channel: Any) -> bool:
    """Whether a connection has a request that is read, worked on, or answered but not sent."""
    return isinstance(channel, HTTPChannel) and bool(channel.requests or channel.request or channel.total_outbufs_len)


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM or SIGINT (Ctrl+C) sets; a second signal ends the process at once."""
    stop = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def told(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, told)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StandardError:
    """The standard error of this moment: who exchanges sys.stderr, and closes the former one, still gets every line."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def set_up_log(level: str) -> None:
    """One line an event on standard error. No form value and no name stands in it."""
    number = getattr(logging, level.upper())
    stderr = cast(TextIO, StandardError())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=max(number, logging.WARNING),
        stream=stderr,
        format="timestamp=%(asctime)s level=%(levelname)s event=%(message)s logger=%(name)s",
    )
