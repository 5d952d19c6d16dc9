"""Web servers to be killed: a process that has everything loaded and gives, for each line on its standard input, a
child that serves the office at URL with its documents under FOLDER. Says {pid, port} once the child listens.

`python -m tests.faults.served URL FOLDER`; ends with its standard input, and its children with it.
"""
from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from engine import organise, serve
from tests.desk import QUICK_HASH, Desk


def child(url: str, folder: Path) -> None:
    serve.set_up_log("error")               # what is said here is read by a program
    organise.hasher = QUICK_HASH
    desk = Desk.at(url, folder)
    desk.app.testing = False
    held = serve.listen("127.0.0.1", 0)
    sys.stdout.write(json.dumps({"pid": os.getpid(), "port": held.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    most = desk.app.config["MAX_CONTENT_LENGTH"]
    serve.serve(desk.app, held, 4, lambda: True, threading.Event(), most)


def main(url: str, folder: Path) -> None:
    children: list[int] = []
    for _line in sys.stdin:
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        pid = os.fork()
        if not pid:
            child(url, folder)
        children.append(pid)
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
