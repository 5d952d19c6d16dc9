"""Which element of one version of a diagram is which of another: what a migration goes by, and what keeps it back.

What has the same id and is of the same kind is the same thing; a mapping says the rest. Pure, over two definitions and
an instance of the first. The sentences are for owners, in Indonesian.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from .definition import Element, ProcessDefinition, Timer
from .gate import quoted
from .instance import Problem, ProcessInstance, Refused
from .marking import ACTIVE, ARRIVED, OPEN, WAITING, Token
from .soundness import resting_places

KINDS = {"userTask": "langkah", "intermediateCatchEvent": "pengatur waktu di tengah alur",
         "boundaryEvent": "pengatur waktu", "exclusiveGateway": "percabangan", "parallelGateway": "percabangan paralel",
         "inclusiveGateway": "percabangan inklusif", "intermediateThrowEvent": "penanda",
         "subProcess": "subproses", "startEvent": "awal proses", "endEvent": "akhir proses"}


class Counterparts:
    """Two versions of a process, and who is who. An id that `mapping` does not name keeps its name."""

    def __init__(self, old: ProcessDefinition, new: ProcessDefinition, mapping: Mapping[str, str]):
        self.old, self.new, self.mapping = old, new, mapping

    def id(self, id: str) -> str:
        return self.mapping.get(id, id)

    def element(self, id: str) -> Element | None:
        """The counterpart of an element; None where it has none of its own kind."""
        old, new = self.old.elements.get(id), self.new.elements.get(self.id(id))
        return new if new and (old is None or old.kind == new.kind) else None

    def lane(self, id: str) -> str:
        return self.id(id)

    @cached_property
    def heirs(self) -> Mapping[str, str]:
        """Element of the new version -> the one of the old whose history it goes on with: itself where it stays."""
        found = {id: id for id in self.old.elements if self.id(id) == id}
        for id in self.old.elements:
            found.setdefault(self.id(id), id)
        return found

    def joined(self, id: str) -> bool:
        """Whether the counterpart goes on with the history of another: several were mapped to one."""
        return self.heirs.get(self.id(id), id) != id

    def renamed(self) -> tuple[tuple[str, str], ...]:
        """(id before, id now) of the elements and lanes that go on under another id, history and all."""
        elements = ((id, self.id(id)) for id in self.old.elements if not self.joined(id) and self.element(id))
        lanes = ((one.id, self.id(one.id)) for one in self.old.lanes if self.new.lane(self.id(one.id)))
        return tuple((id, target) for id, target in (*elements, *lanes) if id != target)

    @cached_property
    def timers(self) -> Mapping[str, str]:
        """Boundary event -> its counterpart, on the counterpart of its user task. The Waktu of a step stays the Waktu
        whatever its id, so that a reminder that was sent is not sent again."""
        found: dict[str, str] = {}
        for host in self.old.elements.values():
            target = self.element(host.id)
            if target is None:
                continue
            there = {one.id for one in self.new.boundary_events[target.id]}
            for one in self.old.boundary_events[host.id]:
                if self.id(one.id) in there:
                    found[one.id] = self.id(one.id)
            norm, other = self.old.norm(host.id), self.new.norm(target.id)
            if (norm and other and not self.joined(host.id) and norm.id not in found and norm.id not in self.mapping
                    and other.id not in found.values()):
                found[norm.id] = other.id
        return found

    def deadline(self, element: str) -> bool:
        """Whether it is the old version's process-wide deadline, and the new one has one too."""
        return bool(self.old.deadline and self.new.deadline and self.old.deadline.id == element)

    # What keeps an instance back

    def must_take(self, instance: ProcessInstance) -> None:
        """Raises Refused: `wrong` where the mapping or the instance does not allow it at all, `unmapped` where the
        counterpart of an open element must still be named; the problems say which."""
        if self.old.key != self.new.key:
            raise Refused("wrong", f"Versi itu milik proses lain ({self.new.key}), bukan {self.old.key}.")
        wrong = [*self._of_mapping()]
        if wrong:
            raise Refused("wrong", "Pemetaan tidak dapat dipakai. " + " ".join(one.message for one in wrong),
                          tuple(wrong))
        lacking = [problem for token in instance.marking.tokens for problem in self._of_token(token)]
        lacking += [*self._of_owed(instance)]
        if lacking:
            raise Refused("unmapped", "Berkas ini memerlukan pemetaan. " + " ".join(one.message for one in lacking),
                          tuple(lacking))
        for document in sorted(instance.owed):
            field = self.new.fields.get(document)
            if field is None or field.slot is None:
                label = self.old.fields[document].label if document in self.old.fields else document
                raise Refused("wrong", f"{label} masih menyusul, sedangkan versi tujuan tidak memintanya. Selesaikan "
                                       "dahulu berkas yang menyusul itu.")
        if not self._reached(instance):
            raise Refused("wrong", "Dengan pemetaan ini berkas berada pada keadaan yang tidak pernah dicapai versi "
                                   "tujuan, misalnya satu cabang paralel tanpa cabang pasangannya, sehingga tidak akan "
                                   "pernah selesai. Pilih langkah tujuan yang lain, atau biarkan berkas ini pada "
                                   "versinya.")

    def _of_mapping(self) -> Iterator[Problem]:
        lanes = [{one.id for one in side.lanes} for side in (self.old, self.new)]
        for id, target in sorted(self.mapping.items()):
            said = quoted(id)
            if id in self.old.elements:
                kind = self.old.elements[id].kind
                there = self.new.elements.get(target)
                if target == "":
                    if kind in ("userTask", "intermediateCatchEvent", "subProcess"):
                        yield Problem(id, f"{_named(self.old, id)} tidak dapat dihilangkan; pilih padanannya.")
                elif there is None:
                    yield Problem(id, f"Unsur {quoted(target)} tidak ada dalam versi tujuan.")
                elif there.kind != kind:
                    yield Problem(id, f"{_named(self.old, id)} tidak dapat dipetakan ke {KINDS[there.kind]} "
                                      f"{quoted(there.name or target)}; pilih {KINDS[kind]}.")
            elif id in self.old.flows or id in lanes[0]:
                known: object = self.new.flows if id in self.old.flows else lanes[1]
                assert isinstance(known, (Mapping, set)), "flows by id, lanes as ids"
                if target and target not in known:
                    yield Problem(id, f"{quoted(target)} tidak ada dalam versi tujuan.")
            else:
                yield Problem(id, f"Unsur {said} tidak ada dalam versi yang sedang dipakai.")

    def _of_token(self, token: Token) -> Iterator[Problem]:
        if token.status == ARRIVED:
            if not self._same_join(token.element):
                join = self.old.flows[token.element].target
                yield Problem(token.element, (
                    f"Satu cabang sudah menunggu di {_named(self.old, join)}, dan penggabungan itu berbeda dalam versi "
                    "tujuan."))
        elif rests(token):
            there = self.new.elements.get(self.id(token.element))
            if there is None:
                yield Problem(token.element, f"{_named(self.old, token.element)} tidak ada lagi dalam versi tujuan.")
            elif self.element(token.element) is None:
                yield Problem(token.element, (
                    f"{_named(self.old, token.element)} menjadi {KINDS[there.kind]} dalam versi tujuan."))

    def _of_owed(self, instance: ProcessInstance) -> Iterator[Problem]:
        """A document that must come before a step that is gone would never be asked for."""
        for until in sorted({one.until for one in instance.owed.values()}):
            if self.element(until) is None and until in self.old.elements:
                labels = ", ".join(sorted(self.old.fields[one.document].label for one in instance.owed.values()
                                          if one.until == until and one.document in self.old.fields))
                yield Problem(until, f"{_named(self.old, until)} tidak ada lagi dalam versi tujuan, sedangkan berkas "
                                     f"yang menyusul ({labels}) harus ada sebelum langkah itu.")

    def _same_join(self, flow: str) -> bool:
        """Whether a token that waits before a join still comes by a flow of the same join, with the same others."""
        there = self.new.flows.get(self.id(flow))
        join = self.old.flows[flow].target
        if there is None or self.id(join) != there.target or self.element(join) is None:
            return False
        return {self.id(one.id) for one in self.old.incoming[join]} == {
            one.id for one in self.new.incoming[there.target]}

    def _reached(self, instance: ProcessInstance) -> bool:
        """Whether a run of the new version can stand so; not asked of what no run of the old one comes to either, an
        administrator's correction say."""
        here = frozenset(t.element for t in instance.marking.tokens if rests(t))
        there = frozenset(self.id(id) for id in here)
        runs, others = runs_of(self.new), runs_of(self.old)
        if runs is None or others is None or here not in others:
            return True
        return there in runs and len(there) == len(here)


