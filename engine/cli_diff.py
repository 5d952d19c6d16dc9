"""The command `alur diff`: what changed between two diagrams, for owners and for scripts. Needs no database."""
from __future__ import annotations

from pathlib import Path

import click

from . import changes, diagram
from .definition import DiagramError, ProcessDefinition
from .terminal import Command, Stop, Terminal, finding, pass_terminal

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("old", metavar="A.bpmn", type=FILE)
@click.argument("new", metavar="B.bpmn", type=FILE)
@pass_terminal
def diff(here: Terminal, old: Path, new: Path) -> int:
    """Say what changed from A to B, each change once; exit 1 when something did."""
    data = [path.read_bytes() for path in (old, new)]
    before, after = (_read(path, one) for path, one in zip((old, new), data, strict=True))
    found = changes.changes(before, after, *(diagram.beside(one) for one in data))
    powers = changes.powers(before, after)
    sentences = [f"{'(gambar) ' if one.cosmetic else ''}{changes.words(one)}" for one in found]
    if powers:
        sentences += ["", "Kewenangan baru:", *(f"  {changes.power_words(one)}" for one in powers)]
    here.tell(
        {
            "changes": [changes.to_json(one) for one in found],
            "powers": [
                {"lane": one.lane, "right": one.right, "element": one.element, "part": one.part,
                 "says": changes.power_words(one)}
                for one in powers
            ],
        },
        *(sentences or ["Tidak ada yang berubah."]),
    )
    return 1 if found else 0


def _read(path: Path, data: bytes) -> ProcessDefinition:
    try:
        return diagram.read(data)
    except DiagramError as error:
        details = [finding(one) for one in error.findings]
        raise Stop("diagram", f"{path} is refused by the gate.", "Mend what is found.", details) from error
