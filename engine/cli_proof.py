"""The commands about proof: verify the journal, the log and packs; sign and show checkpoints; write packs."""
from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from . import checkpoints, packs, verifier
from .checkpoints import Keeper
from .ledger import Checkpoint, LedgerError
from .store import access, instances, integrity, organisation
from .store import database as databases
from .store import ledger as store
from .terminal import Command, Group, Stop, Terminal, local, pass_terminal

UNSIGNED = timedelta(minutes=5)         # longer than a worker waits before it signs
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
OUT = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command)
@click.argument("pack", type=FILE, required=False)
@click.option("--checkpoint", "own", type=FILE, multiple=True, help="A checkpoint that you have kept; may be repeated.")
@click.option("--key", "trusted", multiple=True, help="A key that you were sent, or made sure of; may be repeated.")
@click.option("--english", is_flag=True, help="What the verifier says of a pack, in English.")
@pass_terminal
def verify(here: Terminal, pack: Path | None, own: tuple[Path, ...], trusted: tuple[str, ...], english: bool) -> int:
    """Check the journal, its log and its checkpoints; or a PACK, without a database.

    Every row is as it was written, follows from the one before, has our seal and its place in the log; every
    checkpoint, and each that you kept yourself, has the root that the rows have now.
    """
    if pack is not None:
        report = verifier.verify(str(pack), [str(one) for one in own], list(trusted), english)
        here.tell({"holds": not report.findings, "findings": report.findings, "held": report.held},
                  *verifier.sentences(report))
        return 1 if report.findings else 0
    with here.database.snapshot() as db:
        found = integrity.verify(db, here.key)
        log = store.check(db)
        faults = [vars(one) for one in found.faults]
        faults += [{"stream": stream, "message": message} for stream, message in log.faults]
        for file in own:
            faults += [{"stream": "", "message": f"{file}: {wrong}"} for wrong in against(db, file)]
    here.tell(
        {"streams": found.streams, "rows": found.rows, "values": found.values, "erased": found.erased,
         "logged": log.rows, "waiting": log.waiting, "checkpoints": log.checkpoints, "faults": faults},
        *(str(one["message"]) for one in faults),
        f"{found.rows} rows in {found.streams} streams and {found.values} values beside them"
        f"{f' ({found.erased} of them erased)' if found.erased else ''}: "
        f"{'all as they were written.' if not faults else f'{len(faults)} faults.'}",
        f"The log has {log.rows} of them, {log.waiting} wait for their place; {log.checkpoints} checkpoints."
        f"{f' Your own agree ({len(own)} files).' if own and not faults else ''}",
    )
    return 1 if faults else 0


def against(db: Connection, file: Path) -> list[str]:
    """What is wrong between the checkpoints in a file that somebody kept, and the log."""
    try:
        kept = packs.own_checkpoints(file.read_bytes())
    except LedgerError as error:
        return [str(error)]
    size, wrong = store.size(db), [] if kept else ["there is no checkpoint in it."]
    for one in kept:
        if one.size > size:
            wrong.append(f"{one.size} rows were signed, the log has {size}: its end was cut off, or it was put back.")
        elif store.frontier(db, one.size).root != one.root:
            wrong.append(f"the first {one.size} rows are not those that were signed: something was changed.")
    return wrong


# Checkpoints


@click.group(cls=Group)
def checkpoint() -> None:
    """Signed checkpoints of the log: what an outsider keeps to prove that nothing before was changed."""


@checkpoint.command("show")
@pass_terminal
def show(here: Terminal) -> None:
    """Print the newest checkpoint, as it was signed, and the key."""
    with here.database.read() as db:
        kept, keys = store.newest(db), store.keys(db)
        waiting, refused = store.waiting(db)
    if kept is None:
        raise Stop("unsigned", "Nothing was signed yet.", "Let the worker run, or say: alur checkpoint now")
    here.tell({"size": kept.size, "root": kept.root.hex(), "at": local(kept.at), "note": kept.note,
               "key": keys[-1].key.text, "waiting": waiting, "refused": refused},
              kept.note.rstrip("\n"), "", f"Signed {local(kept.at)} by {keys[-1].key.text}",
              *([f"{waiting} rows wait for their place in the log, {refused} were refused one; say: alur verify"]
                if waiting else []))


