"""How `alur` speaks: sentences, or with --json one JSON value on standard output and nothing else.

Exit codes: 0 it holds, 1 found or refused, 2 called wrongly. A command says what it found with `tell`; what goes wrong
is raised and said here, in one place, with what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import click
import orjson
from sqlalchemy import Connection

from . import settings as settings_
from .commands import Actor
from .definition import DiagramError, Finding
from .instance import Refused
from .organisation import SYSTEM, Person
from .process import ReplayDiverged
from .rules import Rules
from .store import definitions, organisation
from .store.database import Database, Unavailable, journal_key, migrate, newest_revision, open_database, revision
from .store.records import RecordError

ZONE = "Asia/Jakarta"  # of an instant that names none, where no unit says another


class Stop(Exception):
    """What ends a command with exit code 1: what is, and what to do."""

    def __init__(self, code: str, message: str, remedy: str = "", details: Any = None):
        super().__init__(message)
        self.code, self.message, self.remedy, self.details = code, message, remedy, details


class Terminal:
    """One call of `alur`: how to answer, and the installation it is about. Opened only when a command asks."""

    def __init__(self) -> None:
        self.json = False
        self.flags: dict[str, Any] = {}

    @cached_property
    def settings(self) -> settings_.Settings:
        return settings_.read(**self.flags)

    @cached_property
    def key(self) -> bytes:
        return journal_key(self.settings.key_file)

    @cached_property
    def unmigrated(self) -> Database:
        """The database, whatever stands in it."""
        chosen = self.settings
        # One for each thread that answers, and a few for the worker and for what is looked up meanwhile.
        return open_database(chosen.database_url, self.key, chosen.database_password(), chosen.threads + 6)

    @cached_property
    def database(self) -> Database:
        """The database with the tables of this Alur. Raises Unavailable when it has others."""
        with self.unmigrated.read() as db:
            found = revision(db)
        if found != newest_revision():
            state = f"is at revision {found}" if found else "has no tables"
            raise Unavailable(
                "database_unmigrated",
                f"The database {state}; this Alur needs {newest_revision()}.",
                "Run: alur migrate",
            )
        return self.unmigrated

    @cached_property
    def rules(self) -> Rules:
        return definitions.rules(self.database)

    def migrated(self) -> tuple[str | None, str]:
        return migrate(self.unmigrated)

    def tell(self, value: Any, *sentences: str) -> None:
        """The answer: `value` with --json, the sentences without."""
        if self.json:
            sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            sys.stdout.buffer.flush()
        else:
            for one in sentences:
                click.echo(one)

    def note(self, *sentences: str) -> None:
        """Said on the way, to people only."""
        if not self.json:
            for one in sentences:
                click.echo(one)

    # Who asks, and when

    def actor(self, db: Connection, who: str | None) -> Actor:
        """Who changes the installation: the person named by --as, else the installation itself at its own machine."""
        if who is None:
            return Actor(person="sistem", capacity=SYSTEM, signed_in_by="cli")
        person = self.person(db, who)
        administrator = organisation.is_administrator(db, person.id)
        return Actor(
            person=person.id,
            capacity="administrator" if administrator else None,
            signed_in_by="cli",
            administrator=administrator,
        )

    def person(self, db: Connection, who: str) -> Person:
        """The person of an id, login or NIP."""
        found = organisation.person_of(db, who) or organisation.by_login(db, who)
        if found is None:
            raise Stop("unknown", f"Nobody has the id, login or NIP {who!r}.", "alur user list shows who there is.")
        return found

    def instant(self, db: Connection, text: str | None, zone: str = ZONE) -> datetime | None:
        """The instant of --at, which only a demonstration may choose. None where none was given."""
        if text is None:
            return None
        if not is_demonstration(db):
            raise Stop(
                "not_a_demonstration",
                "--at is for a demonstration; this installation keeps real records.",
                "Leave --at away, or try it on an installation made with alur serve --seed.",
            )
        return instant(text, zone)


def is_demonstration(db: Connection) -> bool:
    found = organisation.load(db).settings.get("demonstration")
    return found is not None and found.value == "yes"


def instant(text: str, zone: str = ZONE) -> datetime:
    """An aware instant from ISO 8601 text; without an offset it is wall-clock time of `zone`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no instant. Write it like 2027-01-04T08:00, or with +07:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def local(at: datetime | None, zone: str = ZONE) -> str | None:
    """An instant with the offset of a unit, to the second: `2027-01-04T08:00:00+07:00`."""
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") if at else None


