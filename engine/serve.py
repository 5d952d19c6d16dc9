"""Answers the web on a socket until told to stop, then finishes what is under way. Knows no page and no database."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

import structlog
import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel

from .store.database import Unavailable

DRAIN_SECONDS = 25.0  # for what is under way when the process is told to stop
BACKLOG = 1_024  # connections that wait to be accepted

log = structlog.get_logger("alur.serve")


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


def serve(
    app: Callable[..., Any],
    held: socket.socket,
    threads: int,
    goes_on: Callable[[], bool],
    stop: threading.Event,
    request_bytes: int,
) -> None:
    """Answer requests until `stop` is set or `goes_on` says no; then accept no more and finish those under way.

    request_bytes  the largest request that is read.
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
    )
    while not stop.is_set() and goes_on():
        wasyncore.loop(timeout=0.5, use_poll=True, map=channels, count=1)
    wasyncore.dispatcher.close(server)  # the listening socket; not the trigger, which the threads still pull
    end = time.monotonic() + DRAIN_SECONDS
    while any(under_way(one) for one in channels.values()) and time.monotonic() < end:
        wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown(timeout=1)
    server.trigger.close()
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
