"""The commands about letting go by law: `alur hold`, `alur erase`, `alur retention`, `alur dispose`.

What takes two people on the pages takes two here: each act is made --as a person, who must be one who may.
"""
from __future__ import annotations

from typing import Any

import click
from sqlalchemy import Connection

from . import retention
from .store import database as databases
from .store import retention as store
from .store.definitions import Change
from .terminal import Group, Stop, Terminal, columns, local, new_id, pass_terminal

AS = click.option("--as", "who", required=True, metavar="PERSON", help="Who does it (id, login or NIP).")
NOTE = click.option("--note", default="", help="Why; needed with --reject.")
REJECT = click.option("--reject", is_flag=True, help="Decide against it.")


def carry_out(here: Terminal, who: str, act: Any) -> retention.Done:
    """Make one act in the name of a person, and say what it came to."""
    with here.database.read() as db:
        change = Change(id=new_id(), at=databases.now(db), actor=here.actor(db, who), act=act)
    done = retention.carry_out(here.database, here.rules, here.settings.documents_dir, change)
    said = [f"Recorded as row {done.sequence} of the stream {retention.STREAM}."]
    if done.values or done.files:
        said.append(f"{done.values} values and {done.files} files are erased.")
    said += [f"The same words still stand in {count} rows of {table}." for table, count in done.elsewhere.items()]
    said += [f"{one.form} of {one.what} was taken away {local(one.at)} by {one.person}: it still holds them."
             for one in done.copies]
    if done.values or done.files:
        said.append("Backups made before now still hold them too: destroy or encrypt those you do not need.")
    name = next((getattr(act, one) for one in ("request", "disposal", "hold") if hasattr(act, one)), "")
    here.tell({"id": name, "sequence": done.sequence, "values": done.values, "files": done.files,
               "instances": done.instances, "elsewhere": done.elsewhere,
               "copies": [{"at": local(one.at), "person": one.person, "what": one.what, "form": one.form}
                          for one in done.copies]},
              *said, *([f"Its id: {name}"] if name else []))
    return done


@click.group(cls=Group)
def hold() -> None:
    """Legal holds: what is held is neither erased nor disposed of, until the hold is lifted."""


@hold.command("add")
@click.option("--instance", default="", help="One process instance.")
@click.option("--unit", default="", help="Everything of a unit.")
@click.option("--year", type=click.IntRange(1945, 2200), help="With --unit: of one year of report.")
@click.option("--all", "everything", is_flag=True, help="Everything.")
@click.option("--number", required=True, help="Of the letter.")
@click.option("--basis", required=True, help="Why, in law.")
@click.option("--since", required=True, metavar="DATE", help="From which day, as 2027-02-01.")
@AS
@pass_terminal
def add(here: Terminal, instance: str, unit: str, year: int | None, everything: bool, number: str, basis: str,
        since: str, who: str) -> None:
    """Hold an instance, a unit (with its year), or everything."""
    if [bool(instance), bool(unit), everything].count(True) != 1:
        raise click.UsageError("Say one of --instance, --unit and --all.")
    scope = store.EVERYTHING if everything else store.OF_UNIT if unit else store.OF_INSTANCE
    carry_out(here, who, retention.PlaceHold(hold=new_id(), scope=scope, instance=instance, unit=unit, year=year,
                                             number=number, basis=basis, since=since))


@hold.command("list")
@pass_terminal
def holds(here: Terminal) -> None:
    """The holds that hold now."""
    with here.database.read() as db:
        found = store.holds(db)
    here.tell([vars(one) for one in found], *columns(
        ((one.id, one.number, one.scope, one.instance or one.unit, one.year, one.since) for one in found),
        ("id", "number", "scope", "of", "year", "since")) or ["Nothing is held."])


@hold.command("lift")
@click.argument("id")
@click.option("--number", required=True, help="Of the letter that lifts it.")
@click.option("--reason", default="", help="Why.")
@AS
@pass_terminal
def lift(here: Terminal, id: str, number: str, reason: str, who: str) -> None:
    """Lift a hold."""
    carry_out(here, who, retention.LiftHold(hold=id, number=number, reason=reason))


@click.group(cls=Group)
def erase() -> None:
    """Erasing on a lawful request: an administrator asks, the head of the unit decides."""


