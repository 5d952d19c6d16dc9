"""Typst: the template of a paper and its data become pages. No font and no file of the machine takes part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst


@cache
def template(name: str) -> bytes:
    return (Path(__file__).parent / f"{name}.typ").read_bytes()


def typeset(name: str, data: Mapping[str, Any], form: Literal["pdf", "png"] = "pdf", ppi: int = 80,
            **inputs: str) -> Any:
    """The pages that `name.typ` makes of data: one PDF, or a PNG for each page.

    inputs  what else it reads of sys.inputs.
    """
    return typst.Compiler(template(name), ignore_system_fonts=True).compile(
        format=form, ppi=ppi, sys_inputs={**inputs, "data": json.dumps(data)})


def queried(name: str, what: str, data: Mapping[str, Any], **inputs: str) -> Any:
    """The value that `name.typ` leaves under the label `what`."""
    return json.loads(typst.query(template(name), f"<{what}>", field="value", one=True, ignore_system_fonts=True,
                                  sys_inputs={**inputs, "data": json.dumps(data)}))