@checkpoint.command("now")
@pass_terminal
def now(here: Terminal) -> None:
    """Give every row its place, refused ones are judged again, and sign the log as it is."""
    with here.database.begin() as db:
        store.reconsider(db)
    kept = Keeper(here.database, place(here)).round(closing=True)
    with here.database.read() as db:
        newest, (_, refused) = store.newest(db), store.waiting(db)
    assert newest is not None
    said = f"Signed: {newest.size} rows." if kept else f"The newest checkpoint covers all {newest.size} rows already."
    here.tell({"size": newest.size, "new": kept is not None, "refused": refused, "note": newest.note}, said,
              *([f"{refused} rows were refused a place in the log; say: alur verify"] if refused else []))


@checkpoint.command("rotate")
@click.option("--reason", required=True, help="Why, for who reads the history.")
@click.option("--lost", is_flag=True, help="The old key is lost or stolen: nobody vouches for the new one.")
@click.option("--as", "who", metavar="PERSON", help="Who does it (id, login or NIP); default: the installation itself.")
@pass_terminal
def rotate(here: Terminal, reason: str, lost: bool, who: str | None) -> None:
    """Sign with another key from now on; the old one vouches for it, in a row of the journal."""
    with here.database.read() as db:
        actor = here.actor(db, who)
    if who is not None and not actor.administrator:
        raise Stop("not_yours", "Only an administrator changes the key.", "")
    key = checkpoints.rotate(here.database, place(here), reason=reason, actor=actor, lost=lost)
    checkpoints.sign(here.database, place(here))
    here.tell({"key": key.text, "vouched": not lost},
              f"The new key is {key.text}",
              "Nobody vouches for it: tell every auditor, by another way, that it is yours." if lost else
              "The old key vouches for it, in the journal. Send it to the auditors.")


def place(here: Terminal) -> checkpoints.Place:
    chosen = here.settings
    return checkpoints.Place(chosen.checkpoint_key_file, chosen.url, chosen.checkpoint_dir)


# Packs


KINDS = (".zip", ".pdf", ".xes", ".jsonocel", ".csv")


@click.command(cls=Command)
@click.argument("names", nargs=-1, required=True, metavar="[INSTANCE] OUT.zip|.pdf|.xes|.jsonocel|.csv")
@click.option("--journal", "everything", is_flag=True, help="The whole journal as a ZIP, not one process instance.")
@click.option("--documents", is_flag=True, help="With --journal: every document too.")
@click.option("--checkpoint", "own", type=FILE, multiple=True,
              help="A checkpoint that the reader has kept: the pack then proves that the log grew from it.")
@click.option("--unit", help="Instead of an INSTANCE: all of a unit in one ZIP.")
@click.option("--year", type=click.IntRange(1945, 2200), help="With --unit: of one year of report.")
@click.option("--names", "named", is_flag=True, help="People by their names in .xes, .jsonocel and .csv; default: ids.")
@click.option("--as", "who", metavar="PERSON", help="Who takes it (id, login or NIP); default: the installation.")
@pass_terminal
def export(here: Terminal, names: tuple[str, ...], everything: bool, documents: bool, own: tuple[Path, ...],
           unit: str | None, year: int | None, named: bool, who: str | None) -> None:
    """Write evidence of an INSTANCE: a pack with its documents that verifier.py checks offline, its history as a PDF,
    or its events for tools of others; or a pack of the whole journal.

    What is not signed yet is signed first; who took what is a row of the stream `access`.
    """
    if (unit and everything) or (year and not unit):
        raise click.UsageError("Say one of --journal and --unit; --year goes with --unit.")
    if len(names) < (1 if everything or unit else 2) or (len(names) > 1 and (everything or unit)):
        raise click.UsageError("Say INSTANCE OUT.zip (or several instances), --unit U OUT.zip, or --journal OUT.zip.")
    out = Path(names[-1])
    form = out.suffix.casefold()
    several = bool(unit) or len(names) > 2
    if form not in KINDS or ((everything or several) and form != ".zip"):
        raise click.UsageError(f"{out.name!r} must end with {'.zip' if everything or several else ', '.join(KINDS)}.")
    checkpoints.sign(here.database, place(here))
    kept: list[Checkpoint] = []
    for file in own:
        kept += packs.own_checkpoints(file.read_bytes())
    with here.database.read() as db:
        actor = here.actor(db, who)
    acts: list[access.Act] = []
    if several:
        acts, said, sentences = _of_selection(here, names[:-1], unit, year, out, kept)
    elif everything:
        with here.database.snapshot() as db:
            packed = packs.of_journal(db, here.settings.documents_dir, out, documents)
        acts.append(access.PackTaken(what="journal", size=packed.checkpoint.size,
                                     root=packed.checkpoint.root.hex()))
        said, sentences = told_pack(out, packed)
    else:
        act, said, sentences = _of_instance(here, names[0], out, kept, named)
        acts.append(act)
    with here.database.begin() as db:
        for one in acts:
            access.record(db, here.key, one, actor, databases.now(db))
    here.tell(said, *sentences)