@erase.command("find")
@click.argument("instance")
@click.option("--containing", "words", default="", help="Only values with these words in them.")
@pass_terminal
def find(here: Terminal, instance: str, words: str) -> None:
    """The values of an instance that could be erased, by their names; what decides how it ran is marked."""
    with here.database.read() as db:
        found, files = values_of(here, db, instance, words), store.files(db, instance)
    here.tell({"values": [{"value": one.name, "field": one.field, "person": one.person, "at": local(one.at),
                           "personal": one.personal, "decides": one.decides} for one in found], "files": files},
              *columns(((one.name, one.label, one.person, local(one.at), "stays" if one.decides else "")
                        for one in found), ("value", "label", "by", "at", "")), *(f"file {one}" for one in files))


def values_of(here: Terminal, db: Connection, instance: str, words: str) -> list[retention.Found]:
    if store.heading(db, instance) is None:
        raise Stop("unknown", f"There is no process instance {instance}.", "alur instances shows which are.")
    return [one for one in retention.found_in(db, here.rules, instance)
            if not words or words.casefold() in str(one.value).casefold()]


@erase.command("request")
@click.argument("instance", required=False)
@click.option("--containing", "words", default="", help="The name or words that are to go: every value with them.")
@click.option("--value", "values", multiple=True, metavar="SEQUENCE:PATH", help="A value, as `alur erase find` names.")
@click.option("--file", "files", multiple=True, metavar="SHA256", help="A file of its documents.")
@click.option("--person", help="Instead of an instance: the name and data of somebody who has left (their id).")
@click.option("--number", required=True, help="Of the letter of request.")
@click.option("--dated", required=True, metavar="DATE", help="Of the letter, as 2027-02-01.")
@click.option("--basis", default="UU 27/2022 Pasal 8", help="In law.")
@AS
@pass_terminal
def request(here: Terminal, instance: str | None, words: str, values: tuple[str, ...], files: tuple[str, ...],
            person: str | None, number: str, dated: str, basis: str, who: str) -> None:
    """Ask to erase values and files of an INSTANCE, or what is known of a --person."""
    if (instance is None) == (person is None):
        raise click.UsageError("Say an INSTANCE, or --person.")
    subject = words
    with here.database.read() as db:
        if person is not None:
            subject = here.person(db, person).name
        elif words:
            assert instance is not None
            named = [one.name for one in values_of(here, db, instance, words) if not one.decides]
            values = tuple(dict.fromkeys((*values, *named)))
    about = retention.PERSON if person else retention.INSTANCE
    carry_out(here, who, retention.RequestErasure(
        request=new_id(), about=about, id=person or instance or "", number=number, dated=dated, basis=basis,
        values=values, files=files, subject=subject))


@erase.command("decide")
@click.argument("id")
@REJECT
@NOTE
@AS
@pass_terminal
def decide_erasure(here: Terminal, id: str, reject: bool, note: str, who: str) -> None:
    """Approve a request, which carries it out at once and for good; or --reject it."""
    carry_out(here, who, retention.DecideErasure(request=id, approved=not reject, note=note))


@erase.command("list")
@pass_terminal
def erasures(here: Terminal) -> None:
    """Every request for erasure and what became of it."""
    with here.database.read() as db:
        found = list(retention.load(db).erasures.values())
    here.tell([{"id": one.act.request, "number": one.act.number, "about": one.act.about, "of": one.act.id,
                "values": len(one.act.values), "files": len(one.act.files), "by": one.by, "at": local(one.at),
                "state": one.decided.state, "decided_by": one.decided.by} for one in found],
              *columns(((one.act.request, one.act.number, one.act.about, one.act.id, one.decided.state)
                        for one in found), ("id", "number", "about", "of", "state")) or ["Nothing was asked for."])


@erase.command("vacuum")
@click.option("--full", is_flag=True, help="PostgreSQL: rewrite the tables, which locks them meanwhile.")
@pass_terminal
def vacuum(here: Terminal, full: bool) -> None:
    """Make the database forget the bytes of what was erased; on SQLite each erasure does so by itself."""
    store.scrub(here.database, full)
    here.tell({"vacuumed": True}, "What was overwritten is gone from the database's files. Its backups, and on "
                                  "PostgreSQL its archived WAL, may still hold it.")


@click.group("retention", cls=Group)
def retention_() -> None:
    """How long records are kept, and what is past it. Nothing goes by itself."""


