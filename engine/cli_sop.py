"""The commands about the SOP as a document: `alur sop import` makes a draft out of an office's table, without a
database; `alur sop export` writes the official document of a diagram or of a deployed process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import diagram, sop_out
from .definition import DiagramError
from .sop_table import Remark, TableError
from .store import definitions, organisation
from .terminal import Command, Group, Stop, Terminal, finding, pass_terminal

if TYPE_CHECKING:
    from .sop_import import Imported


@click.group(cls=Group)
def sop() -> None:
    """The SOP as a document: its table in, the official form out."""


@sop.command("import", cls=Command)
@click.argument("source", metavar="TABLE", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The diagram to write; of a ZIP or folder, the folder to write them into.",
)
@click.option(
    "--before",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An earlier diagram of the same SOP: its forms, texts and layout are kept where the table did not change.",
)
@pass_terminal
def import_(here: Terminal, source: Path, output: Path, before: Path | None) -> int:
    """Make a draft of an SOP's table (.xlsx, .docx, .txt; a ZIP or folder of many), and say what was guessed."""
    found = list(_read(source))
    many = source.is_dir() or len(found) > 1
    if many and before:
        raise Stop("usage", "--before is for one table.", "Import the files one by one.")
    if many:
        output.mkdir(parents=True, exist_ok=True)
    results, taken = [], set[str]()
    for one in found:
        place = output
        if many and one.table:
            names = (f"{one.table.key}{'' if n == 1 else f'_{n}'}.bpmn" for n in range(1, len(found) + 2))
            place = output / next(name for name in names if name not in taken)
            taken.add(place.name)
        results.append(_drawn(one, place, before.read_bytes() if before else None))
    sentences = [line for one in results for line in _said(one)]
    here.tell({"results": results}, *sentences)
    return 0 if all(one["ok"] for one in results) else 1


def _read(source: Path) -> Iterator[Imported]:
    from . import sop_import  # it brings two libraries, which no other command needs

    files = sorted(one for one in source.rglob("*") if one.is_file()) if source.is_dir() else [source]
    if source.is_dir() and not 0 < len(files) <= sop_import.MOST_FILES:
        raise Stop("file", f"{source} holds {len(files)} files.", f"Choose one with 1 to {sop_import.MOST_FILES}.")
    for one in files:
        if one.stat().st_size > sop_import.MOST_BYTES:
            message = f"Berkas lebih besar dari {sop_import.MOST_BYTES // 1_000_000} MB. Hapus gambar di dalamnya."
            yield sop_import.Imported(file=str(one), findings=(Remark(message=message),))
        else:
            yield from sop_import.read(one.read_bytes(), str(one))


def _drawn(one: Imported, place: Path, before: bytes | None) -> dict[str, Any]:
    """One result row; the diagram is written when nothing is wrong."""
    from . import sop_drawing

    found: dict[str, Any] = {
        "file": one.file,
        "ok": False,
        "output": None,
        "guesses": [_remark(guess) for guess in one.guesses],
        "findings": [_remark(problem) for problem in one.findings],
    }
    if one.table is None:
        return found
    try:
        data = sop_drawing.draw(one.table, before)
    except TableError as error:
        return found | {"findings": [_remark(problem) for problem in error.remarks]}
    except DiagramError as error:
        return found | {"findings": [finding(problem) for problem in error.findings]}
    judged = diagram.check(data)
    found["findings"] = [finding(problem) for problem in judged]
    if any(problem.severity == "error" for problem in judged):
        return found
    place.write_bytes(data)
    return found | {
        "ok": True,
        "output": str(place),
        "key": one.table.key,
        "name": one.table.name,
        "performers": [performer.name for performer in one.table.performers],
        "steps": len(one.table.rows),
    }


@sop.command("export", cls=Command)
@click.argument("named", metavar="DEF-or-FILE")
@click.argument("output", metavar="OUT.pdf", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--unit", default="", help="With the data of this unit over the diagram's; default: the only one.")
@click.option("--version", type=int, help="Which version; default: the newest. 0 is the draft.")
@click.option("--paper", type=click.Choice(["a4", "f4"]), default="a4", show_default=True, help="Always landscape.")
@pass_terminal
def export(here: Terminal, named: str, output: Path, unit: str, version: int | None, paper: str) -> None:
    """Write the official document of an SOP: OUT.pdf, OUT.docx or OUT.xlsx.

    Of a .bpmn file, marked as a draft, without a database; or of a deployed process with a unit's own data.
    """
    from forms.papers.sop import KINDS, State, sop_document  # what is shown; no other command here needs it

    kind = output.suffix.casefold().lstrip(".")
    if kind not in KINDS:
        raise click.UsageError(f"{output.name!r} must end with .pdf, .docx or .xlsx.")
    if not output.parent.is_dir():
        raise click.UsageError(f"Folder {str(output.parent)!r} does not exist.")
    try:
        of_file = Path(named).suffix == ".bpmn" or Path(named).is_file()
        sheet = _sheet_of_file(named, unit, version) if of_file else _sheet_of_process(here, named, unit, version)
    except TableError as error:
        details = [_remark(one) for one in error.remarks]
        raise Stop("table", f"{named} says what no table of an SOP can say.", str(error), details) from error
    state = State(sha256=sheet.sha256, url=here.settings.url, version=sheet.version, checkpoint=sheet.checkpoint)
    data = sop_document(sheet.table, sheet.facts, state, kind, paper)
    output.write_bytes(data)
    about = {"file": str(output), "bytes": len(data), "version": sheet.version, "sha256": sheet.sha256}
    edition = "a draft" if state.draft else f"version {sheet.version}"
    here.tell(about | {"address": state.address}, f"{output}: {len(data)} bytes, {edition}.")


def _sheet_of_file(named: str, unit: str, version: int | None) -> sop_out.Sheet:
    if unit or version is not None:
        raise click.UsageError("--unit and --version are for a deployed process, not for a file.")
    if not Path(named).is_file():
        raise click.UsageError(f"File {named!r} does not exist.")
    try:
        return sop_out.of_file(diagram.read(Path(named).read_bytes()))
    except DiagramError as error:
        details = [finding(one) for one in error.findings]
        raise Stop("diagram", f"{named} is refused by the gate.", "Mend what is found.", details) from error


def _sheet_of_process(here: Terminal, key: str, unit: str, version: int | None) -> sop_out.Sheet:
    with here.database.read() as db:
        data = definitions.export(db, key, version)
        if data is None:
            which = f"version {version} of {key}" if version is not None else f"process with the key {key!r}"
            raise Stop("unknown", f"There is no {which}.", "alur definition list shows what there is.")
        units = [one.unit for one in organisation.units_that_may_start(db, key)]
        if unit and unit not in units:
            raise Stop("unknown", f"Unit {unit!r} may not start {key}.", f"Name one of: {', '.join(units) or 'none'}.")
        return sop_out.of_unit(db, diagram.reread(data), unit or (units[0] if len(units) == 1 else ""))


def _remark(one: Remark) -> dict[str, Any]:
    return {"row": one.row, "column": one.column or None, "message": one.message}


def _said(one: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{one['file']}: {one['name']}, {one['steps']} steps, drawn as {one['output']}."
        if one["ok"]
        else f"{one['file']}: NOT READ"
    )
    for problem in one["findings"]:
        place = problem.get("line") or problem.get("row")
        yield f"  {f'{place}: ' if place else ''}{problem['message']}"
    for guess in one["guesses"]:
        yield f"  guessed: {Remark(message=guess['message'], row=guess['row'], column=guess['column'] or '')}"


commands = (sop,)
