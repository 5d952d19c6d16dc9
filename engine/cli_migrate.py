"""The command `alur migrate-instances`: rehearse what another version does to everything that runs, then do it."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click
from sqlalchemy import Connection

from . import migrate, terminal
from .store import definitions, organisation
from .store.definitions import Version
from .terminal import Command, Stop, Terminal, local, pass_terminal

WORDS = {migrate.MOVES: "pindah", migrate.MAPPING: "perlu pemetaan", migrate.STAYS: "tinggal", migrate.THERE: "sudah",
         migrate.MIGRATED: "dipindahkan", migrate.UNDONE: "dikembalikan", migrate.REFUSED: "ditolak",
         migrate.FAILED: "gagal"}


@click.command("migrate-instances", cls=Command)
@click.argument("key")
@click.option("--to", "version", type=click.IntRange(min=1), help="The version to go to; else the newest.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW",
              help="The id of an element, flow or lane and its id there; OLD= where a timer has none.")
@click.option("--instance", "only", multiple=True, metavar="ID", help="Only these; all where none is named.")
@click.option("--apply", "doing", is_flag=True, help="Do what the rehearsal shows for those that move.")
@click.option("--undo", "undoing", is_flag=True, help="Give back what stood before, where nobody did anything since.")
@click.option("--reason", help="Why, for who reads the history.")
@click.option("--as", "who", metavar="PERSON", help="The owner of the SOP, or the administrator, who does it.")
@pass_terminal
def migrate_instances(here: Terminal, key: str, version: int | None, pairs: tuple[str, ...], only: tuple[str, ...],
                      doing: bool, undoing: bool, reason: str | None, who: str | None) -> int:
    """Bring the running instances of a process to another version of its diagram.

    Without --apply nothing is written: it is said of each what would become of it. Exit code 1: not all of them move.
    """
    if doing and undoing:
        raise click.UsageError("--apply and --undo are two things. Say one of them.")
    if (doing or undoing) and not (reason and who):
        raise click.UsageError("--apply and --undo need --reason and --as.")
    if not doing and not undoing:
        return rehearsal(here, key, version, mapping(pairs), only)
    assert reason is not None and who is not None, "asked for above"
    with here.database.read() as db:
        person = here.person(db, who).id
        to = target(db, key, version)
        ids = [one for one in migrate.undoable(db, key) if one in only or not only] if undoing else [
            one.instance for one in migrate.rehearse(db, here.rules, key, to.sha256, mapping(pairs))
            if one.outcome in (migrate.MOVES, migrate.THERE) and (one.instance in only or not only)]
    said: list[dict[str, Any]] = []

    def progress(done: int, of: int, one: migrate.Applied) -> None:
        here.note(f"{done}/{of}  {one.instance}  {WORDS[one.outcome]}{'. ' + one.message if one.message else ''}")
        said.append({"instance": one.instance, "outcome": one.outcome, "message": one.message,
                     "sequence": one.step.sequence if one.step else None})

    if undoing:
        found = migrate.undo(here.database, here.rules, ids, person=person, reason=reason, signed_in_by="cli",
                             progress=progress)
    else:
        found = migrate.apply(here.database, here.rules, ids, to.sha256, mapping(pairs), person=person, reason=reason,
                              signed_in_by="cli", progress=progress)
    done = [one for one in found if one.outcome in (migrate.MIGRATED, migrate.UNDONE, migrate.THERE)]
    here.tell({"instances": said}, f"{len(done)} dari {len(found)} berkas proses selesai.")
    return 0 if len(done) == len(found) else 1


def rehearsal(here: Terminal, key: str, version: int | None, given: Mapping[str, str], only: tuple[str, ...]) -> int:
    with here.database.read() as db:
        to, zones = target(db, key, version), zones_of(db)
        numbers = {one.sha256: one.version for one in definitions.versions(db, key)}
        found = [one for one in migrate.rehearse(db, here.rules, key, to.sha256, given)
                 if one.instance in only or not only]
    counted = {word: sum(one.outcome == outcome for one in found) for outcome, word in WORDS.items()}
    total = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    here.tell(
        {"to": {"version": to.version, "sha256": to.sha256},
         "instances": [shown(one, numbers, zones) for one in found]},
        *terminal.columns(
            ((one.instance, one.title, str(numbers.get(one.definition, "-")), WORDS[one.outcome], what(one, zones))
             for one in found),
            ("ID", "TITLE", "VERSION", "OUTCOME", "WHAT CHANGES, OR WHY NOT")),
        f"Ke versi {to.version}: {total or 'tidak ada berkas proses yang berjalan'}. Belum ada yang diubah.")
    return 0 if all(one.outcome in (migrate.MOVES, migrate.THERE) for one in found) else 1


def what(one: migrate.Rehearsed, zones: Mapping[str, str]) -> str:
    """What would change of an instance, or why it stays, in one line."""
    if one.reason:
        return one.reason
    said, zone = [], zones.get(one.unit, terminal.ZONE)
    for task in one.tasks:
        if task.before != task.element:
            said.append(f"{task.before} -> {task.element}")
        if task.lane_before != task.lane:
            said.append(f"{task.lane_before} -> {task.lane}")
        if task.late_before != task.late_at:
            said.append(f"{task.element}: {local(task.late_before, zone)} -> {local(task.late_at, zone)}")
    if one.deadline_before != one.deadline_at:
        said.append(f"tenggat: {local(one.deadline_before, zone)} -> {local(one.deadline_at, zone)}")
    return "; ".join(said)


def shown(one: migrate.Rehearsed, numbers: Mapping[str, int], zones: Mapping[str, str]) -> dict[str, Any]:
    zone = zones.get(one.unit, terminal.ZONE)
    return {
        "instance": one.instance, "title": one.title, "unit": one.unit, "status": one.status,
        "version": numbers.get(one.definition), "outcome": one.outcome, "reason": one.reason,
        "needs": [{"element": element, "message": message} for element, message in one.needs],
        "mapping": dict(one.mapping),
        "tasks": [
            {"number": task.number, "element_before": task.before, "element": task.element, "name": task.name,
             "lane_before": task.lane_before, "lane": task.lane, "late_before": local(task.late_before, zone),
             "late_at": local(task.late_at, zone)}
            for task in one.tasks],
        "deadline_before": local(one.deadline_before, zone), "deadline_at": local(one.deadline_at, zone)}


def target(db: Connection, key: str, version: int | None) -> Version:
    known = definitions.versions(db, key)
    found = next((one for one in known if one.version == version), None) if version else next(iter(known[-1:]), None)
    if found is None:
        there = ", ".join(str(one.version) for one in known)
        raise Stop("unknown", f"{key} has no version {version}." if known else f"No process has the key {key!r}.",
                   f"There are the versions {there}." if known else "Deploy one: alur deploy.")
    return found


def zones_of(db: Connection) -> dict[str, str]:
    return {one.id: one.zone for one in organisation.units(db)}


def mapping(pairs: Iterable[str]) -> dict[str, str]:
    found = {}
    for one in pairs:
        old, equals, new = one.partition("=")
        if not equals or not old:
            raise click.UsageError(f"--map {one!r}: write OLD=NEW, the ids of the diagrams.")
        found[old] = new
    return found
