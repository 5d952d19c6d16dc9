"""The commands about the organisation: units, positions, people, bindings, one by one or from a CSV file.

Every change is a row of the stream `organisation`, like one made on the administrator's pages; a CSV file is shown
first and carried out only with --yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from . import calendars, import_csv, organise, terminal
from .commands import Actor
from .organisation import (
    ADMINISTRATOR,
    AUDITOR,
    POWERS,
    STARTERS,
    Act,
    AddPerson,
    AddPosition,
    AddUnit,
    AllowUnit,
    AssignAudit,
    Bind,
    Change,
    EndAudit,
    GrantPower,
    Hold,
    RevokePower,
    SetHead,
    Unbind,
)
from .store import database as databases
from .store import definitions, organisation
from .terminal import Group, Terminal, pass_terminal

WHO = click.option(
    "--as", "who", metavar="PERSON", help="Who does it: id, login or NIP; default: the installation itself."
)


def change(here: Terminal, who: str | None, *acts: Act) -> tuple[str, ...]:
    """Carry out acts in one transaction; their warnings."""
    with here.database.begin() as db:
        return carry_out(here, db, here.actor(db, who), acts)


def carry_out(here: Terminal, db: Connection, actor: Actor, acts: Iterable[Act]) -> tuple[str, ...]:
    at = databases.now(db)
    requests = [Change(id=terminal.new_id(), at=at, actor=actor, act=act) for act in acts]
    return tuple(warning for done in organise.change_all(db, here.key, requests) for warning in done.warnings)


def import_file(here: Terminal, kind: str, file: Path, yes: bool, who: str | None) -> int:
    """Show what the lines of a CSV file would do; with `yes` do it, all of it or nothing."""
    data = file.read_bytes()
    rows = import_csv.read(kind, import_csv.text_of(data))
    with here.database.begin() as db:
        databases.lock(db, "import")
        plan = import_csv.plan(
            organisation.load(db),
            kind,
            rows,
            actor=here.actor(db, who),
            at=databases.now(db),
            id=terminal.new_id(),
            new_id=terminal.new_id,
        )
        done = yes and not plan.wrong
        if done:
            organise.change_all(db, here.key, plan.changes)
    lines = [
        {"line": one.number, "what": one.what, "state": one.state, "details": list(one.details)} for one in plan.lines
    ]
    sentences = []
    for one in plan.lines:
        sentences.append(f"{one.number:>5}  {one.state:8}  {one.what}")
        sentences += [f"{'':17}{detail}" for detail in one.details]
    states = (import_csv.NEW, import_csv.CHANGED, import_csv.SAME, import_csv.WRONG)
    sentences.append(", ".join(f"{plan.count(state)} {state}" for state in states) + ".")
    if done:
        sentences.append("Imported.")
    elif plan.wrong:
        sentences.append("Nothing was changed: lines are wrong.")
    else:
        sentences.append("Nothing was changed. To carry it out, say it again with --yes.")
    here.tell({"done": done, "lines": lines}, *sentences)
    return 1 if plan.wrong else 0


def importing(group: click.Group, kind: str) -> None:
    """Give a group its `import`."""
    columns = ", ".join(import_csv.KINDS[kind].columns)

    @group.command("import", help=f"Show what a CSV file would do, and do it with --yes. Columns: {columns}.")
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
    @click.option("--yes", is_flag=True, help="Carry it out.")
    @WHO
    @pass_terminal
    def import_(here: Terminal, file: Path, yes: bool, who: str | None) -> int:
        return import_file(here, kind, file, yes, who)


# People


@click.group(cls=Group)
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("name")
@click.argument("login")
@click.option("--nip", help="18 digits; may be used to sign in.")
@click.option("--rank", help="Pangkat/golongan.")
@click.option("--email", help="Where reminders go, once they ask for mail.")
@click.option("--administrator", is_flag=True, help="Of the whole installation.")
@click.option("--auditor", metavar="UNIT", help="Of this unit.")
@WHO
@pass_terminal
def add_user(
    here: Terminal,
    name: str,
    login: str,
    nip: str | None,
    rank: str | None,
    email: str | None,
    administrator: bool,
    auditor: str | None,
    who: str | None,
) -> None:
    """Add a person; prints a one-time password, which they change when they sign in."""
    id = terminal.new_id()
    acts: list[Act] = [AddPerson(person=id, name=name, login=login, nip=nip, rank=rank, email=email)]
    if administrator:
        acts.append(GrantPower(person=id, power=ADMINISTRATOR))
    if auditor:
        acts.append(GrantPower(person=id, power=AUDITOR, unit=auditor))
    with here.database.begin() as db:
        actor = here.actor(db, who)
        warnings = carry_out(here, db, actor, acts)
        password = organise.reset_password(
            db, here.key, id=terminal.new_id(), person=id, by=actor, at=databases.now(db)
        )
    here.tell(
        {"person": id, "login": login, "password": password, "warnings": warnings},
        f"{name} is added, login {login}.",
        f"One-time password: {password}",
        *warnings,
    )


@user.command("list")
@pass_terminal
def list_users(here: Terminal) -> None:
    """List people, with what they may."""
    with here.database.read() as db:
        found = organisation.load(db)
    powers: dict[str, list[str]] = {}
    for power in found.powers.values():
        powers.setdefault(power.person, []).append(f"{power.power}{f' of {power.unit}' if power.unit else ''}")
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "login": one.login,
            "name": one.name,
            "nip": one.nip,
            "active": one.active,
            "powers": sorted(powers.get(one.id, ())),
        }
        for one in sorted(found.people.values(), key=lambda one: one.name)
    ]
    here.tell(
        rows,
        *terminal.columns(
            (
                (r["login"], r["name"], r["nip"], "" if r["active"] else "inactive", ", ".join(r["powers"]), r["id"])
                for r in rows
            ),
            ("LOGIN", "NAME", "NIP", "", "POWERS", "ID"),
        ),
    )


@user.command("power")
@click.argument("person")
@click.argument("power", type=click.Choice(POWERS))
@click.option("--unit", default="", metavar="UNIT", help="Of this unit and those below it; default: of all.")
@click.option("--revoke", is_flag=True, help="Take it away.")
@WHO
@pass_terminal
def change_power(here: Terminal, person: str, power: str, unit: str, revoke: bool, who: str | None) -> None:
    """Give a person (id, login or NIP) a power, or take it away: pemilik draws and proposes SOPs, verifikator verifies
    what others propose."""
    with here.database.begin() as db:
        found = here.person(db, person)
        act = (RevokePower if revoke else GrantPower)(person=found.id, power=power, unit=unit)
        warnings = carry_out(here, db, here.actor(db, who), [act])
    here.tell(
        {"person": found.id, "power": power, "unit": unit, "revoked": revoke, "warnings": warnings},
        f"{found.name} {'is no longer' if revoke else 'is'} {power} of {unit or 'all units'}.",
        *warnings,
    )


@user.command("reset-password")
@click.argument("person")
@WHO
@pass_terminal
def reset_password(here: Terminal, person: str, who: str | None) -> None:
    """Print a one-time password for a person (id, login or NIP); their sessions end."""
    with here.database.begin() as db:
        found = here.person(db, person)
        password = organise.reset_password(
            db, here.key, id=terminal.new_id(), person=found.id, by=here.actor(db, who), at=databases.now(db)
        )
    here.tell(
        {"person": found.id, "login": found.login, "password": password},
        f"One-time password of {found.name} ({found.login}): {password}",
    )


# Units


@click.group(cls=Group)
def unit() -> None:
    """Offices: perangkat daerah, kecamatan."""


@unit.command("add")
@click.argument("id")
@click.argument("name")
@click.option("--zone", default=terminal.ZONE, show_default=True, help="Its time: WIB, WITA and WIT by IANA name.")
@click.option("--parent", help="The unit above it.")
@click.option("--government", help="Kabupaten or kota.")
@click.option(
    "--calendar",
    "calendar_",
    type=click.Choice(sorted(calendars.PRESETS)),
    default="lima_hari",
    show_default=True,
    help="In which it counts its working time.",
)
@WHO
@pass_terminal
def add_unit(
    here: Terminal,
    id: str,
    name: str,
    zone: str,
    parent: str | None,
    government: str | None,
    calendar_: str,
    who: str | None,
) -> None:
    """Add a unit with its calendar."""
    with here.database.begin() as db:
        actor = here.actor(db, who)
        warnings = carry_out(
            here, db, actor, [AddUnit(unit=id, name=name, zone=zone, parent=parent, government=government)]
        )
        definitions.publish_calendar(
            db,
            here.key,
            id,
            calendars.PRESETS[calendar_](),
            actor=actor,
            reason="alur unit add",
            at=databases.now(db),
            command_id=terminal.new_id(),
        )
    here.tell({"unit": id, "warnings": warnings}, f"{name} is added as {id}.", *warnings)


@unit.command("list")
@pass_terminal
def list_units(here: Terminal) -> None:
    """List units, with the processes that they may start."""
    with here.database.read() as db:
        found = organisation.load(db)
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "name": one.name,
            "zone": one.zone,
            "parent": one.parent,
            "government": one.government,
            "head": one.head,
            "starts": sorted(s.key for s in found.starting_units.values() if s.unit == one.id),
        }
        for one in sorted(found.units.values(), key=lambda one: one.id)
    ]
    here.tell(
        rows,
        *terminal.columns(
            ((r["id"], r["name"], r["zone"], r["parent"], ", ".join(r["starts"])) for r in rows),
            ("ID", "NAME", "ZONE", "PARENT", "STARTS"),
        ),
    )


@unit.command("head")
@click.argument("id")
@click.argument("position", required=False)
@WHO
@pass_terminal
def set_head(here: Terminal, id: str, position: str | None, who: str | None) -> None:
    """Say which position heads a unit and ratifies its SOPs; without a position: none."""
    warnings = change(here, who, SetHead(unit=id, position=position))
    said = f"{position} heads {id}." if position else f"{id} has no head."
    here.tell({"unit": id, "position": position, "warnings": warnings}, said, *warnings)


@unit.command("allow")
@click.argument("id")
@click.argument("key")
@click.option(
    "--fact", "facts", multiple=True, metavar="sop.NAME=VALUE", help="The unit's own data over the diagram's."
)
@WHO
@pass_terminal
def allow_unit(here: Terminal, id: str, key: str, facts: tuple[str, ...], who: str | None) -> None:
    """Let a unit start a process."""
    pairs = dict(one.partition("=")[::2] for one in facts)
    warnings = change(here, who, AllowUnit(key=key, unit=id, facts=pairs))
    here.tell({"unit": id, "key": key, "warnings": warnings}, f"{id} may start {key}.", *warnings)


# Positions


@click.group(cls=Group)
def position() -> None:
    """Jabatan, and who holds them."""


@position.command("add")
@click.argument("id")
@click.argument("unit")
@click.argument("name")
@click.option("--many", is_flag=True, help="Many hold it at a time.")
@WHO
@pass_terminal
def add_position(here: Terminal, id: str, unit: str, name: str, many: bool, who: str | None) -> None:
    """Add a position to a unit."""
    warnings = change(here, who, AddPosition(position=id, unit=unit, name=name, many=many))
    here.tell({"position": id, "warnings": warnings}, f"{name} is added as {id}.", *warnings)


@position.command("hold")
@click.argument("position")
@click.argument("person")
@click.option("--capacity", type=click.Choice(["definitif", "plh", "plt"]), default="definitif", show_default=True,
              help="Plh. and Plt. need --until and --basis.")
@click.option("--from", "valid_from", required=True, metavar="DATE", help="The first day, YYYY-MM-DD.")
@click.option("--until", "valid_until", metavar="DATE", help="The last day; default: until further notice.")
@click.option("--basis", default="", help="Number of the SK or surat perintah.")
@WHO
@pass_terminal
def hold(
    here: Terminal,
    position: str,
    person: str,
    capacity: str,
    valid_from: str,
    valid_until: str | None,
    basis: str,
    who: str | None,
) -> None:
    """Let a person hold a position, from a day to a day, on a basis."""
    id = terminal.new_id()
    with here.database.begin() as db:
        act = Hold(
            holding=id,
            position=position,
            person=here.person(db, person).id,
            capacity=capacity,
            valid_from=valid_from,
            valid_until=valid_until,
            basis=basis,
        )
        warnings = carry_out(here, db, here.actor(db, who), [act])
    here.tell({"holding": id, "warnings": warnings}, f"{person} holds {position} from {valid_from}.", *warnings)


@position.command("list")
@pass_terminal
def list_positions(here: Terminal) -> None:
    """List positions, with who holds them today."""
    with here.database.read() as db:
        found, at = organisation.load(db), databases.now(db)
    rows: list[dict[str, Any]] = []
    for one in sorted(found.positions.values(), key=lambda one: (one.unit, one.id)):
        held = [h for h in found.holdings.values() if h.position == one.id and h.holds(found.today(at, one.unit))]
        rows.append(
            {
                "id": one.id,
                "unit": one.unit,
                "name": one.name,
                "many": one.many,
                "holders": [
                    {
                        "person": h.person,
                        "name": found.people[h.person].name,
                        "capacity": h.capacity,
                        "basis": h.basis,
                        "from": h.valid_from,
                        "until": h.valid_until,
                    }
                    for h in held
                ],
            }
        )
    here.tell(
        rows,
        *terminal.columns(
            (
                (r["id"], r["unit"], r["name"], ", ".join(f"{h['name']} ({h['capacity']})" for h in r["holders"]))
                for r in rows
            ),
            ("ID", "UNIT", "NAME", "HELD BY"),
        ),
    )


# Bindings


@click.group(cls=Group)
def binding() -> None:
    """Which position performs a lane of a process, by unit."""


@binding.command("add")
@click.argument("key")
@click.argument("lane")
@click.argument("unit")
@click.argument("position")
@WHO
@pass_terminal
def add_binding(here: Terminal, key: str, lane: str, unit: str, position: str, who: str | None) -> None:
    """Let a position perform a lane (or `pemulai`, who may start) of a process for a unit."""
    with here.database.begin() as db:
        newest = definitions.newest(db, key)
        drawn = definitions.get(db, newest.sha256).lane(lane) if newest else None
        act = Bind(
            key=key,
            lane=lane,
            unit=unit,
            position=position,
            lane_name=drawn.name if drawn else "",
            other_office=drawn.other_office if drawn else False,
        )
        warnings = carry_out(here, db, here.actor(db, who), [act])
        if newest is None:
            warnings += (f"No process {key} is deployed yet.",)
        elif drawn is None and lane != STARTERS:
            lanes = ", ".join(one.id for one in definitions.get(db, newest.sha256).lanes)
            warnings += (f"The newest diagram of {key} has no lane {lane}; it has {lanes}.",)
    here.tell(
        {"key": key, "lane": lane, "unit": unit, "position": position, "warnings": warnings},
        f"{position} performs {lane} of {key} for {unit}.",
        *warnings,
    )


@binding.command("remove")
@click.argument("key")
@click.argument("lane")
@click.argument("unit")
@WHO
@pass_terminal
def remove_binding(here: Terminal, key: str, lane: str, unit: str, who: str | None) -> None:
    """Take a lane from whoever performs it: nobody does then."""
    warnings = change(here, who, Unbind(key=key, lane=lane, unit=unit))
    here.tell(
        {"key": key, "lane": lane, "unit": unit, "warnings": warnings},
        f"Nobody performs {lane} of {key} for {unit}.",
        *warnings,
    )


@binding.command("list")
@pass_terminal
def list_bindings(here: Terminal) -> None:
    """List bindings, and the lanes that nobody performs."""
    with here.database.read() as db:
        found = organisation.load(db)
        lanes = {one.key: definitions.get(db, one.sha256).lanes for one in definitions.newest_of_all(db)}
    rows: list[dict[str, Any]] = [vars(one) for one in found.bindings.values()]
    bound = {(one["key"], one["lane"], one["unit"]) for one in rows}
    rows += [
        {"key": one.key, "lane": lane.id, "unit": one.unit, "position": None}
        for one in found.starting_units.values()
        for lane in lanes.get(one.key, ())
        if (one.key, lane.id, one.unit) not in bound
    ]
    rows.sort(key=lambda row: (row["key"], row["unit"], row["lane"]))
    here.tell(
        rows,
        *terminal.columns(
            ((r["key"], r["lane"], r["unit"], r["position"] or "NOBODY") for r in rows),
            ("PROCESS", "LANE", "UNIT", "POSITION"),
        ),
    )


# Surat tugas audit


@click.group(cls=Group)
def audit() -> None:
    """Surat tugas audit: who reads what of which units and years, from a day to a day."""


@audit.command("assign")
@click.argument("person")
@click.argument("number")
@click.option("--unit", "units", multiple=True, required=True, metavar="UNIT", help="Audited; may be repeated.")
@click.option("--year", "years", multiple=True, type=int, metavar="YEAR",
              help="Of report; may be repeated; default: all.")
@click.option("--from", "valid_from", required=True, metavar="DATE", help="The first day, YYYY-MM-DD.")
@click.option("--until", "valid_until", required=True, metavar="DATE", help="The last day, in each unit's own zone.")
@click.option("--basis", default="", help="What it rests on, for who reads the history.")
@WHO
@pass_terminal
def assign_audit(here: Terminal, person: str, number: str, units: tuple[str, ...], years: tuple[int, ...],
                 valid_from: str, valid_until: str, basis: str, who: str | None) -> None:
    """A PERSON (id, login or NIP) may audit units by the surat tugas of this NUMBER; the right ends by itself."""
    id = terminal.new_id()
    with here.database.begin() as db:
        found = here.person(db, person)
        act = AssignAudit(assignment=id, person=found.id, number=number, units=units, years=tuple(sorted(years)),
                          valid_from=valid_from, valid_until=valid_until, basis=basis)
        warnings = carry_out(here, db, here.actor(db, who), [act])
    here.tell(
        {"assignment": id, "person": found.id, "number": number, "units": list(units), "years": sorted(years),
         "valid_from": valid_from, "valid_until": valid_until, "warnings": warnings},
        f"{found.name} audits {', '.join(units)} from {valid_from} to {valid_until} by {number}.",
        f"The surat tugas has the id {id}.",
        *warnings,
    )


@audit.command("end")
@click.argument("assignment")
@click.option("--until", "valid_until", required=True, metavar="DATE",
              help="The last day; the day before it began: it never held.")
@click.option("--reason", default="", help="Why, for who reads the history.")
@WHO
@pass_terminal
def end_audit(here: Terminal, assignment: str, valid_until: str, reason: str, who: str | None) -> None:
    """End a surat tugas (its id, as alur audit list shows it) before its last day."""
    warnings = change(here, who, EndAudit(assignment=assignment, valid_until=valid_until, reason=reason))
    here.tell({"assignment": assignment, "valid_until": valid_until, "warnings": warnings},
              f"The surat tugas holds until {valid_until}.", *warnings)


@audit.command("list")
@pass_terminal
def list_audits(here: Terminal) -> None:
    """List every surat tugas, also those that ended, and whether each holds today in one of its units."""
    with here.database.read() as db:
        found, now = organisation.load(db), databases.now(db)
    rows: list[dict[str, Any]] = [
        {"assignment": one.id, "person": one.person, "name": found.people[one.person].name, "number": one.number,
         "units": list(one.units), "years": list(one.years), "valid_from": one.valid_from,
         "valid_until": one.valid_until,
         "holds": any(one.holds(found.today(now, unit)) for unit in one.units) and found.people[one.person].active}
        for one in sorted(found.assignments.values(), key=lambda one: (one.valid_from, one.number, one.id))
    ]
    here.tell(
        rows,
        *terminal.columns(
            ((r["number"], r["name"], ", ".join(r["units"]), ", ".join(map(str, r["years"])) or "all", r["valid_from"],
              r["valid_until"], "holds" if r["holds"] else "", r["assignment"]) for r in rows),
            ("NUMBER", "AUDITOR", "UNITS", "YEARS", "FROM", "UNTIL", "", "ID"),
        ),
    )


for _group, _kind in ((user, "orang"), (unit, "unit"), (position, "jabatan")):
    importing(_group, _kind)
commands: tuple[click.Command, ...] = (user, unit, position, binding, audit)
