"""Between our values and the journal's bytes: RFC 8785 bodies, with what is personal beside them.

Old shapes are translated here, once, right after loading (none yet). Plain names, never import paths, stand in a body.
"""
from __future__ import annotations

import dataclasses
import hmac
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

import orjson
import rfc8785

from .. import commands, events, organisation
from ..commands import Erased

VERSION = 1                     # of a journal body
SAFE = 2 ** 53 - 1
KINDS: Mapping[str, type] = {one.__name__: one for one in (
    *typing.get_args(commands.Act), *typing.get_args(organisation.Act), *typing.get_args(events.Event))}


class RecordError(ValueError):
    """A journal row that is not what it says: its hash, its order or its values do not agree."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value, which may hold instants and tuples too. Floats are refused: a decimal is text."""
    if plain(value):    # the same bytes, ten times as fast
        return orjson.dumps(value, default=instant, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    return rfc8785.dumps(encode(value))


def plain(value: Any) -> bool:
    """Whether orjson's sorted output is RFC 8785's: ASCII keys, no floats, integers below 2^53."""
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is datetime:
        return True
    if kind is int:
        return -SAFE <= value <= SAFE
    if kind is dict:
        for key, inner in value.items():
            if type(key) is not str or not key.isascii() or (type(inner) is not str and not plain(inner)):
                return False
        return True
    if kind is list or kind is tuple:
        for inner in value:
            if type(inner) is not str and not plain(inner):
                return False
        return True
    if kind is float:
        raise RecordError("A float has no place in the journal; decimals are text.")
    return False


def told(event: Any) -> dict[str, Any]:
    """An event's shape for `canonical`: its name and its fields, which are flat."""
    return {"type": type(event).__name__, **event.__dict__}


def instant(at: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ` of an aware instant."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")[:-6] + "Z"


def moment(text: str) -> datetime:
    """The aware instant of `instant`'s text."""
    return datetime.fromisoformat(text)


# Values to JSON and back, by the dataclasses' own annotations. Both ways are worked out once a class: every completion
# writes and reads some hundred values.

def encode(value: Any) -> Any:
    """The JSON shape of a value: dataclasses as objects, acts and events with their name under "type"."""
    return ENCODERS.get(type(value), _encode)(value)


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        encoder = ENCODERS[type(value)] = _encoder(type(value))
        return encoder(value)
    if isinstance(value, Mapping):
        return {k: encode(v) for k, v in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [encode(v) for v in value]
    raise RecordError(f"{type(value).__name__} has no shape in the journal.")


def _encoder(kind: type) -> Callable[[Any], Any]:
    fields = names(kind)
    if KINDS.get(kind.__name__) is not kind:
        return lambda value: {name: encode(getattr(value, name)) for name in fields}
    assert "type" not in fields, f"{kind.__name__}: the journal keeps the name of an act or event under 'type'"
    return lambda value: {"type": kind.__name__, **{name: encode(getattr(value, name)) for name in fields}}


def _same(value: Any) -> Any:
    return value


def _list(value: Any) -> list[Any]:
    return [encode(v) for v in value]


def _dict(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: encode(v) for k, v in value.items()}


ENCODERS: dict[type, Callable[[Any], Any]] = {
    str: _same, int: _same, bool: _same, type(None): _same, dict: _dict, list: _list, tuple: _list, datetime: instant,
    Decimal: str, Erased: lambda value: {"h": value.h}}


@cache
def names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(kind))


@cache
def hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def decode(kind: Any, value: Any) -> Any:
    """The value of annotation `kind` from its JSON shape."""
    return decoder(kind)(value)


@cache
def decoder(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda value: gone(value) if type(value) is dict and value.keys() in ERASED else value
    if origin in (typing.Union, types.UnionType):
        if all(one is type(None) or KINDS.get(getattr(one, "__name__", "")) is one for one in arguments):
            return lambda value: value if value is None else decoder(KINDS[value["type"]])(value)
        inner = decoder(next(one for one in arguments if one is not type(None)))
        return lambda value: value if value is None else inner(value)
    if origin is tuple and arguments[-1] is Ellipsis:
        inner = decoder(arguments[0])
        return lambda value: tuple([inner(one) for one in value])
    if origin is tuple:
        each = [decoder(one) for one in arguments]
        return lambda value: tuple([one(v) for one, v in zip(each, value, strict=True)])
    if origin is not None and issubclass(origin, Mapping):
        inner = decoder(arguments[1])
        if inner is _same:
            return dict
        return lambda value: {k: inner(v) for k, v in value.items()}
    if kind is datetime:
        return moment
    if dataclasses.is_dataclass(kind):
        return _decoder(kind)
    return _same


def _decoder(kind: Any) -> Callable[[Any], Any]:
    told = 1 if KINDS.get(kind.__name__) is kind else 0
    plan: list[tuple[str, Callable[[Any], Any] | None]] = []        # None: what JSON has is what the field holds

    def build(value: dict[str, Any]) -> Any:
        if not plan:        # on first use: a class may hold itself
            private = private_fields(kind)
            for name in names(kind):
                inner = decoder(hints(kind)[name])
                plan.append((name, erasable(inner) if name in private else None if inner is _same else inner))
        made = object.__new__(kind)     # a frozen dataclass sets its fields one by one: three times the price
        fields, found = made.__dict__, told
        for name, turn in plan:         # in the class's order, in which orjson writes them back
            if name in value:
                one = value[name]
                fields[name] = one if turn is None or one is None else turn(one)
                found += 1
        if found != len(value):
            unknown = ", ".join(sorted(value.keys() - set(names(kind)) - {"type"}))
            raise RecordError(f"{kind.__name__} has no {unknown}.")
        # An older shape: what it lacks has its default.
        return made if found == len(plan) + told else kind(**fields)
    return build


def erasable(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decodes a value that may have been erased meanwhile: Erased itself, or its shape in an instance's state."""
    def turn(value: Any) -> Any:
        if isinstance(value, Erased):
            return value
        return gone(value) if type(value) is dict and value.keys() in ERASED else inner(value)
    return turn


ERASED = ({"h"}, {"h", "why"})              # the keys of an erased value: in a journal value, in an instance's state


def gone(shape: Mapping[str, str]) -> Erased:
    return Erased(shape["h"], shape.get("why", ""))


# What stands beside the body

@cache
def private_fields(kind: type) -> Mapping[str, str]:
    """Private field -> "whole" or "entries" (of a mapping)."""
    return {one.name: one.metadata["private"] for one in dataclasses.fields(kind) if one.metadata.get("private")}


def hide(value: Any, path: str, keep: Callable[[str, Any], str]) -> Any:
    """The shape of a command for `canonical`, with every private value replaced by {"h": keep(path, value)}."""
    if type(value) in ATOMS:
        return value
    if isinstance(value, dict):
        return {k: hide(v, f"{path}.{k}", keep) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [hide(v, f"{path}.{n}", keep) for n, v in enumerate(value)]
    if not dataclasses.is_dataclass(value):
        return encode(value)
    kind: type = type(value)
    shape: dict[str, Any] = {"type": kind.__name__} if KINDS.get(kind.__name__) is kind else {}
    private = private_fields(kind)
    for name in names(kind):
        inner = getattr(value, name)
        if inner is None or (type(inner) in ATOMS and name not in private):
            shape[name] = inner
        elif name not in private:
            shape[name] = hide(inner, f"{path}.{name}", keep)
        elif private[name] == "entries" and isinstance(inner, Mapping):
            shape[name] = {k: {"h": keep(f"{path}.{name}.{k}", encode(v))} for k, v in inner.items()}
        else:
            shape[name] = {"h": keep(f"{path}.{name}", encode(inner))}
    return shape


ATOMS = frozenset({str, int, bool, type(None), datetime})


def show(shape: Any, path: str, values: Mapping[str, Any]) -> Any:
    """The inverse of `hide`: {"h": ...} replaced by the value kept at its path, or by Erased."""
    if isinstance(shape, dict):
        if shape.keys() == {"h"}:
            return values.get(path, Erased(shape["h"]))
        return {k: show(v, f"{path}.{k}", values) for k, v in shape.items()}
    if isinstance(shape, list):
        return [show(v, f"{path}.{n}", values) for n, v in enumerate(shape)]
    return shape


def salted(salt: bytes, value: bytes) -> str:
    """Hex SHA-256(salt || canonical value)."""
    return sha256(salt + value).hexdigest()


def leaf(body: bytes) -> bytes:
    """SHA-256(0x00 || body): the leaf of RFC 6962."""
    return sha256(b"\x00" + body).digest()


def seal(key: bytes, hash: bytes) -> bytes:
    """HMAC-SHA-256 of a row's hash: who has only the database cannot append."""
    return hmac.digest(key, hash, "sha256")


def parse(body: bytes) -> dict[str, Any]:
    return json.loads(body)