def _of_selection(here: Terminal, ids: tuple[str, ...], unit: str | None, year: int | None, out: Path,
                  own: list[Checkpoint]) -> tuple[list[access.Act], dict[str, Any], list[str]]:
    """Write the pack of several instances; what is recorded of each, and what is said."""
    from forms import evidence, selection

    with evidence.spoken(here.settings.language), here.database.snapshot() as db:
        found = selection.of_unit(db, unit, year) if unit else sorted(set(ids))
        unknown = [id for id in found if instances.load(db, id) is None]
        if unknown or not found:
            raise Stop("unknown", f"There is no process instance {unknown[0]}." if unknown else
                       "There is no process instance of this unit and year.", "alur instances shows which are.")
        if len(found) > selection.MOST:
            raise Stop("too_many", f"These are more than {selection.MOST} process instances.", "Name a --year.")
        place = organisation.unit_of(db, unit) if unit else None
        title = f"{place.name}{f', tahun {year}' if year else ''}" if place else f"{len(found)} berkas proses"
        packed, taken = selection.pack(db, here.rules, found, title, databases.now(db), here.settings.documents_dir,
                                       out, own)
    said, sentences = told_pack(out, packed)
    sha256 = evidence.fingerprint(out)
    return list(selection.trace(taken, sha256)), said | {"instances": found, "sha256": sha256}, [
        f"{len(found)} process instances.", *sentences]


def _of_instance(here: Terminal, id: str, out: Path, own: list[Checkpoint], named: bool) \
        -> tuple[access.Act, dict[str, Any], list[str]]:
    """Write evidence of an instance; what is recorded, and what is said of it."""
    from forms import evidence  # what is shown; no other command here needs it

    form = out.suffix.casefold()[1:]
    with evidence.spoken(here.settings.language), here.database.snapshot() as db:
        it = evidence.of(db, here.rules, id, databases.now(db), here.settings.url)
        if it is None:
            raise Stop("unknown", f"There is no process instance {id}.", "alur instances shows which are.")
        if form == "zip":
            said, sentences = told_pack(out, evidence.pack(it, here.settings.documents_dir, out, own))
        else:
            try:
                with out.open("xb") as target:
                    target.write(evidence.written(it, form, named))
            except OSError as error:
                raise Stop("file", f"{out} cannot be written: {error.strerror}.", "Name another file.") from error
            said = {"file": str(out), "rows": it.sequence, "size": it.kept.size if it.kept else None}
            sentences = [f"{out}: {it.sequence} journal rows of {it.title}."]
    act = access.EvidenceTaken(instance=id, form=form, sequence=it.sequence, sha256=evidence.fingerprint(out),
                               named=named or form in ("pdf", "zip"))
    return act, said | {"sha256": act.sha256}, sentences


def told_pack(out: Path, packed: packs.Packed) -> tuple[dict[str, Any], list[str]]:
    """What is said of a pack: as JSON, in sentences."""
    said = {"file": str(out), "rows": packed.rows, "values": packed.values, "documents": packed.documents,
            "missing": packed.missing, "size": packed.checkpoint.size}
    missing = [f"Missing here: {', '.join(packed.missing)}"] if packed.missing else []
    return said, [f"{out}: {packed.rows} rows and {packed.documents} documents, as signed in the log of "
                  f"{packed.checkpoint.size} rows at {local(packed.checkpoint.at)}.", *missing]


def state(db: Connection) -> tuple[bool, str]:
    """(whether all is well, a sentence) of the log, for the doctor."""
    (waiting, refused), kept, size = store.waiting(db), store.newest(db), store.size(db)
    if refused:
        return False, f"{refused} rows were refused a place in the log; say: alur verify"
    # Whoever gives places signs at once where it is time: what is left so long could not be signed.
    if size > (kept.size if kept else 0) and (kept is None or databases.now(db) - kept.at > UNSIGNED):
        return False, f"{size} rows have their place and could not be signed; say: alur checkpoint now"
    if store.never_signed(db, databases.now(db)):
        return False, f"nothing was ever signed, and {waiting} rows wait; start the worker, or say: alur checkpoint now"
    signed = f"the newest checkpoint covers {kept.size} rows, of {local(kept.at)}" if kept else "nothing is signed yet"
    return True, f"{signed}; {waiting} wait for their place"


commands = (verify, checkpoint, export)