def finding(one: Finding) -> dict[str, Any]:
    return {
        "severity": one.severity,
        "element": one.element,
        "line": one.line,
        "message": one.message,
        "english": one.english,
    }


def new_id() -> str:
    return str(uuid4())


# The frame around every command


def keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def take(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        terminal = context.find_root().obj
        if name == "json":
            terminal.json = terminal.json or value
        elif value is not None:
            terminal.flags[name] = value

    return take


def common() -> list[click.Option]:
    """The options that every command takes."""
    return [
        click.Option(["--json"], is_flag=True, expose_value=False, callback=keep("json"), help="Answer in JSON only."),
        click.Option(
            ["--database-url"],
            expose_value=False,
            callback=keep("database_url"),
            metavar="URL",
            help="The database (ALUR_DATABASE_URL).",
        ),
        click.Option(
            ["--data-dir"],
            expose_value=False,
            callback=keep("data_dir"),
            metavar="FOLDER",
            help="Documents and keys (ALUR_DATA_DIR).",
        ),
    ]


class Command(click.Command):
    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self.params += common()


class Group(click.Group):
    command_class = Command
    group_class = type  # subgroups are of this class too

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self.params += common()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with the whole first sentence of each: click would cut it to the rest of one line."""
        known = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1_000)) for name, one in known if one])


def run(group: click.Group, arguments: list[str] | None = None) -> int:
    """Carry out one call; the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    terminal = Terminal()
    # A call that click cannot read is answered in JSON too, though no command was reached.
    asked_json = "--json" in arguments
    try:
        code = group.main(args=arguments, prog_name="alur", standalone_mode=False, obj=terminal)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        where = f" Say: {error.ctx.command_path} --help" if error.ctx else ""
        return failed(terminal, asked_json, Stop("usage", error.format_message(), where.strip()), 2)
    except click.ClickException as error:
        return failed(terminal, asked_json, Stop("usage", error.format_message()), 2)
    except (click.Abort, KeyboardInterrupt):
        return failed(terminal, asked_json, Stop("stopped", "Stopped."), 1)
    except (Exception, ExceptionGroup) as error:
        known = explain(error)
        if known is None:
            raise
        return failed(terminal, asked_json, known, 1)


def explain(error: Exception) -> Stop | None:
    """An error that has a sentence, None for one that is a mistake of ours."""
    match error:
        case Stop():
            return error
        case Unavailable():
            return Stop(error.code, error.message, error.remedy)
        case Refused():
            details = [{"place": one.place, "message": one.message} for one in error.problems]
            return Stop(error.code, error.message, "", details or None)
        case DiagramError():
            return Stop(
                "diagram",
                "The diagram cannot be deployed.",
                "Mend what is found, then try again.",
                [finding(one) for one in error.findings],
            )
        case RecordError():
            return Stop("journal", str(error), "Keep the database as it is, and restore a backup beside it.")
        case ReplayDiverged():
            return Stop("diverged", str(error), "Keep the database as it is, and tell who maintains Alur.")
        case OSError() if error.filename:
            return Stop(
                "file", f"{error.filename}: {error.strerror}.", "Check the name and that you may read or write it."
            )
    return None


def failed(terminal: Terminal, json: bool, stop: Stop, code: int) -> int:
    if terminal.json or json:
        error = {"code": stop.code, "message": stop.message, "remedy": stop.remedy}
        if stop.details is not None:
            error["details"] = stop.details
        terminal.json = True
        terminal.tell({"error": error})
        return code
    click.echo(f"{stop.message} {stop.remedy}".strip(), err=True)
    # Of a form there may be several problems; a single one is often the sentence itself.
    for one in (one for one in stop.details or () if one["message"] != stop.message):
        line = f"{one['line']}: {one['severity']}: " if "line" in one else ""
        click.echo(f"  {line}{one['message']}", err=True)
    return code


def columns(rows: Iterable[Iterable[object]], heads: Iterable[str]) -> list[str]:
    """Rows as lines of a table, each column as wide as its widest cell."""
    cells = [[str(one) if one is not None else "" for one in row] for row in rows]
    titles = list(heads)
    if not cells:
        return []
    widths = [max(len(row[n]) for row in [titles, *cells]) for n in range(len(titles))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [titles, *cells])
    return [line.rstrip() for line in lines]


pass_terminal = click.make_pass_decorator(Terminal)
