"""The recorded advisories of the libraries: served to pip-audit without the network, and written anew with it.

    python -m tests.advisories          (`make advisories`) asks the live service of OSV and writes the record anew

`serve()` answers what `pip-audit --vulnerability-service osv` asks, a POST of {"package": {"name"}, "version"}, from
tests/data/advisories.json: {"about", "recorded", "source", "licence", "packages": {NAME: [advisory, ...]}}, an advisory
as OSV describes it (ossf.github.io/osv-schema) with id, aliases, summary and affected only. Without "version" all of a
package's come, as the live service does.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "tests" / "data" / "advisories.json"
LOCKS = ("requirements.lock", "requirements-test.lock")
SOURCE = ("OSV.dev: the PyPA and the GitHub advisory database, shortened to the packages of both locks and to id, "
          "aliases, summary and affected.")  # fmt: skip
LICENCE = "CC-BY-4.0, as both databases say."
PAGES_MOST = 50  # of the answer about one package


def record() -> dict[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def affects(advisory: dict[str, Any], name: str, version: str) -> bool:
    """Whether an advisory is about this release of a package: it is listed, or lies in a range."""
    at = Version(version)
    for affected in advisory["affected"]:
        if affected.get("package", {}).get("name", name) != name:
            continue
        if version in affected.get("versions", ()):
            return True
        for one in affected.get("ranges", ()):
            if one["type"] == "ECOSYSTEM" and _within(one["events"], at):
                return True
    return False


def _within(events: list[dict[str, str]], at: Version) -> bool:
    found = False
    for event in sorted(events, key=lambda event: Version(next(iter(event.values())))):
        ((what, version),) = event.items()
        if what == "introduced" and at >= Version(version):
            found = True
        if (what == "fixed" and at >= Version(version)) or (what == "last_affected" and at > Version(version)):
            found = False
    return found


@contextmanager
def serve(packages: dict[str, list[dict[str, Any]]] | None = None) -> Iterator[tuple[str, list[str]]]:
    """(the address to ask, the names that were asked for) while it answers from the record, or from `packages`."""
    known = record()["packages"] if packages is None else packages
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = question["package"]["name"], question.get("version")
            asked.append(name)
            about = {"package": {"name": name, "ecosystem": "PyPI"}}
            found = [{**one, "affected": [{**about, **place} for place in one["affected"]]}
                     for one in known.get(name, ()) if version is None or affects(one, name, version)]  # fmt: skip
            data = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def locked() -> list[str]:
    """The names of the packages of both locks."""
    names: set[str] = set()
    for lock in LOCKS:
        names.update(re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
    return sorted(names)


def ask(address: str, name: str) -> list[dict[str, Any]]:
    """All advisories of a package that a service has and has not taken back, each with what is kept of it."""
    found: list[dict[str, Any]] = []
    question: dict[str, Any] = {"package": {"name": name, "ecosystem": "PyPI"}}
    for _ in range(PAGES_MOST):
        request = urllib.request.Request(address, json.dumps(question).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.load(answer)
        found += [shortened(one, name) for one in said.get("vulns", ()) if not one.get("withdrawn")]
        if not said.get("next_page_token"):
            break
        question["page_token"] = said["next_page_token"]
    return sorted((one for one in found if one["affected"]), key=lambda one: one["id"])


def shortened(advisory: dict[str, Any], name: str) -> dict[str, Any]:
    places = []
    for one in advisory.get("affected", ()):
        about = one.get("package", {})
        if about.get("ecosystem") != "PyPI" or about.get("name", "").lower().replace("_", "-") != name:
            continue
        ranges = [{"type": "ECOSYSTEM", "events": each["events"]} for each in one.get("ranges", ())
                  if each["type"] == "ECOSYSTEM"]  # fmt: skip
        places.append({"ranges": ranges} if ranges else {"versions": one.get("versions", [])})
    summary = advisory.get("summary") or advisory.get("details", "")[:200]
    return {"id": advisory["id"], "aliases": advisory.get("aliases", []), "summary": " ".join(summary.split()),
            "affected": places}  # fmt: skip


def written(packages: dict[str, list[dict[str, Any]]], at: datetime) -> str:
    """The record as a text, an advisory a line, so that a change of it can be read."""
    head = {"about": record()["about"], "recorded": f"{at:%Y-%m-%d}", "source": SOURCE, "licence": LICENCE}
    lines = [f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items()]
    bodies = [f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(one) for one in found) + "\n]"
              for name, found in sorted(packages.items()) if found]  # fmt: skip
    return "{\n" + "".join(lines) + '"packages": {\n' + ",\n".join(bodies) + "\n}}\n"


def main() -> int:
    from pip_audit._service.osv import OsvService

    try:
        packages = {name: ask(OsvService.DEFAULT_OSV_URL, name) for name in locked()}
    except OSError as error:
        print(f"The service of advisories did not answer ({error}); the record stays as it was.", file=sys.stderr)
        return 1
    if sum(map(len, packages.values())) < 50:
        print("The service knows next to nothing about our packages; the record stays as it was.", file=sys.stderr)
        return 1
    RECORD.write_text(written(packages, datetime.now(UTC)), encoding="utf-8")
    print(f"{sum(map(len, packages.values()))} advisories about {sum(map(bool, packages.values()))} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