@retention_.command("set")
@click.option("--process", "key", default="", help="Key of the process; default: all.")
@click.option("--unit", default="", help="Default: every unit.")
@click.option("--name", required=True, help="Of the class in the JRA.")
@click.option("--active", type=int, required=True, help="Years.")
@click.option("--inactive", type=int, required=True, help="Years after the active ones.")
@click.option("--fate", type=click.Choice(retention.FATES), required=True,
              help="What becomes of them then.")
@click.option("--basis", required=True, help="The rule that sets the JRA.")
@AS
@pass_terminal
def set_(here: Terminal, key: str, unit: str, name: str, active: int, inactive: int, fate: str, basis: str,
         who: str) -> None:
    """Set the class of a process in a unit; said again, it is replaced."""
    carry_out(here, who, retention.SetRetention(key=key, unit=unit, name=name, active=active, inactive=inactive,
                                                fate=fate, basis=basis))


@retention_.command("drop")
@click.option("--process", "key", default="", help="As it was set; default: all.")
@click.option("--unit", default="", help="As it was set; default: every unit.")
@AS
@pass_terminal
def drop(here: Terminal, key: str, unit: str, who: str) -> None:
    """Take a class away: what it covered is kept."""
    carry_out(here, who, retention.DropRetention(key=key, unit=unit))


@retention_.command("list")
@pass_terminal
def classes(here: Terminal) -> None:
    """The classes, and what is past its retention."""
    with here.database.read() as db:
        archive = retention.load(db)
        over = retention.due(db, archive, databases.now(db))
    kept = list(archive.classes.values())
    here.tell({"classes": [{"process": one.key, "unit": one.unit, "name": one.name, "active": one.active,
                            "inactive": one.inactive, "fate": one.fate, "basis": one.basis} for one in kept],
               "due": [{"instance": one.id, "unit": one.unit, "title": one.title, "due": one.due.isoformat(),
                        "fate": one.kept.fate, "hold": one.held.number if one.held else None} for one in over]},
              *(columns(((one.name, one.key or "all", one.unit or "all", one.active, one.inactive, one.fate)
                         for one in kept), ("class", "process", "unit", "active", "inactive", "fate"))
                or ["No class is set: everything is kept."]),
              *columns(((one.id, one.unit, one.title, one.due, one.kept.fate, one.held.number if one.held else "")
                        for one in over), ("past its retention", "unit", "title", "since", "fate", "held")))


@click.group(cls=Group)
def dispose() -> None:
    """Disposal by berita acara: an administrator proposes, the head of the unit decides."""


@dispose.command("propose")
@click.argument("instances", nargs=-1, required=True)
@click.option("--unit", required=True, help="Whose records they are.")
@click.option("--number", required=True, help="Of the berita acara.")
@click.option("--dated", required=True, metavar="DATE", help="Of the berita acara, as 2027-02-01.")
@click.option("--basis", default="PP 28/2012", show_default=True, help="In law.")
@AS
@pass_terminal
def propose(here: Terminal, instances: tuple[str, ...], unit: str, number: str, dated: str, basis: str,
            who: str) -> None:
    """Propose to dispose of INSTANCES that are past their retention."""
    carry_out(here, who, retention.ProposeDisposal(disposal=new_id(), unit=unit, instances=instances, number=number,
                                                   dated=dated, basis=basis))


@dispose.command("decide")
@click.argument("id")
@REJECT
@NOTE
@AS
@pass_terminal
def decide_disposal(here: Terminal, id: str, reject: bool, note: str, who: str) -> None:
    """Approve a disposal, which carries it out at once and for good; or --reject it."""
    carry_out(here, who, retention.DecideDisposal(disposal=id, approved=not reject, note=note))


@dispose.command("list")
@pass_terminal
def disposals(here: Terminal) -> None:
    """Every disposal, with what went and the hashes that stay."""
    with here.database.read() as db:
        found = [(one, retention.disposed(db, one)) for one in retention.load(db).disposals.values()]
    here.tell([{"id": one.act.disposal, "number": one.act.number, "unit": one.act.unit, "state": one.decided.state,
                "instances": [{"instance": each.id, "rows": each.rows, "head": each.head, "values": each.values,
                               "files": each.files} for each in listed]} for one, listed in found],
              *columns(((one.act.disposal, one.act.number, one.act.unit, one.decided.state, len(listed))
                        for one, listed in found), ("id", "number", "unit", "state", "instances"))
              or ["Nothing was disposed of."])


commands = (hold, erase, retention_, dispose)
