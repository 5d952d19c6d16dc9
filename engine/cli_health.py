"""The commands about what went wrong: open incidents, what must always hold, an instance made again."""
from __future__ import annotations

import click

from . import invariants
from .store import integrity
from .terminal import Command, Terminal, local, new_id, pass_terminal

LISTED_MOST = 1_000


@click.command("incidents", cls=Command)
@pass_terminal
def incidents_(here: Terminal) -> int:
    """List the open incidents, the oldest first; exit 1 when there is one."""
    with here.database.read() as db:
        found = integrity.open_incidents(db, LISTED_MOST)
    here.tell(
        [{"instance": one.instance, "number": one.number, "kind": one.kind, "element": one.element,
          "user_task": f"{one.instance}/{one.user_task}" if one.user_task else None,
          "timer": f"{one.instance}/{one.timer}" if one.timer else None, "title": one.title, "unit": one.unit,
          "since": local(one.raised_at, one.zone), "detail": one.detail} for one in found],
        *(f"{one.instance} #{one.number} {one.kind}{f' at {one.element}' if one.element else ''}, since "
          f"{local(one.raised_at, one.zone)}: {one.title}, {one.unit_name}. {one.detail}" for one in found),
        f"{len(found)} incidents are open." if found else "No incident is open.")
    return 1 if found else 0


@click.command("invariants", cls=Command)
@pass_terminal
def invariants_(here: Terminal) -> int:
    """Look at everything that must always hold, once, now; exit 1 when something does not."""
    looked = invariants.look(here.database, here.rules, here.settings.documents_dir, whole=True)
    by_name = invariants.invariants_of(looked.found)
    here.tell(
        [{"name": one.name, "holds": not by_name[one.name], "says": one.holds, "remedy": one.remedy,
          "found": [{"subject": each.subject, "detail": each.detail} for each in by_name[one.name]]}
         for one in invariants.INVARIANTS],
        *(f"{one.name}: {each.subject or 'the installation'}: {each.detail} {one.remedy}"
          for one in invariants.INVARIANTS for each in by_name[one.name]),
        f"{len(looked.found)} things were found." if looked.found
        else f"All hold; {looked.things} things were looked at.")
    return 1 if looked.found else 0


@click.command("repair", cls=Command)
@click.argument("instance", type=click.UUID)
@click.option("--reason", required=True, help="Why; it stands in the journal.")
@click.option("--as", "who", required=True, help="The administrator who does it.")
@pass_terminal
def repair_(here: Terminal, instance: object, reason: str, who: str) -> None:
    """Make an INSTANCE again from its journal; where that is not whole, nothing is changed."""
    with here.database.read() as db:
        person = here.person(db, who)
    invariants.repair(here.database, here.rules, str(instance), new_id(), person.id, reason, signed_in_by="cli")
    here.tell({"instance": str(instance)}, f"{instance} was made again from its journal.")


commands = (incidents_, invariants_, repair_)
