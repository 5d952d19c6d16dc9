"""Bytes without end for what reads other people's text: `python -m tests.fuzz TARGET [options of libFuzzer]`.

A target is a module `fuzz_TARGET.py` beside this one, with a row in TARGETS. It has

    one_input(data: bytes) -> None    must come back, and raise nothing but what the product declares as a refusal
    SEEDS: list[bytes]                where the mutations begin

The suite runs each target for a few seconds (test_fuzz.py). A long run, an hour in the background:

    nice python -m tests.fuzz feel -max_total_time=3600

An input that breaks a promise is kept in a file whose name is printed, takes more than SECONDS or more than MEGABYTES;
give the file in place of the options to run it again.
"""
from __future__ import annotations

# target -> the modules whose branches atheris watches
TARGETS = {
    "diagram": ["engine.gate", "engine.gate_forms", "engine.reduction", "engine.soundness", "engine.gate_drawing",
                "engine.diagram"],
    "feel": ["engine.expressions"],
    "form": ["forms.fields", "engine.requirements"],
}
SECONDS = 5         # of computing for one input; the bounds of the product are counted: a slow machine fits in too
HANGS_SECONDS = 60  # of any time
MEGABYTES = 1_000
