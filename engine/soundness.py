"""The soundness of a process: that it hangs together, that what it names is there, that every run of it ends.

Rules over a ProcessDefinition; no XML here. They belong to the gate (`gate.py`), which says how findings are written.
Conditions are not evaluated: a run is any way that tokens could take, whatever the answers.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from . import expressions
from .definition import BUILT_IN_NAMES, Element, Field, ProcessDefinition, Timer
from .gate import SUPPORTED_NODES, Findings, Judged, counted, folded, listed, nearest, plain_value, quoted, some
from .reminders import PLACEHOLDERS
from .sop import in_words, norm

MOST_NODES = 300                # the engine's own way of building a process ends at about 450 in a row
MOST_FLOWS = 1_000
MOST_LANES = 50
MOST_FIELDS = 1_000             # of all forms, columns of tables included
MOST_EXPRESSIONS = 100_000      # characters of all expressions together
MOST_MARKINGS = 20_000          # of the token game
MOST_MOVES = 200_000            # of tokens in it
WAITING = ("userTask", "intermediateCatchEvent")


def of_bounded_size(it: Judged) -> bool:
    """Whether the process is of a size that can be looked at, and run."""
    definition = it.definition
    fields = sum(1 + len(one.columns) for element in definition.elements.values() for one in element.form)
    counts = {"unsur": (len(definition.elements), MOST_NODES), "panah": (len(definition.flows), MOST_FLOWS),
              "lane": (len(definition.lanes), MOST_LANES), "isian dan kolom": (fields, MOST_FIELDS)}
    if all(count <= most for count, most in counts.values()):
        counts["huruf dalam ungkapan"] = (sum(len(one.source) for one in _written(it)), MOST_EXPRESSIONS)
    for what, (count, most) in counts.items():
        if count > most:
            it.error(definition.key, f"Proses memuat {counted(count)} {what}; paling banyak {counted(most)}. Pecah "
                                     "menjadi beberapa proses.")
    return all(count <= most for count, most in counts.values())


def of_definition(it: Judged) -> None:
    """What is to be said of a definition: its flows, its runs, its timers, its forms and expressions."""
    before = it.found.errors
    for rule in (_start_and_ends, _ways_out, _boundaries, _flow_ends, _conditions):
        rule(it)
    # How it runs is asked only of what hangs together: else one mistake would be told many times.
    if it.found.errors == before and all(one.kind in SUPPORTED_NODES for one in it.definition.elements.values()):
        _reached(it)
        _loops_that_wait(it)
        if it.found.errors == before:
            _sound(it)
    for rule in (_timers, _shared_fields, _initial_values, _references, _slots_refer, _tables_refer, _deadline_refers,
                 _placeholders, _expressions, _numbers_of_tasks, _advice):
        rule(it)


# How it hangs together

def _start_and_ends(it: Judged) -> None:
    starts = it.nodes("startEvent")
    if not starts:
        it.error(it.definition.key, "Proses tidak mempunyai start event. Tambahkan satu start event.")
    for one in starts[1:]:
        it.error(one.id, f"Proses mempunyai {len(starts)} start event; yang didukung tepat satu. Hapus yang lain.")
    for one in starts:
        if it.definition.incoming[one.id]:
            it.error(one.id, f"Start event {it.named(one.id)} mempunyai panah masuk. Arahkan panah itu ke langkah "
                             "pertama yang diulang.")
    if not it.nodes("endEvent"):
        it.error(it.definition.key, "Proses tidak mempunyai end event. Tambahkan end event setelah langkah terakhir.")
    for one in it.nodes("endEvent"):
        if it.definition.outgoing[one.id]:
            it.error(one.id, f"End event {it.named(one.id)} mempunyai panah keluar. Hapus panah itu atau ganti end "
                             "event dengan gateway.")


def _ways_out(it: Judged) -> None:
    """Where one token leaves by one flow. A task with two would split in silence."""
    for one in it.nodes("startEvent", "userTask", "boundaryEvent", "intermediateCatchEvent"):
        ways = len(it.definition.outgoing[one.id])
        if ways == 0:
            it.error(one.id, f"{it.named(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah berikutnya atau "
                             "ke end event.")
        elif ways > 1:
            it.error(one.id, f"{it.named(one.id)} mempunyai {ways} panah keluar; yang didukung satu. Letakkan gateway "
                             "sesudahnya: eksklusif untuk memilih, paralel untuk serentak.")
    for one in it.nodes("exclusiveGateway", "parallelGateway"):
        if not it.definition.outgoing[one.id]:
            it.error(one.id, f"Gateway {it.named(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah "
                             "berikutnya.")


def _boundaries(it: Judged) -> None:
    for one in it.nodes("boundaryEvent"):
        host = it.definition.elements.get(one.attached_to or "")
        if host is None or host.kind != "userTask":
            it.error(one.id, f"Boundary event {it.named(one.id)} tidak menempel pada user task. Tempelkan pada tepi "
                             "user task.")
        elif host.lane and one.lane and one.lane != host.lane:
            it.warning(one.id, f"Boundary event {it.named(one.id)} tercantum di lane lain daripada "
                               f"{it.named(host.id)}. Simpan ulang dari pemodel.")
        if it.definition.incoming[one.id]:
            it.error(one.id, f"Boundary event {it.named(one.id)} mempunyai panah masuk. Arahkan panah itu ke user "
                             "task-nya.")


def _flow_ends(it: Judged) -> None:
    pairs: set[tuple[str, str]] = set()
    for flow in it.definition.flows.values():
        for end, word in ((flow.source, "asal"), (flow.target, "tujuan")):
            if end not in it.definition.elements:
                it.error(flow.id, f"Panah {quoted(flow.id)} menyebut {word} {quoted(end)}, yang tidak ada di dalam "
                                  "proses. Hubungkan ulang panah itu.", flow.line)
        if flow.source == flow.target:
            it.error(flow.id, f"Panah {quoted(flow.id)} kembali ke unsur asalnya sendiri. Untuk mengulang, pakai "
                              "gateway eksklusif.", flow.line)
        if (flow.source, flow.target) in pairs:
            it.error(flow.id, f"Ada dua panah dari {it.named(flow.source)} ke {it.named(flow.target)}. Hapus salah "
                              "satu; gabungkan syaratnya dengan or.", flow.line)
        pairs.add((flow.source, flow.target))


def _conditions(it: Judged) -> None:
    """A condition on every flow out of a deciding gateway, but the default; and nowhere else."""
    for element in it.definition.elements.values():
        flows = it.definition.outgoing[element.id]
        deciding = element.kind == "exclusiveGateway" and len(flows) > 1
        if sum(flow.default for flow in flows) > 1 or (not deciding and any(flow.default for flow in flows)):
            it.error(element.id, f"{it.named(element.id)} mempunyai jalan bawaan (default) yang tidak berarti. Jalan "
                                 "bawaan hanya untuk satu panah keluar gateway eksklusif yang memilih.")
        for flow in flows:
            named = quoted(flow.name or flow.id)
            if flow.condition is None:
                if deciding and not flow.default:
                    it.error(flow.id, f"Panah {named} keluar dari gateway eksklusif {it.named(element.id)} tanpa "
                                      "syarat. Tulis syaratnya, misalnya =keputusan = \"setujui\", atau jadikan "
                                      "jalan bawaan.", flow.line)
            elif not deciding:
                it.error(flow.id, f"Panah {named} bersyarat, padahal tidak keluar dari gateway eksklusif yang "
                                  "memilih. Hapus syaratnya atau tambahkan gateway.", flow.line)
            elif flow.default:
                it.error(flow.id, f"Panah {named} adalah jalan bawaan tetapi juga bersyarat. Hapus salah satunya.",
                         flow.line)


# That every run ends

def _after(it: Judged, element: str) -> Iterator[str]:
    """Where a token may go from an element, its boundary events included."""
    yield from (flow.target for flow in it.definition.outgoing[element])
    yield from (one.id for one in it.definition.boundary_events[element])


def _walk(starts: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    seen, waiting = set(starts), list(starts)
    while waiting:
        for one in step(waiting.pop()):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return seen


def _reached(it: Judged) -> None:
    before: dict[str, list[str]] = {id: [] for id in it.definition.elements}
    for id in it.definition.elements:
        for one in _after(it, id):
            before[one].append(id)
    reached = _walk([it.definition.start.id], lambda id: _after(it, id))
    ending = _walk([one.id for one in it.nodes("endEvent")], lambda id: before[id])
    for id in it.definition.elements:
        if id not in reached:
            it.error(id, f"{it.named(id)} tidak dapat dicapai dari start event. Hubungkan dengan panah masuk atau "
                         "hapus.")
        elif id not in ending:
            it.error(id, f"Dari {it.named(id)} tidak ada jalan ke end event. Hubungkan lanjutannya sampai end event.")


def _loops_that_wait(it: Judged) -> None:
    """A loop without a user task or timer in it would turn for ever in one moment."""
    left = {one.id for one in it.definition.elements.values() if one.kind not in WAITING}
    while True:
        # What nothing in `left` leads to, or what leads to nothing in it, is on no loop.
        off = {id for id in left if not any(flow.source in left for flow in it.definition.incoming[id])
               or not any(flow.target in left for flow in it.definition.outgoing[id])}
        if not off:
            break
        left -= off
    if left:
        names = ", ".join(it.named(id) for id in sorted(left)[:5])
        it.error(min(left), f"Panah-panah antara {names} berputar tanpa user task atau timer, sehingga proses "
                            "berputar tanpa henti. Letakkan user task atau timer di dalam putaran itu.")


class TooMany(Exception):
    """More markings than we look at."""


_Moving = tuple[frozenset[str], tuple[str, ...]]
"""Tokens at rest, and the flows that others move along."""


def _sound(it: Judged) -> None:
    """Plays every run with tokens, whatever the conditions say: none gets stuck at a join, none meets another."""
    game = _Game(it.definition)
    try:
        game.play()
    except TooMany:
        it.error(it.definition.key, f"Proses mempunyai lebih dari {counted(MOST_MARKINGS)} keadaan yang mungkin, "
                                    "terlalu banyak untuk diperiksa. Kurangi cabang paralel yang berjalan bersamaan.")
    for id in sorted(game.doubled):
        it.error(id, f"Di {it.named(id)} dapat berkumpul lebih dari satu token: dua cabang yang berjalan bersamaan "
                     "tiba di sini sendiri-sendiri, atau timer membukanya lagi sebelum yang pertama selesai. Satukan "
                     "kedua cabang dengan gateway paralel sebelum unsur ini, atau ubah arah panah timer itu.")
    for id in sorted(game.stuck):
        it.error(id, f"Gateway paralel {it.named(id)} dapat menunggu selamanya: tidak semua panah masuknya pasti "
                     "dilalui, misalnya karena sebelumnya satu jalan dipilih. Satukan jalan pilihan dengan gateway "
                     "eksklusif.")


def resting_places(definition: ProcessDefinition) -> frozenset[frozenset[str]] | None:
    """Where the tokens of a run may rest together: ids of user tasks, of timers on the way, of flows before a join.

    Every set that some run comes to, reminders aside; None where there are more than we look at.
    """
    game = _Game(definition)
    try:
        seen = game.play()
    except TooMany:
        return None
    return frozenset(frozenset(one for one in marking if game.rests(one)) for marking in seen)


class _Game:
    """A bounded token game. A marking is the set of where tokens rest: at a waiting element (its id), at a parallel
    join (the id of the flow it came by), and for a reminder that fired once, the id of its boundary event."""

    def __init__(self, definition: ProcessDefinition):
        self.elements = definition.elements
        self.flows = definition.flows
        self.edges = definition.boundary_events
        self.start = definition.start.id
        self.outgoing = {id: tuple(flow.id for flow in flows) for id, flows in definition.outgoing.items()}
        self.awaited = {id: frozenset(flow.id for flow in definition.incoming[id]) for id in definition.elements
                        if definition.elements[id].kind == "parallelGateway" and len(definition.incoming[id]) > 1}
        self.doubled: set[str] = set()
        self.stuck: set[str] = set()
        self.moves = 0
        self.harmless = {id for id, one in definition.elements.items() if one.attached_to and self._only_ends(id)}

    def play(self) -> set[frozenset[str]]:
        """Looks at every marking that can be reached, and gives them. Raises TooMany past the limit."""
        waiting = list(self._settle(frozenset(), self.outgoing[self.start]))
        seen = set(waiting)
        while waiting:
            marking = waiting.pop()
            for after in self._after(marking):
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
            if len(seen) > MOST_MARKINGS:
                raise TooMany
            if not any(self._waits(one) for one in marking):
                self.stuck |= {self.flows[one].target for one in marking if one in self.flows}
        return seen

    def rests(self, id: str) -> bool:
        return id in self.flows or self._waits(id)

    def _waits(self, id: str) -> bool:
        return id in self.elements and self.elements[id].kind in WAITING

    def _after(self, marking: frozenset[str]) -> Iterator[frozenset[str]]:
        """The markings one act further: a waiting element goes on, or a timer at its edge fires."""
        for id in filter(self._waits, marking):
            edges = self.edges[id]
            gone = marking - {id} - {one.id for one in edges}
            yield from self._settle(gone, self.outgoing[id])
            for edge in edges:
                if edge.interrupting:
                    yield from self._settle(gone, self.outgoing[edge.id])
                elif edge.id not in marking and edge.id not in self.harmless:
                    # A cycle fires again and again, other timers once while their task is open.
                    fired = marking if edge.timer and edge.timer.kind == "cycle" else marking | {edge.id}
                    yield from self._settle(fired, self.outgoing[edge.id])

    def _settle(self, tokens: frozenset[str], moving: tuple[str, ...]) -> Iterator[frozenset[str]]:
        """Every marking in which tokens moving along these flows may come to rest. Which way a gateway decides is not
        known here, so every way is gone."""
        waiting = [(tokens, moving)]
        seen = set(waiting)
        while waiting:
            self.moves += 1
            if self.moves > MOST_MOVES:
                raise TooMany
            tokens, moving = waiting.pop()
            if not moving:
                yield tokens
                continue
            for further in self._move(tokens, moving[0], moving[1:]):
                if further not in seen:
                    seen.add(further)
                    waiting.append(further)

    def _move(self, tokens: frozenset[str], flow: str, rest: tuple[str, ...]) -> list[_Moving]:
        """What may come of one token that arrives by `flow`, while `rest` still move."""
        element = self.elements[self.flows[flow].target]
        out = self.outgoing[element.id]
        if element.kind in WAITING or element.id in self.awaited:
            return self._rest(tokens, flow, element.id, rest)
        if element.kind == "exclusiveGateway":
            return [(tokens, (way, *rest)) for way in out]
        if element.kind == "parallelGateway":
            return [(tokens, (*out, *rest))]
        assert element.kind == "endEvent", element.kind
        return [(frozenset(), ())] if element.terminate else [(tokens, rest)]

    def _rest(self, tokens: frozenset[str], flow: str, id: str, rest: tuple[str, ...]) -> list[_Moving]:
        """A token comes to a waiting element, or to a join: from there it goes on when the others have come."""
        place = flow if id in self.awaited else id
        if place in tokens:
            self.doubled.add(id)
            return []
        tokens |= {place}
        if id in self.awaited and self.awaited[id] <= tokens:
            return [(tokens - self.awaited[id], (*self.outgoing[id], *rest))]
        return [(tokens, rest)]

    def _only_ends(self, id: str) -> bool:
        """Whether a token that leaves here just ends, so that it need not be played."""
        def further(one: str) -> Iterable[str]:
            return () if self._waits(one) else [self.flows[way].target for way in self.outgoing[one]]

        behind = _walk([id], further)
        return all(one.kind in ("boundaryEvent", "exclusiveGateway") or (one.kind == "endEvent" and not one.terminate)
                   for one in (self.elements[id] for id in behind))


# Timers

_DURATION = re.compile(r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?)?")
_CYCLE = re.compile(r"R([1-9][0-9]{0,3})/(\S+)")
_INSTANT = re.compile(r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")
MOST_MINUTES = 3_650 * 24 * 60


def minutes(duration: str) -> int | None:
    """A duration of the working-time dialect in minutes, a day counted as 24 hours; None if it is none.

    `P<n>D`, `PT<n>H`, `PT<n>M` and their combinations: no weeks, months, years and seconds, whose working time nobody
    could say.
    """
    found = _DURATION.fullmatch(duration)
    if not found or not any(found.groups()) or duration.endswith("T"):
        return None
    days, hours, rest = (int(one or 0) for one in found.groups())
    return (days * 24 + hours) * 60 + rest


def _timers(it: Judged) -> None:
    timed: list[tuple[str, Timer, bool]] = [(one.id, one.timer, one.kind == "boundaryEvent" and not one.interrupting)
                                            for one in it.definition.elements.values() if one.timer]
    if it.definition.deadline:
        timed.append((it.definition.deadline.start_event, it.definition.deadline.timer, False))
    for id, timer, repeats in timed:
        if timer.kind == "cycle" and not repeats:
            it.error(id, f"Timer {it.named(id)} berulang, padahal hanya dapat lewat sekali. Pakai lama (P2D); siklus "
                         "hanya untuk boundary event yang tidak menghentikan user task.")
        elif not timer.expression.startswith("=") or timer.kind == "cycle":
            _timer_literal(it, id, timer)


def _timer_literal(it: Judged, id: str, timer: Timer) -> None:
    written = quoted(timer.expression)
    if timer.kind == "duration":
        length = minutes(timer.expression)
        if length is None or not 0 < length <= MOST_MINUTES:
            it.error(id, f"Lama {written} pada timer {it.named(id)} tidak dapat dihitung. Tulis hari, jam atau menit: "
                         "P2D, PT4H, PT20M, P1DT2H; lebih dari nol dan paling lama 3.650 hari.")
    elif timer.kind == "date":
        if not _is_instant(timer.expression):
            it.error(id, f"Tanggal {written} pada timer {it.named(id)} tidak dapat dibaca. Tulis ungkapan "
                         "(=date(tahun + 1, 3, 1)) atau tanggal lengkap dengan selisih waktunya "
                         "(2027-03-01T00:00:00+07:00).")
    else:
        cycle = _CYCLE.fullmatch(timer.expression)
        length = minutes(cycle[2]) if cycle else None
        if length is None or not 1 <= length <= MOST_MINUTES:
            it.error(id, f"Siklus {written} pada timer {it.named(id)} tidak dapat dihitung. Tulis berapa kali dan "
                         "setiap berapa lama: R3/P1D; 1 sampai 9999 kali, paling singkat PT1M.")


def _is_instant(text: str) -> bool:
    try:
        return _INSTANT.fullmatch(text) is not None and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


# Forms

def _form_places(it: Judged) -> Iterator[tuple[Element, Field]]:
    for element in it.definition.elements.values():
        for one in element.form:
            yield element, one


def _shared_fields(it: Judged) -> None:
    """One data document for the whole process: the same id in two forms is the same value."""
    first: dict[str, tuple[Element, Field]] = {}
    for element, one in _form_places(it):
        there, other = first.setdefault(one.id, (element, one))
        if there is element or one.type == other.type == "document":
            continue
        if (one.type, one.choices, one.columns) != (other.type, other.choices, other.columns):
            it.error(element.id, f"Isian {quoted(one.id)} di {it.named(element.id)} berbeda jenis, pilihan atau "
                                 f"kolomnya dari yang di {it.named(there.id)}, padahal nilainya satu. Samakan atau "
                                 "beri id lain.", one.line)
        else:
            it.warning(element.id, f"Isian {quoted(one.id)} juga ada di {it.named(there.id)}: nilainya satu dan yang "
                                   "belakangan menggantikan. Beri id lain bila itu bukan maksudnya.", one.line)


def _initial_values(it: Judged) -> None:
    known = set(it.definition.fields) | BUILT_IN_NAMES
    for element, one in _form_places(it):
        text = one.initial
        if text is None or text.startswith("="):
            continue
        unknown = [name for name in _PLACEHOLDER.findall(text) if name not in known]
        if one.type in ("table", "document"):
            it.error(element.id, f"Isian {quoted(one.id)} berjenis {one.type} tidak dapat bernilai awal. Hapus nilai "
                                 "awalnya.", one.line)
        elif unknown:
            it.error(element.id, f"Nilai awal isian {quoted(one.id)} menyebut {{{unknown[0][:60]}}}, yang bukan isian "
                                 "dalam proses ini. Perbaiki namanya.", one.line)
        elif not _suits(one, text):
            it.error(element.id, f"Nilai awal {quoted(text)} tidak cocok dengan jenis isian {quoted(one.id)} "
                                 f"({one.type}). Perbaiki nilainya.", one.line)
        elif one.type == "person":
            it.error(element.id, f"Isian {quoted(one.id)} memilih orang, sehingga tidak dapat bernilai awal. Hapus "
                                 "nilai awalnya.", one.line)


def _suits(one: Field, text: str) -> bool:
    return text in {choice.value for choice in one.choices} if one.type == "enum" else plain_value(one.type, text)


def _references(it: Judged) -> None:
    """Lanes that starters, recorders and reminders name."""
    definition = it.definition
    start = next(iter(it.nodes("startEvent")), None)
    named = [(lane.id, "sop.dicatatOleh", lane.recorded_by) for lane in definition.lanes]
    if start:
        named.append((start.id, "sop.pemulai", definition.starters))
    timers = [(one.id, one.timer) for one in definition.elements.values()]
    timers += [(definition.deadline.id, definition.deadline.timer)] if definition.deadline else []
    for id, timer in timers:
        if timer:
            named.append((id, "sop.kepada", listed(timer.reminder_to or "")))
            named.append((id, "sop.tembusan", listed(timer.reminder_copy or "")))
            named.append((id, "sop.atasan", timer.superior))
            named.append((id, "sop.atasanTembusan", timer.superior_copy))
            named.append((id, "sop.kabarKembaliKepada", timer.returned_to))
            named.append((id, "sop.perpanjangan", timer.extended_by))
    for id, property, lanes in named:
        for lane in [one for one in lanes if definition.lane(one.partition(":")[0]) is None][:1]:
            it.error(id, f"Properti {property} menyebut lane {quoted(lane)}, yang tidak ada. Lane dalam proses ini: "
                         f"{some(one.id for one in definition.lanes)}.")
    for one in definition.lanes:
        if one.recorded_by and not one.other_office:
            it.warning(one.id, f"Lane {quoted(one.name)} mempunyai sop.dicatatOleh tetapi bukan kantor lain. "
                                "Tambahkan sop.kantorLain = ya atau hapus.")


def _slots_refer(it: Judged) -> None:
    tasks, start = {one.id: one for one in it.nodes("userTask")}, next(iter(it.nodes("startEvent")), None)
    for element, one in _form_places(it):
        if (slot := one.slot) is None:
            continue
        said = f"Berkas {quoted(one.id)}"
        source = start if slot.origin == "mulai" else tasks.get(slot.origin or "")
        if slot.origin not in (None, "langkah") and (source is None or source.field(one.id) is None):
            it.error(element.id, f"{said} di {it.named(element.id)} berasal dari {quoted(slot.origin or '')}, yang "
                                 "tidak mempunyai berkas itu. Isi sop.asal dengan mulai, langkah, atau id user task "
                                 "yang menghasilkannya.", one.line)
        if slot.owed_until is not None and slot.owed_until not in tasks:
            it.error(element.id, f"{said} boleh menyusul sampai {quoted(slot.owed_until)}, yang bukan user task dalam "
                                 "proses ini. Isi sop.menyusul dengan id user task.", one.line)
        lanes = [lane.id for lane in it.definition.lanes]
        for attacher in [one for one in slot.attachers if one not in lanes][:1]:
            it.error(element.id, f"{said} boleh dilampirkan oleh lane {quoted(attacher)}, yang tidak ada. Isi "
                                 f"sop.pelampir dengan: {some(lanes)}.", one.line)
        text = it.definition.fields.get(slot.text_from or "")
        if slot.text_from is not None and (text is None or text.type == "document"):
            it.error(element.id, f"{said} dibuat dari isian {quoted(slot.text_from)}, yang tidak ada. Isi "
                                 "sop.teksDari dengan id isian dalam proses ini.", one.line)


def _tables_refer(it: Judged) -> None:
    for element, one in _form_places(it):
        for id in one.rows_from:
            other = it.definition.fields.get(id)
            if other is None or other.type != "table" or id == one.id:
                it.error(element.id, f"Tabel {quoted(one.id)} menjawab baris {quoted(id)}, yang bukan tabel lain "
                                     "dalam proses ini. Perbaiki sop.barisDari.", one.line)
        if one.appoints is None:
            continue
        if it.definition.lane(one.appoints) is None:
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim untuk lane {quoted(one.appoints)}, yang tidak "
                                 f"ada. Isi sop.menunjukTim dengan: {some(lane.id for lane in it.definition.lanes)}.",
                                 one.line)
        if not any(column.type == "person" for column in one.columns):
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim tetapi tidak mempunyai kolom berjenis person. "
                                 "Tambahkan kolom itu.", one.line)
        if one.personal:        # its rows say who performs: once erased, replay could not appoint them again
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim, padahal isiannya bersifat pribadi dan kelak "
                                 "dapat dihapus. Hapus sop.pribadi.", one.line)


def _deadline_refers(it: Judged) -> None:
    if (deadline := it.definition.deadline) and deadline.satisfied_by not in {one.id for one in it.nodes("userTask")}:
        it.error(deadline.id, f"Tenggat menyebut {quoted(deadline.satisfied_by)} sebagai langkah yang memenuhinya, "
                              "yang bukan user task dalam proses ini. Isi sop.tenggatUntuk dengan id user task.")


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _placeholders(it: Judged) -> None:
    timers = [(one.id, one.timer) for one in it.definition.elements.values() if one.timer]
    if it.definition.deadline:
        timers.append((it.definition.deadline.id, it.definition.deadline.timer))
    for id, timer in timers:
        texts = (timer.reminder, timer.subject, timer.near, timer.escalation, timer.returned)
        said = " ".join(text or "" for text in texts)
        for name in _PLACEHOLDER.findall(said):
            if name not in PLACEHOLDERS:
                it.error(id, f"Pengingat menyebut {{{name[:60]}}}, yang tidak dikenal. Yang dikenal: "
                             f"{', '.join(sorted(PLACEHOLDERS))}.")


# Expressions

@dataclass(frozen=True)
class _Written:
    """An expression where it is written: the element and line, what it is for, and names only it may use."""
    element: str
    line: int
    what: str
    source: str
    names: frozenset[str] = frozenset()


def _written(it: Judged) -> Iterator[_Written]:
    for flow in it.definition.flows.values():
        if flow.condition is not None:
            yield _Written(flow.id, flow.line, f"syarat panah {quoted(flow.name or flow.id)}", flow.condition)
    timers = [(one.id, one.timer) for one in it.definition.elements.values()]
    timers += [(one.start_event, one.timer) for one in (it.definition.deadline,) if one]
    for id, timer in timers:
        if timer and timer.kind != "cycle" and timer.expression.startswith("="):
            yield _Written(id, it.lines.get(id, 0), f"timer {it.named(id)}", timer.expression)
    for element, one in _form_places(it):
        for source, property in _field_expressions(one):
            yield _Written(element.id, one.line, f"{property} isian {quoted(one.id)}", source)
        names = frozenset(column.id for column in one.columns)
        for column in one.columns:
            if column.required_if is not None:
                yield _Written(element.id, one.line,
                    f"kolom {quoted(column.id)} tabel {quoted(one.id)}",
                    column.required_if, names)


def _field_expressions(one: Field) -> Iterator[tuple[str, str]]:
    slot = one.slot
    written = [(one.required_if, "sop.wajibJika"), (one.shown_if, "sop.tampilJika"), (one.valid_if, "sop.benarJika"),
               (one.filler_if, "sop.barisBawaanJika")]
    written += [(one.initial, "nilai awal")] if one.initial and one.initial.startswith("=") else []
    written += [(slot.same_if, "sop.samaJika"), (slot.owed_if, "sop.menyusulJika")] if slot else []
    return ((source, property) for source, property in written if source is not None)


def _expressions(it: Judged) -> None:
    forms = [one for _, one in _form_places(it)]
    columns = frozenset(column.id for one in forms for column in one.columns)
    personal = frozenset(one.id for one in forms if one.personal)
    for written in _written(it):
        try:
            parsed = expressions.parse(written.source)
        except expressions.ExpressionError as problem:
            where = "" if problem.position is None else f", mulai huruf ke-{problem.position + 1}"
            it.error(written.element, f"Ungkapan {written.what} tidak dapat dibaca sebagai FEEL{where}: "
                                      f"{quoted(written.source)}. Periksa penulisannya (a = b, a >= 2, \"teks\", and, "
                                      "or).", written.line)
            continue
        _names(it, written, parsed, columns, personal)


def _names(it: Judged, written: _Written, parsed: expressions.Expression, columns: frozenset[str],
           personal: frozenset[str]) -> None:
    fields = it.definition.fields
    for name in sorted(parsed.names | parsed.row_names):
        one = fields.get(name)
        if name in BUILT_IN_NAMES or name in written.names or (name in columns and name in parsed.row_names):
            continue
        if one is None:
            near = nearest(name, [*fields, *BUILT_IN_NAMES])
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(name)}, yang bukan isian dalam proses "
                                      f"ini. {f'Mungkin maksudnya {near}.' if near else 'Tulis id isian yang ada.'}",
                     written.line)
        elif one.type == "document":
            it.error(written.element, f"Ungkapan {written.what} menyebut berkas {quoted(name)} sebagai nilai. Tulis "
                                      f"berkas.{name[:60]}, yaitu jumlah berkas yang dilampirkan.", written.line)
        elif name in personal:
            it.error(written.element, f"Ungkapan {written.what} membaca {quoted(name)}, padahal isian itu bersifat "
                                      "pribadi dan kelak dapat dihapus. Pakai isian lain atau hapus sop.pribadi.",
                                      written.line)
    for path in sorted(parsed.paths):
        name, _, member = path.partition(".")
        if name == "berkas" and member.partition(".")[0] not in it.definition.document_types:
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(path)}, yang bukan berkas dalam "
                                      f"proses ini. Berkas yang ada: {some(it.definition.document_types)}.",
                                      written.line)


def of_expression(definition: ProcessDefinition, parsed: expressions.Expression,
                  fresh: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """What is to be said of one expression that is being written over the fields of a process: a sentence each.

    fresh  names that it may use besides: fields that the definition does not have yet.
    """
    found = Findings()
    columns = frozenset(column.id for one in definition.fields.values() for column in one.columns)
    personal = frozenset(one.id for one in definition.fields.values() if one.personal)
    _names(Judged(definition, {}, found), _Written("", 0, "ini", parsed.source, fresh), parsed, columns, personal)
    return tuple(one.message for one in found.all())


# The SOP's facts, and advice

def _numbers_of_tasks(it: Judged) -> None:
    seen: set[str] = set()
    for one in it.nodes("userTask"):
        if not one.number:
            it.warning(one.id, f"User task {it.named(one.id)} belum bernomor. Isi sop.nomor dengan nomor langkah "
                               "dalam SOP.")
        elif not re.fullmatch(r"[1-9][0-9]{0,2}", one.number):
            it.error(one.id, f"Nomor langkah {quoted(one.number)} pada {it.named(one.id)} tidak sah. Isi sop.nomor "
                             "dengan angka 1 sampai 999.")
        elif one.number in seen:
            it.error(one.id, f"Nomor langkah {one.number} dipakai lebih dari satu user task. Beri setiap langkah "
                             "nomor sendiri.")
        seen.add(one.number)


_WRITTEN_TIME = re.compile(r"([0-9]+)\s*(?:\([^)]*\))?\s*(hari|jam|menit)")


def _advice(it: Judged) -> None:
    """What runs, but probably was not meant."""
    for one in it.nodes("userTask"):
        if not one.name.strip():
            it.warning(one.id, f"User task {quoted(one.id)} belum bernama. Tulis kata kerja yang singkat.")
        drawn, written = norm(it.definition, one), one.properties.get("sop.waktu", "").strip()
        # "2 (dua) hari kerja" says the same as "2 hari"; what has no number at all is not compared.
        said = " ".join(f"{number} {word}" for number, word in _WRITTEN_TIME.findall(folded(written)))
        if said and drawn and said != in_words(drawn):
            it.warning(one.id, f"Waktu {quoted(written)} pada {it.named(one.id)} berbeda dari timernya "
                               f"({in_words(drawn)}). Samakan salah satunya.")
        if not it.definition.boundary_events[one.id]:
            it.warning(one.id, f"User task {it.named(one.id)} tidak mempunyai batas waktu. Tempelkan timer (Mutu Baku "
                               "Waktu), misalnya P2D, yang tidak menghentikan user task.")
    for one in it.nodes("parallelGateway"):
        if len(it.definition.incoming[one.id]) == len(it.definition.outgoing[one.id]) == 1:
            it.warning(one.id, f"Gateway paralel {it.named(one.id)} hanya dilewati, tidak membagi dan tidak "
                               "menyatukan. Hapus bila tidak diperlukan.")
    for element in it.definition.elements.values():
        decisions = [one for one in element.form if one.decision]
        for extra in decisions[1:]:
            it.warning(element.id, f"{it.named(element.id)} mempunyai {len(decisions)} isian keputusan; hanya satu "
                                   "yang digambar sebagai keputusan.", extra.line)


