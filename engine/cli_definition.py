"""Commands about diagrams that come from elsewhere and go there: `alur definition import`, `alur definition templates`.
They read no database."""
from __future__ import annotations

from pathlib import Path

import click

from . import bpmn_import, element_templates
from .terminal import Command, Stop, Terminal, finding, pass_terminal

TEMPLATES = Path("bpmn/.camunda/element-templates/alur.json")


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The draft to write."
)
@pass_terminal
def import_(here: Terminal, file: Path, output: Path) -> int:
    """Make a draft of a .bpmn file of another tool, and list what is lost; exit 1 when errors are left to mend."""
    one = bpmn_import.read(file.read_bytes(), file.name)
    if one.refused:
        details = [finding(each) for each in one.findings]
        raise Stop("diagram", f"{file} cannot be read.", "Mend what is found.", details)
    output.write_bytes(one.data)
    wrong = [each for each in one.findings if each.severity == "error"]
    here.tell(
        {"file": str(file), "output": str(output), "key": one.key, "name": one.name,
         "lost": [{"element": each.element, "line": each.line, "what": each.what, "message": each.message}
                  for each in one.lost],
         "findings": [finding(each) for each in one.findings]},
        f"{file}: {one.name} ({one.key}), drawn as {output}.",
        *(f"  {each.line}: lost: {each.message}" for each in one.lost),
        *(f"  {each.line}: {each.severity}: {each.message}" for each in one.findings),
    )
    return 1 if wrong else 0


@click.command("templates", cls=Command)
@click.option("-o", "--output", default=TEMPLATES, show_default=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The file to write.")
@pass_terminal
def templates(here: Terminal, output: Path) -> None:
    """Write the element templates with which Camunda Modeler's panel names the SOP's properties."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(element_templates.written(), encoding="utf-8")
    count = len(element_templates.templates())
    here.tell({"file": str(output), "templates": count}, f"{output}: {count} templates.")


commands = (import_, templates)
