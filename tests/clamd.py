"""A scanner that speaks clamd's protocol and knows one virus, the harmless EICAR: a process of its own for tests.

`python -m tests.clamd PORT` (0: any; or the path of a socket) says where it listens, one line, then answers until its
standard input ends. Larger files than MOST_BYTES are refused as clamd refuses them.
"""
from __future__ import annotations

import os
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_BYTES = 3_000_000
# In two pieces, so that no scanner takes this file for the virus.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Answers(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.rfile.read(1)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM\0":
            self.wfile.write(self.scan())
        else:
            self.wfile.write(b"UNKNOWN COMMAND\0")

    def scan(self) -> bytes:
        data = b""
        while size := struct.unpack("!I", self.rfile.read(4))[0]:
            data += self.rfile.read(size)
            if len(data) > MOST_BYTES:
                return b"INSTREAM size limit exceeded. ERROR\0"
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0"


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def clamd(where: str = "0") -> Iterator[str]:
    """A running scanner; its address as ALUR_CLAMD names it."""
    root = Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, "-m", "tests.clamd", where], cwd=root, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stdin is not None
        yield running.stdout.readline().strip()
        running.stdin.close()


def main(where: str) -> None:
    server = Tcp(("127.0.0.1", int(where)), Answers) if where.isdigit() else Unix(where, Answers)
    with server:
        print(f"127.0.0.1:{server.server_address[1]}" if where.isdigit() else where, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