def asked(old: ProcessDefinition, id: str) -> tuple[str, ...]:
    """What must be named so that `id` has a counterpart: itself; of a branch that waits in a join, the join and every
    branch that leads into it."""
    if id not in old.flows:
        return (id,)
    join = old.flows[id].target
    return (join, *(one.id for one in old.incoming[join]))


def candidates(old: ProcessDefinition, new: ProcessDefinition, id: str) -> tuple[str, ...]:
    """The ids of the new version that may be the counterpart of `id`, in the order in which they are drawn."""
    if id in old.flows:
        kind = old.elements[old.flows[id].target].kind
        return tuple(one.id for one in new.flows.values() if new.elements[one.target].kind == kind)
    one = old.elements.get(id)
    if one is None:
        return tuple(lane.id for lane in new.lanes) if old.lane(id) else ()
    if one.kind == "userTask":
        return tuple(task.id for task in new.user_tasks)
    return tuple(there.id for there in new.elements.values() if there.kind == one.kind)


def named(definition: ProcessDefinition, id: str) -> str:
    """What an owner knows an element, a flow or a lane as: `Langkah 6 "Memeriksa dan memaraf"`."""
    flow, lane = definition.flows.get(id), definition.lane(id)
    if flow:
        between = f"dari {_named(definition, flow.source)} ke {_named(definition, flow.target)}"
        return f"Jalan {quoted(flow.name)} {between}" if flow.name else f"Jalan {between}"
    if lane:
        return f"Pelaksana {quoted(lane.name or id)}"
    return _named(definition, id) if id in definition.elements else id


def rests(token: Token) -> bool:
    """Whether the token is one of the run itself: no reminder at the edge of a task, no deadline."""
    return token.status in (OPEN, ACTIVE, ARRIVED) or (token.status == WAITING and not token.parent)


def same_time(one: Timer | None, other: Timer | None) -> bool:
    """Whether two timers count the same; their reminders may be worded otherwise."""
    return (one is None) == (other is None) and (one is None or other is None or (
        one.kind, one.expression, one.unit) == (other.kind, other.expression, other.unit))


_runs: dict[str, frozenset[frozenset[str]] | None] = {}


def runs_of(definition: ProcessDefinition) -> frozenset[frozenset[str]] | None:
    """`resting_places`, worked out once for a definition: what a hash names never changes."""
    if definition.sha256 not in _runs:
        if len(_runs) > 64:
            _runs.clear()
        _runs[definition.sha256] = resting_places(definition)
    return _runs[definition.sha256]


def _named(definition: ProcessDefinition, id: str) -> str:
    one = definition.elements[id]
    number = f" {one.number}" if one.number and one.kind == "userTask" else ""
    said = f"{KINDS[one.kind]}{number} {quoted(one.name or id)}"
    return said[0].upper() + said[1:]
