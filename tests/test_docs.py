"""What README and docs/ tell somebody to type, to set and to read is there."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

import bootstrap
from engine.__main__ import alur
from engine.settings import Settings

ROOT = bootstrap.ROOT
TEXTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
# Another tool's own words: what the environment of the tests knows.
NOT_SETTINGS = {"ALUR_SEED", "ALUR_VERSION", "ALUR_PUBLISHED_PORTS"}


def typed(text: str) -> list[str]:
    """Every line that somebody is told to type: those of blocks, and what stands between backticks."""
    blocks = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return blocks + INLINE.findall(BLOCK.sub("", text))


def calls(text: str) -> list[list[str]]:
    """The words after `alur` of every call of it."""
    found = []
    for line in typed(text):
        if match := re.search(r"(?:^|/bin/|exec web )alur ((?:[a-z]|-).*)$", line):
            found.append(shlex.split(match[1].replace("$(date +%F)", "2026-12-01")))
    return found


def unknown(words: list[str]) -> str | None:
    """What the command line does not know of a call; None where it knows all."""
    command: click.Command = alur
    options = {"--help", "-h"} | {name for one in command.params for name in one.opts}
    for word in (one.strip("[]") for one in words):
        if word.startswith("--"):
            if word.split("=")[0] not in options:
                return word
        elif isinstance(command, click.Group) and word.islower() and not word.startswith("/"):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return word
            command = found
            options |= {name for one in command.params for name in [*one.opts, *one.secondary_opts]}
    return None


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_command_that_a_text_tells_somebody_to_type_is_one(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert [(words, what) for words in calls(text) if (what := unknown(words))] == []
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {one for line in typed(text) for one in re.findall(r"(?:^|\s)make ([a-z]+)\b", line)}
    assert named <= targets


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_setting_and_every_file_that_a_text_names_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    known = {f"ALUR_{one.name.upper()}" for one in fields(Settings)} | NOT_SETTINGS
    assert {name.rstrip("_") for name in re.findall(r"\bALUR_[A-Z_]+", text)} <= known
    links = {one.split("#")[0] for one in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in one}
    assert {one for one in links - {""} if not (file.parent / one).exists()} == set()


def test_what_is_read_here_is_what_is_typed() -> None:
    assert calls("```\nsudo -u alur env $(cat x) /opt/alur/.venv/bin/alur backup /b/a-$(date +%F).zip\n```\n") == [
        ["backup", "/b/a-2026-12-01.zip"]
    ]
    assert calls("say `alur checkpoint now` or `make run`") == [["checkpoint", "now"]]
    assert unknown(["checkpoint", "never"]) == "never" and unknown(["backup", "--slowly"]) == "--slowly"
    assert unknown(["--data-dir", "/x", "user", "add", "Administrator", "admin", "--administrator"]) is None
    assert len(calls((ROOT / "docs" / "running.md").read_text(encoding="utf-8"))) > 15
