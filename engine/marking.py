"""Where a process instance stands: its live tokens, as our own value. At most a kilobyte, whatever has happened.

A token is `open` (a user task that waits for a person), `waiting` (a timer), `arrived` (on a sequence flow, before
a join that waits for its other branches), `active` (a subprocess, while something goes on in it) or `armed` (the
process-wide deadline, which SpiffWorkflow never sees).
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

VERSION = 1
OPEN, WAITING, ARRIVED, ACTIVE, ARMED = "open", "waiting", "arrived", "active", "armed"


@dataclass(frozen=True, slots=True)
class Token:
    number: int         # never used again in its instance; the id of its user task or timer is instance/number
    element: str        # BPMN id of the user task, timer event, subprocess, sequence flow (arrived), deadline (armed)
    parent: int         # a boundary timer's user task or subprocess, else 0
    status: str


@dataclass(frozen=True, slots=True)
class Marking:
    tokens: tuple[Token, ...] = ()
    next: int = 1       # the number of the next token

    def token(self, number: int) -> Token | None:
        return next((one for one in self.tokens if one.number == number), None)

    def to_bytes(self) -> bytes:
        """Canonical bytes: the same marking always gives the same."""
        rows = [[t.number, t.element, t.parent, t.status] for t in self.tokens]
        shape = {"next": self.next, "tokens": rows, "v": VERSION}
        return json.dumps(shape, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Marking:
        """Raises ValueError when the bytes are of another version: such a marking is converted, never guessed."""
        value = json.loads(data)
        if value.get("v") != VERSION:
            raise ValueError(f"A marking of version {value.get('v')!r}; this engine reads version {VERSION}.")
        return cls(tuple(Token(*row) for row in value["tokens"]), value["next"])

    @property
    def hash(self) -> str:
        return sha256(self.to_bytes()).hexdigest()
