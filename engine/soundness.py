"""The soundness of a process: that it hangs together, that what it names is there, that every run of it ends.

Rules over a ProcessDefinition; no XML here. They belong to the gate (`gate.py`), which says how findings are written.
Conditions are not evaluated: a run is any way that tokens could take, whatever the answers.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from . import expressions
from .definition import BUILT_IN_NAMES, Element, Field, ProcessDefinition, Timer
from .gate import SUPPORTED_NODES, Findings, Judged, counted, folded, listed, quoted, some
from .gate_forms import plain_value
from .reduction import reduced
from .reminders import PLACEHOLDERS
from .sop import in_words, norm

MOST_NODES = 300                # the engine's own way of building a process ends at about 450 in a row
MOST_FLOWS = 1_000
MOST_LANES = 50
MOST_FIELDS = 1_000             # of all forms, columns of tables included
MOST_EXPRESSIONS = 100_000      # characters of all expressions together
MOST_MARKINGS = 20_000          # of the token game
MOST_WORK = 250_000             # tokens that are moved or looked at in it
MOST_FUEL = 50                  # steps of an expression that is tried out here; what needs more is left to the run
MOST_WAYS = 8                   # out of an inclusive gateway: every set of them is played
WAITING = ("userTask", "intermediateCatchEvent", "subProcess")
CHOOSING = ("exclusiveGateway", "inclusiveGateway")
JOINING = ("parallelGateway", "inclusiveGateway")


def of_bounded_size(it: Judged) -> bool:
    """Whether the process is of a size that can be looked at, and run."""
    definition = it.definition
    fields = sum(1 + len(one.columns) for element in definition.elements.values() for one in element.form)
    counts = {("unsur", "elements"): (len(definition.elements), MOST_NODES),
              ("panah", "flows"): (len(definition.flows), MOST_FLOWS),
              ("lane", "lanes"): (len(definition.lanes), MOST_LANES),
              ("isian dan kolom", "fields and columns"): (fields, MOST_FIELDS)}
    if all(count <= most for count, most in counts.values()):
        counts[("huruf dalam ungkapan", "characters of expressions")] = (
            sum(len(one.source) for one in _written(it)), MOST_EXPRESSIONS)
    for (what, english), (count, most) in counts.items():
        if count > most:
            it.error(definition.key, f"Proses memuat {counted(count)} {what}; paling banyak {counted(most)}. Pecah "
                                     "menjadi beberapa proses.",
                     f"The process has {count:,} {english}; at most {most:,} are read. Split it into several "
                     "processes.")
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
        _splits_that_meet(it)
        _joins_in_loops(it)
        if it.found.errors == before:
            _sound(it)
    for rule in (_timers, _shared_fields, _initial_values, _references, _slots_refer, _tables_refer, _deadline_refers,
                 _placeholders, _expressions, _numbers_of_tasks, _advice):
        rule(it)


# How it hangs together

def _start_and_ends(it: Judged) -> None:
    for place, inside in it.definition.inside.items():
        starts = [one for one in inside if one.kind == "startEvent"]
        where = place or it.definition.key
        what, english = ("Proses", "The process") if place is None else (it.said(place), it.said_in_english(place))
        if not starts:
            it.error(where, f"{what} tidak mempunyai awal (start event). Tambahkan satu awal.",
                     f"{english} has no start event. Add one start event.")
        for one in starts[1:]:
            it.error(one.id, f"{what} mempunyai {len(starts)} awal (start event); yang didukung tepat satu. Hapus "
                             "yang lain.",
                     f"{english} has {len(starts)} start events; exactly one is supported. Delete the others.")
        if not any(one.kind == "endEvent" for one in inside):
            it.error(where, f"{what} tidak mempunyai akhir (end event). Tambahkan akhir setelah langkah terakhir.",
                     f"{english} has no end event. Add an end event after the last step.")
    for one in it.nodes("startEvent"):
        if it.definition.incoming[one.id]:
            it.error(one.id, f"{it.said(one.id)} mempunyai panah masuk. Arahkan panah itu ke langkah "
                             "pertama yang diulang.",
                     f"{it.said_in_english(one.id)} has an incoming flow. Lead that flow to the first step that "
                     "is repeated.")
    for one in it.nodes("endEvent"):
        if it.definition.outgoing[one.id]:
            it.error(one.id, f"{it.said(one.id)} mempunyai panah keluar. Hapus panah itu atau ganti akhir (end event) "
                             "dengan percabangan (gateway).",
                     f"{it.said_in_english(one.id)} has an outgoing flow. Delete that flow or use a gateway "
                     "instead "
                     "of the end event.")


def _ways_out(it: Judged) -> None:
    """Where one token leaves by one flow. A task with two would split in silence."""
    for one in it.nodes("startEvent", "userTask", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent",
                        "subProcess"):
        ways = len(it.definition.outgoing[one.id])
        if ways == 0:
            it.error(one.id, f"{it.named(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah berikutnya atau "
                             "ke akhir (end event).",
                     f"{it.in_english(one.id)} has no outgoing flow. Join it to the next step or to an end event.")
        elif ways > 1:
            it.error(one.id, f"{it.named(one.id)} mempunyai {ways} panah keluar; yang didukung satu. Letakkan "
                             "percabangan (gateway) "
                             "sesudahnya: eksklusif untuk memilih, paralel untuk serentak.",
                     f"{it.in_english(one.id)} has {ways} outgoing flows; one is supported. Put a gateway after it: "
                     "exclusive to choose, parallel for all at once.")
    for one in it.nodes("exclusiveGateway", "parallelGateway", "inclusiveGateway"):
        ways = len(it.definition.outgoing[one.id])
        if one.kind == "inclusiveGateway" and ways > MOST_WAYS:
            it.error(one.id, f"{it.said(one.id)} mempunyai {ways} panah keluar; paling banyak "
                             f"{MOST_WAYS}. Bagi menjadi dua percabangan (gateway) berurutan.",
                     f"{it.said_in_english(one.id)} has {ways} outgoing flows; at most {MOST_WAYS} are "
                     "supported. Divide it into two, one after the other.")
        if not ways:
            it.error(one.id, f"{it.said(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah "
                             "berikutnya.",
                     f"{it.said_in_english(one.id)} has no outgoing flow. Join it to the next step.")


def _boundaries(it: Judged) -> None:
    for one in it.nodes("boundaryEvent"):
        host = it.definition.elements.get(one.attached_to or "")
        if host is None or host.kind not in ("userTask", "subProcess"):
            it.error(one.id, f"{it.said(one.id)} tidak menempel pada tugas atau subproses. "
                             "Tempelkan pada tepi salah satunya.",
                     f"{it.said_in_english(one.id)} is not attached to a user task or a subprocess. Attach it "
                     "to the edge of one.")
        elif host.within != one.within:
            it.error(one.id, f"{it.said(one.id)} menempel pada {it.named(host.id)}, yang berada di "
                             "tingkat lain (di dalam atau di luar subproses). Tempelkan ulang di pemodel.",
                     f"{it.said_in_english(one.id)} is attached to {it.in_english(host.id)}, which stands on "
                     "another level (inside or outside of a subprocess). Attach it again in the modeler.")
        elif host.lane and one.lane and one.lane != host.lane:
            it.warning(one.id, f"{it.said(one.id)} tercantum di lane lain daripada "
                               f"{it.named(host.id)}. Simpan ulang dari pemodel.",
                       f"{it.said_in_english(one.id)} is listed in another lane than {it.in_english(host.id)}. "
                       "Save "
                       "the diagram again in a modeler.")
        if it.definition.incoming[one.id]:
            it.error(one.id, f"{it.said(one.id)} mempunyai panah masuk. Arahkan panah itu ke "
                             f"{it.named(one.attached_to or '')}.",
                     f"{it.said_in_english(one.id)} has an incoming flow. Lead that flow to "
                     f"{it.in_english(one.attached_to or '')}.")


def _flow_ends(it: Judged) -> None:
    pairs: set[tuple[str, str]] = set()
    for flow in it.definition.flows.values():
        for end, word, english in ((flow.source, "asal", "source"), (flow.target, "tujuan", "target")):
            if end not in it.definition.elements:
                it.error(flow.id, f"{it.flow(flow)} menyebut {word} {quoted(end)}, yang tidak ada di dalam "
                                  "proses. Hubungkan ulang panah itu.",
                         f"{it.flow_in_english(flow)} names the {english} {quoted(end)}, which is not in the process. "
                         "Join that flow again.", flow.line)
        ends = [it.definition.elements[end] for end in (flow.source, flow.target) if end in it.definition.elements]
        if len(ends) == 2 and ends[0].within != ends[1].within:
            it.error(flow.id, f"{it.flow(flow)} "
                              "melintasi batas subproses. Arahkan panah ke subprosesnya; di "
                              "dalamnya mulai dari awal (start event) dan berakhir di akhir (end event).",
                     f"{it.flow_in_english(flow)} "
                     "crosses the border of a subprocess. Lead the flow to the subprocess; "
                     "inside, begin at its start event and end at an end event.", flow.line)
        if flow.source == flow.target:
            it.error(flow.id, f"{it.flow(flow)} kembali ke asalnya sendiri. Untuk mengulang, pakai "
                              "percabangan pilihan (gateway eksklusif).",
                     f"{it.flow_in_english(flow)} leads back to its own source. To repeat, use an exclusive gateway.",
                     flow.line)
        if (flow.source, flow.target) in pairs:
            it.error(flow.id, f"Ada dua panah dari {it.named(flow.source)} ke {it.named(flow.target)}. Hapus salah "
                              "satu; gabungkan syaratnya dengan or.",
                     f"There are two flows from {it.in_english(flow.source)} to {it.in_english(flow.target)}. Delete "
                     "one; join "
                     "their conditions with or.", flow.line)
        pairs.add((flow.source, flow.target))


def _conditions(it: Judged) -> None:
    """A condition on every flow out of a deciding gateway, but the default; and nowhere else."""
    for element in it.definition.elements.values():
        flows = it.definition.outgoing[element.id]
        deciding = element.kind in CHOOSING and len(flows) > 1
        if sum(flow.default for flow in flows) > 1 or (not deciding and any(flow.default for flow in flows)):
            it.error(element.id, f"{it.named(element.id)} mempunyai jalan bawaan (default) yang tidak berarti. Jalan "
                                 "bawaan hanya untuk satu panah keluar dari percabangan yang memilih.",
                     f"{it.in_english(element.id)} has a default flow without a meaning. A default is for one "
                     "outgoing flow "
                     "of an exclusive or inclusive gateway that chooses; delete it elsewhere.")
        if deciding and all(flow.condition is not None and _tried(flow.condition) is False for flow in flows):
            it.error(element.id, f"Tidak satu pun syarat panah keluar {it.named(element.id)} dapat terpenuhi, sehingga "
                                 "proses berhenti di sini. Perbaiki syaratnya atau beri jalan bawaan.",
                     f"None of the conditions of the flows out of {it.in_english(element.id)} can hold, so that the "
                     "process "
                     "stops here. Mend the conditions or give it a default flow.")
        for flow in flows:
            arrow, english = it.flow(flow), it.flow_in_english(flow)
            if flow.condition is None:
                if deciding and not flow.default:
                    it.error(flow.id, f"{arrow} belum bersyarat, padahal percabangan di pangkalnya memilih jalan. "
                                      "Tulis syaratnya, misalnya =keputusan = \"setujui\", atau jadikan jalan bawaan.",
                             f"{english} has no condition, but the gateway that it leaves chooses. Write one, such as "
                             "=keputusan = \"setujui\", or make it the default flow.", flow.line)
            elif not deciding:
                it.error(flow.id, f"{arrow} bersyarat, padahal tidak keluar dari percabangan yang memilih jalan. Hapus "
                                  "syaratnya atau tambahkan percabangan pilihan (gateway eksklusif).",
                         f"{english} has a condition but does not leave a gateway that chooses. Delete the condition "
                         "or add an exclusive gateway.", flow.line)
            elif flow.default:
                it.error(flow.id, f"{arrow} adalah jalan bawaan tetapi juga bersyarat. Hapus salah satunya.",
                         f"{english} is the default but has a condition too. Delete one of them.", flow.line)


# That every run ends

def _after(it: Judged, element: str) -> Iterator[str]:
    """Where a token may go from an element, its boundary events included."""
    yield from (flow.target for flow in it.definition.outgoing[element])
    yield from (one.id for one in it.definition.boundary_events[element])


def _walk(starts: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    waiting = list(starts)
    seen = set(waiting)
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
    reached = _walk([one.id for one in it.nodes("startEvent")], lambda id: _after(it, id))
    ending = _walk([one.id for one in it.nodes("endEvent")], lambda id: before[id])
    for id in it.definition.elements:
        if id not in reached:
            it.error(id, f"{it.named(id)} tidak dapat dicapai dari awal (start event). Hubungkan dengan panah masuk "
                         "atau "
                         "hapus.",
                     f"{it.in_english(id)} cannot be reached from the start event. Lead a flow to it or delete it.")
        elif id not in ending:
            it.error(id, f"Dari {it.named(id)} tidak ada jalan ke akhir (end event). Hubungkan lanjutannya sampai "
                         "akhir.",
                     f"From {it.in_english(id)} no way leads to an end event. Join what follows until an end event.")


def _waiting(definition: ProcessDefinition) -> set[str]:
    """The elements in which time goes by each time. A date that is over makes nobody wait; of a subprocess every way
    through must wait."""
    elements = definition.elements
    found = {one.id for one in elements.values() if one.kind == "userTask" or (
        one.kind == "intermediateCatchEvent" and not (one.timer and one.timer.kind == "date"))}
    for place in reversed(tuple(definition.inside)):        # the innermost first
        start = next((one.id for one in definition.inside[place] if one.kind == "startEvent"), None)
        if place is not None and start is not None and not _over_at_once(definition, start, found):
            found.add(place)
    return found


def _over_at_once(definition: ProcessDefinition, start: str, waiting: set[str]) -> bool:
    """Whether all may be over in the moment in which a token starts here: each branch of a parallel gateway is, or one
    way comes to an end that terminates. Joins are taken to be passed."""
    def further(id: str) -> list[str]:
        return [] if id in waiting else [flow.target for flow in definition.outgoing[id]]

    passed = _walk([start], further)
    over = {id for id in passed if definition.elements[id].kind == "endEvent"}
    if any(definition.elements[id].terminate for id in over):
        return True
    changed = True
    while changed:
        changed = False
        for id in passed - over - waiting:
            ways = [target in over for target in further(id)]
            if ways and (all(ways) if definition.elements[id].kind == "parallelGateway" else any(ways)):
                over.add(id)
                changed = True
    return start in over


def _loops_that_wait(it: Judged) -> None:
    """A loop without a user task or a timer of some length in it would turn for ever in one moment."""
    left = set(it.definition.elements) - _waiting(it.definition)
    into = {id: sum(flow.source in left for flow in it.definition.incoming[id]) for id in left}
    free = [id for id, count in into.items() if not count]
    while free:                                 # what nothing in `left` leads to is on no loop
        id = free.pop()
        left.discard(id)
        for flow in it.definition.outgoing[id]:
            if flow.target in left:
                into[flow.target] -= 1
                if not into[flow.target]:
                    free.append(flow.target)
    on_a_loop = {id for id in left if id in _walk(
        [flow.target for flow in it.definition.outgoing[id] if flow.target in left],
        lambda one: [flow.target for flow in it.definition.outgoing[one] if flow.target in left])}
    if on_a_loop:
        names = [", ".join(say(id) for id in sorted(on_a_loop)[:5]) for say in (it.named, it.in_english)]
        it.error(min(on_a_loop), f"Panah-panah antara {names[0]} berputar tanpa tugas atau timer berdurasi, sehingga "
                                 "proses berputar tanpa henti. Letakkan tugas atau timer berdurasi di dalam "
                                 "putaran "
                                 "itu.",
                 f"The flows between {names[1]} turn without a user task or a timer of some length, so that the "
                 "process "
                 "would turn for ever. Put a user task or such a timer into that loop.")


def _splits_that_meet(it: Judged) -> None:
    """Branches of a split that come together where nothing waits would double the tokens, again at each such split."""
    joins = {one.id for one in it.nodes(*JOINING) if len(it.definition.incoming[one.id]) > 1}
    passed = {one.id for one in it.nodes("exclusiveGateway", "intermediateThrowEvent", *JOINING)} - joins
    behind: dict[str, set[str]] = {}

    def further(id: str) -> list[str]:
        return [flow.target for flow in it.definition.outgoing[id] if flow.target in passed]

    for split in it.nodes(*JOINING):
        kind, english = ("beberapa (gateway inklusif)", "an inclusive") if split.kind == "inclusiveGateway" else (
            "sejajar (gateway paralel)", "a parallel")
        met: set[str] = set()
        for flow in it.definition.outgoing[split.id]:
            if flow.target in passed and not flow.default:          # the default is taken alone
                if flow.target not in behind:
                    behind[flow.target] = _walk([flow.target], further)
                if again := met & behind[flow.target]:
                    first = next(id for id in it.definition.elements if id in again)
                    it.error(first, f"Di {it.named(first)} bertemu dua cabang dari {it.said(split.id)} yang berjalan "
                                    "bersamaan, sehingga lanjutannya berlipat ganda. Satukan kedua cabang dengan "
                                    f"percabangan {kind}.",
                             f"Two branches of {it.said_in_english(split.id)} that run at the same time meet at "
                             f"{it.in_english(first)}, so that what follows is doubled. Join both branches by "
                             f"{english} gateway.")
                    break
                met |= behind[flow.target]


def _joins_in_loops(it: Judged) -> None:
    """An inclusive join waits for whoever can still come to it: on a loop, that may be who has just left it."""
    for one in it.nodes("inclusiveGateway"):
        if len(it.definition.incoming[one.id]) > 1 and one.id in _walk(
                _after(it, one.id), lambda id: _after(it, id)):
            it.error(one.id, f"{it.said(one.id)} menyatukan beberapa panah dan berada di dalam "
                             "putaran, sehingga tidak pasti apa yang ditunggunya. Letakkan cabang-cabangnya beserta "
                             "percabangan ini di dalam subproses, lalu ulangi subproses itu.",
                     f"{it.said_in_english(one.id)} joins several flows and stands in a loop, so that it "
                     "is not certain what it waits for. Put its branches and the gateway into a subprocess, and repeat "
                     "that.")


class TooMany(Exception):
    """More markings than we look at."""


class _Work:
    """What may be spent on the games of one file, all its levels together."""

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise TooMany


def _sound(it: Judged) -> None:
    """Plays every run with tokens, whatever the conditions say: none gets stuck at a join, none meets another. Each
    level is played by itself: of a subprocess the level around sees only that it waits."""
    work, more = _Work(), _Work()
    doubled: set[str] = set()
    stuck: set[str] = set()
    endless: set[str] = set()
    for place, scope in it.definition.scopes.items():
        game = _Game(scope, work)
        try:
            try:
                game.play()
            except TooMany:     # told of what was found already, else of a smaller process that runs the same way
                if not game.doubled and not game.stuck:
                    game = _Game(reduced(scope, game.harmless), more)
                    game.play()
        except TooMany:
            where = place or it.definition.key
            it.error(where, f"{'Proses' if place is None else it.said(place)} mempunyai lebih dari "
                            f"{counted(MOST_MARKINGS)} keadaan yang mungkin, terlalu banyak untuk diperiksa. Kurangi "
                            "cabang paralel yang berjalan bersamaan, atau letakkan sebagian di dalam subproses.",
                     f"{'The process' if place is None else it.said_in_english(place)} has more than "
                     f"{MOST_MARKINGS:,} possible states, too many to be checked. Use fewer parallel branches at a "
                     "time, or put some into a subprocess.")
            break
        doubled |= game.doubled
        stuck |= game.stuck
        endless |= game.endless
    _say_unsound(it, doubled, stuck)
    for id in sorted(endless):
        it.error(id, f"Sampai di {it.named(id)}, proses tidak pernah dapat selesai: selalu ada cabang yang kembali ke "
                     "dalam putaran. Pilih antara mengulang dan selesai dengan percabangan pilihan (gateway "
                     "eksklusif).",
                 f"Once it comes to {it.in_english(id)}, the process can never end: there is always a branch that "
                 "goes back "
                 "into a loop. Choose between repeating and ending by an exclusive gateway.")


def _say_unsound(it: Judged, doubled: set[str], stuck: set[str]) -> None:
    for id in sorted(doubled):
        it.error(id, f"{it.named(id)} dapat dicapai dua kali sekaligus: dua cabang yang berjalan bersamaan tiba di "
                     "sini "
                     "sendiri-sendiri, atau timer membukanya lagi sebelum yang pertama selesai. Satukan kedua cabang "
                     "dengan percabangan sejajar (gateway paralel) sebelumnya, atau ubah arah panah timer itu.",
                 f"{it.in_english(id)} may be come to twice at a time: two branches that run at the same time come "
                 "here "
                 "each for itself, or a timer opens it again before the first is done. Join both branches by a "
                 "parallel gateway before it, or lead the timer's flow elsewhere.")
    for id in sorted(stuck):
        it.error(id, f"{it.said(id)} dapat menunggu selamanya: tidak semua panah masuknya pasti "
                     "dilalui, misalnya karena sebelumnya satu jalan dipilih. Satukan jalan pilihan dengan "
                     "percabangan pilihan (gateway eksklusif).",
                 f"{it.said_in_english(id)} may wait for ever: not all its incoming flows are sure to be "
                 "taken, for example because one way was chosen before. Join ways that were chosen by an exclusive "
                 "gateway.")


def resting_places(definition: ProcessDefinition) -> frozenset[frozenset[str]] | None:
    """Where the tokens of a run may rest together: ids of user tasks, of timers on the way, of flows before a join, of
    subprocesses and of what rests in these.

    Every set that some run comes to, reminders aside; None where there are more than we look at.
    """
    try:
        return _resting(definition, None, _Work())
    except TooMany:
        return None


def _resting(definition: ProcessDefinition, place: str | None, work: _Work) -> frozenset[frozenset[str]]:
    """What rests together on one level and below it: what goes on in one subprocess is nothing to the others."""
    game = _Game(definition.scopes[place], work)
    rests = {frozenset(game.places[n] for n in game.tokens(marking & ~game.fired)) for marking in game.play()}
    for inner in definition.inside[place]:
        if inner.kind == "subProcess":
            inside = [one for one in _resting(definition, inner.id, work) if one]     # none left: it has been left
            grown: set[frozenset[str]] = set()
            for one in rests:
                grown |= {one | rest for rest in inside} if inner.id in one else {one}
                if len(grown) > MOST_MARKINGS:
                    raise TooMany
            rests = grown
    return frozenset(rests)


_PASSED = ("boundaryEvent", "exclusiveGateway", "intermediateThrowEvent")


class _Game:
    """A bounded token game. A marking is the set of where tokens rest, each place a bit of a number: a waiting element,
    a flow that leads to a join; and for a reminder that fired once, its boundary event."""

    def __init__(self, definition: ProcessDefinition, work: _Work | None = None):
        self.elements = definition.elements
        self.targets = {id: flow.target for id, flow in definition.flows.items()}
        self.outgoing = {id: tuple(flow.id for flow in flows) for id, flows in definition.outgoing.items()}
        self.defaults = frozenset(flow.id for flow in definition.flows.values() if flow.default)
        self.start = definition.start.id
        joins = [id for id, one in definition.elements.items()
                 if one.kind in JOINING and len(definition.incoming[id]) > 1]
        waiting = [id for id, one in definition.elements.items() if one.kind in WAITING]
        arriving = [flow.id for id in joins for flow in definition.incoming[id]]
        edges = [id for id, one in definition.elements.items() if one.attached_to]
        self.places = (*waiting, *arriving, *edges)
        self.bit = {id: 1 << n for n, id in enumerate(self.places)}
        self.awaited = {id: sum(self.bit[flow.id] for flow in definition.incoming[id]) for id in joins}
        self.waits, self.fired = self._bits(waiting), self._bits(edges)
        self.edges = {id: definition.boundary_events[id] for id in waiting}
        self.closed = {id: self.bit[id] | self._bits(one.id for one in self.edges[id]) for id in waiting}
        self.doubled: set[str] = set()
        self.stuck: set[str] = set()
        self.endless: set[str] = set()
        self.work = work or _Work()
        self.inclusive = [id for id in joins if self.elements[id].kind == "inclusiveGateway"]
        self.definition = definition
        self.reach: dict[str, dict[str, int]] = {}
        self.standing = {n: self.targets.get(id, id) for n, id in enumerate(self.places)}
        self.harmless = frozenset(id for id in edges if not self.elements[id].interrupting and self._only_ends(id))

    def _bits(self, ids: Iterable[str]) -> int:
        return sum(self.bit[id] for id in ids)

    def tokens(self, marking: int) -> Iterator[int]:
        """The places of a marking, by their numbers."""
        while marking:
            lowest = marking & -marking
            yield lowest.bit_length() - 1
            marking ^= lowest

    def play(self) -> set[int]:
        """Looks at every marking that can be reached, and gives them. Raises TooMany past the limit."""
        self.reach = {id: self._reach(id) for id in self.inclusive}
        waiting = list(self._settle(0, self.outgoing[self.start]))
        seen = set(waiting)
        before: dict[int, list[int]] = {}
        while waiting:
            marking = waiting.pop()
            for after in self._after(marking):
                before.setdefault(after, []).append(marking)
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
            if len(seen) > MOST_MARKINGS:
                raise TooMany
            if not marking & self.waits:
                left = {self.targets[self.places[n]] for n in self.tokens(marking & ~self.fired)}
                # An inclusive join waits only for who is stuck elsewhere.
                self.stuck |= left.difference(self.inclusive) or left
        if not self.doubled and not self.stuck:
            never = self._never(seen, before)
            self.endless |= {self.places[n] for n in self.tokens(never & self.waits)}
        return seen

    def _never(self, seen: set[int], before: Mapping[int, list[int]]) -> int:
        """Of the markings from which no run comes to its end the one with the fewest tokens; 0 where each can end."""
        ending = [marking for marking in seen if not marking & ~self.fired]
        can = set(ending)
        while ending:
            for one in before.get(ending.pop(), ()):
                if one not in can:
                    can.add(one)
                    ending.append(one)
        return min(seen - can, key=lambda marking: (marking.bit_count(), marking), default=0)

    def _reach(self, join: str) -> dict[str, int]:
        """Element -> the flows into an inclusive join that a token which leaves it may come by, the join itself not
        passed on the way: `ProcessDefinition.ways_to`, in numbers and within bounds."""
        found: dict[str, int] = {}
        for flow in self.definition.incoming[join]:
            behind, bit = [flow.source], self.bit[flow.id]
            while behind:
                id = behind.pop()
                if id != join and not found.get(id, 0) & bit:
                    self.work.spend(1)
                    found[id] = found.get(id, 0) | bit
                    behind += [one.source for one in self.definition.incoming[id]]
                    behind += [host] if (host := self.elements[id].attached_to) else []
        return found

    def _goes_on(self, marking: int) -> str | None:
        """An inclusive join that has a token and waits for no other: none can still come by a flow that has none yet.
        Who may as well come by a flow that has one is not waited for. Source: BPMN 2.0.2, 13.4.3."""
        for id in self.inclusive:
            come = marking & self.awaited[id]
            if come:
                lacking, reach = self.awaited[id] & ~marking, self.reach[id]
                self.work.spend(1 + marking.bit_count() // 8)
                if not any(ways & lacking and not ways & come for ways in self._still(marking & ~come, reach)):
                    return id
        return None

    def _still(self, marking: int, reach: Mapping[str, int]) -> Iterator[int]:
        """By which flows into a join each of these tokens may come, timers that may yet fire among them."""
        for n in self.tokens(marking & ~self.fired):
            yield reach.get(self.standing[n], 0)
            for edge in self.edges.get(self.places[n], ()):
                if not marking & self.bit[edge.id]:
                    yield reach.get(edge.id, 0)

    def _after(self, marking: int) -> Iterator[int]:
        """The markings one act further: a waiting element goes on, or a timer at its edge fires."""
        for n in self.tokens(marking & self.waits):
            id = self.places[n]
            gone = marking & ~self.closed[id]
            yield from self._settle(gone, self.outgoing[id])
            for edge in self.edges[id]:
                if edge.interrupting:
                    yield from self._settle(gone, self.outgoing[edge.id])
                elif not marking & self.bit[edge.id] and edge.id not in self.harmless:
                    # A cycle fires again and again, other timers once while their task is open.
                    fired = marking if edge.timer and edge.timer.kind == "cycle" else marking | self.bit[edge.id]
                    yield from self._settle(fired, self.outgoing[edge.id])

    def _settle(self, tokens: int, moving: tuple[str, ...]) -> Iterator[int]:
        """Every marking in which tokens moving along these flows may come to rest. Which way a gateway decides is not
        known here, so every way is gone."""
        waiting = [(tokens, moving)]
        seen = set(waiting)
        while waiting:
            tokens, moving = waiting.pop()
            self.work.spend(1 + len(moving))
            if not moving:
                join = self._goes_on(tokens) if self.inclusive else None
                if join is None:
                    yield tokens
                    continue
                joined = tokens & ~self.awaited[join]
                further = [(joined, ways) for ways in self._ways(join, ())]
            else:
                further = self._move(tokens, moving[0], moving[1:])
            for one in further:
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
                    self.work.spend(len(one[1]) // 8)

    def _move(self, tokens: int, flow: str, rest: tuple[str, ...]) -> list[tuple[int, tuple[str, ...]]]:
        """What may come of one token that arrives by `flow`, while `rest` still move."""
        element = self.elements[self.targets[flow]]
        if element.kind in WAITING or element.id in self.awaited:
            return self._rest(tokens, flow, element.id, rest)
        if element.kind == "endEvent":
            return [(0, ())] if element.terminate else [(tokens, rest)]
        return [(tokens, ways) for ways in self._ways(element.id, rest)]

    def _ways(self, id: str, rest: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The flows by which a token leaves what does not wait, whichever it takes, before the `rest` that move too."""
        out, kind = self.outgoing[id], self.elements[id].kind
        if kind == "inclusiveGateway":
            self.work.spend((1 << len(out)) * (1 + len(rest) // 8))
            alone = [way for way in out if way in self.defaults]        # taken where no condition holds
            others = [way for way in out if way not in self.defaults]
            return [*((way, *rest) for way in alone),
                    *((*(way for n, way in enumerate(others) if chosen >> n & 1), *rest)
                      for chosen in range(1, 1 << len(others)))]
        if kind == "exclusiveGateway":
            self.work.spend(len(out) * (1 + len(rest) // 8))
            return [(way, *rest) for way in out]
        assert kind in ("parallelGateway", "intermediateThrowEvent"), kind
        return [(*out, *rest)]

    def _rest(self, tokens: int, flow: str, id: str, rest: tuple[str, ...]) -> list[tuple[int, tuple[str, ...]]]:
        """A token comes to a waiting element, or to a join: from there it goes on when the others have come."""
        place = self.bit[flow if id in self.awaited else id]
        if place & tokens:
            self.doubled.add(id)
            return []
        tokens |= place
        if id in self.awaited and id not in self.inclusive and self.awaited[id] & tokens == self.awaited[id]:
            return [(tokens & ~self.awaited[id], ways) for ways in self._ways(id, rest)]
        return [(tokens, rest)]

    def _only_ends(self, id: str) -> bool:
        """Whether a token that leaves here just ends, so that it need not be played."""
        def further(one: str) -> Iterable[str]:
            kind = self.elements[one].kind
            return [self.targets[way] for way in self.outgoing[one]] if kind in _PASSED else ()

        behind = _walk([id], further)
        return all(one.kind in _PASSED or (one.kind == "endEvent" and not one.terminate)
                   for one in (self.elements[id] for id in behind))


# Timers

_DURATION = re.compile(r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?)?")
_CYCLE = re.compile(r"R([1-9][0-9]{0,3})/(\S+)")
_INSTANT = re.compile(r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")
FIRST_YEAR, LAST_YEAR = 2026, 2199      # of a date that is written: before it Alur was not
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
            it.error(id, f"{it.said(id)} berulang, padahal hanya dapat lewat sekali. Pakai lama (P2D); siklus "
                         "hanya untuk timer di tepi (boundary event) yang tidak menghentikan tugas.",
                     f"{it.said_in_english(id)} repeats, but can go by only once. Use a duration (P2D); a cycle is "
                     "only "
                     "for a boundary event that does not interrupt its user task.")
        elif not timer.expression.startswith("=") or timer.kind == "cycle":
            _timer_written(it, id, timer, timer.expression)
        elif (computed := _tried(timer.expression)) is not _UNKNOWN:
            # What needs no data can be told now.
            _timer_written(it, id, timer, _as_written(computed))


def _as_written(value: object) -> str:
    """A computed date or duration as a timer would write it; what is neither as a text that no timer has."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC, microsecond=0).isoformat()
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, timedelta):
        whole, rest = divmod(value, timedelta(minutes=1))
        return f"PT{whole}M" if not rest and 0 < whole < 10**6 else f"P{value.days}D" if not rest and value.days >= 0 \
            and not value.seconds else "?"
    return value if isinstance(value, str) else "?"


def _timer_written(it: Judged, id: str, timer: Timer, text: str) -> None:
    written = quoted(timer.expression)
    if timer.kind == "duration":
        length = minutes(text)
        if length is None or not 0 < length <= MOST_MINUTES:
            it.error(id, f"Lama {written} pada {it.said(id)} tidak dapat dihitung. Tulis hari, jam atau menit: "
                         "P2D, PT4H, PT20M, P1DT2H; lebih dari nol dan paling lama 3.650 hari.",
                     f"The duration {written} of {it.said_in_english(id)} cannot be counted. Write days, hours or "
                     "minutes: P2D, PT4H, PT20M, P1DT2H; more than nothing and at most 3,650 days.")
    elif timer.kind == "date":
        if not _is_instant(text):
            it.error(id, f"Tanggal {written} pada {it.said(id)} tidak dapat dibaca, atau tidak di antara tahun "
                         f"{FIRST_YEAR} dan {LAST_YEAR}. Tulis ungkapan (=date(tahun + 1, 3, 1)) atau tanggal lengkap "
                         "dengan selisih waktunya (2027-03-01T00:00:00+07:00).",
                     f"The date {written} of {it.said_in_english(id)} cannot be read, or is not between the years "
                     f"{FIRST_YEAR} and {LAST_YEAR}. Write an expression (=date(tahun + 1, 3, 1)) or a whole date with "
                     "its offset (2027-03-01T00:00:00+07:00).")
    else:
        cycle = _CYCLE.fullmatch(text)
        length = minutes(cycle[2]) if cycle else None
        if length is None or not 1 <= length <= MOST_MINUTES:
            it.error(id, f"Siklus {written} pada {it.said(id)} tidak dapat dihitung. Tulis berapa kali dan "
                         "setiap berapa lama: R3/P1D; 1 sampai 9999 kali, paling singkat PT1M.",
                     f"The cycle {written} of {it.said_in_english(id)} cannot be counted. Write how often and every "
                     "how "
                     "long: R3/P1D; 1 to 9999 times, at least PT1M apart.")


def _is_instant(text: str) -> bool:
    try:
        return _INSTANT.fullmatch(text) is not None and FIRST_YEAR <= datetime.fromisoformat(text).year <= LAST_YEAR
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
                                 "beri id lain.",
                     f"The field {quoted(one.id)} of {it.in_english(element.id)} has another type, other choices or "
                     "columns "
                     f"than that of {it.in_english(there.id)}, although it is one value. Make them equal or give one "
                     "another "
                     "id.", one.line)
        else:
            it.warning(element.id, f"Isian {quoted(one.id)} juga ada di {it.named(there.id)}: nilainya satu dan yang "
                                   "belakangan menggantikan. Beri id lain bila itu bukan maksudnya.",
                       f"The field {quoted(one.id)} is in {it.in_english(there.id)} too: it is one value, and the "
                       "later "
                       "replaces the earlier. Give it another id if that is not meant.", one.line)


def _initial_values(it: Judged) -> None:
    known = set(it.definition.fields) | BUILT_IN_NAMES
    for element, one in _form_places(it):
        text = one.initial
        if text is None or text.startswith("="):
            continue
        unknown = [name for name in _PLACEHOLDER.findall(text) if name not in known]
        if one.type in ("table", "document"):
            it.error(element.id, f"Isian {quoted(one.id)} berjenis {one.type} tidak dapat bernilai awal. Hapus nilai "
                                 "awalnya.",
                     f"The field {quoted(one.id)} of type {one.type} cannot have an initial value. Delete "
                     "it.", one.line)
        elif unknown:
            it.error(element.id, f"Nilai awal isian {quoted(one.id)} menyebut {{{unknown[0][:60]}}}, yang bukan isian "
                                 "dalam proses ini. Perbaiki namanya.",
                     f"The initial value of the field {quoted(one.id)} names {{{unknown[0][:60]}}}, which is no "
                     "field of "
                     "this process. Mend the name.", one.line)
        elif not _suits(one, text):
            it.error(element.id, f"Nilai awal {quoted(text)} tidak cocok dengan jenis isian {quoted(one.id)} "
                                 f"({one.type}). Perbaiki nilainya.",
                     f"The initial value {quoted(text)} does not suit the type of the field {quoted(one.id)} "
                     f"({one.type}). Mend the value.", one.line)
        elif one.type == "person":
            it.error(element.id, f"Isian {quoted(one.id)} memilih orang, sehingga tidak dapat bernilai awal. Hapus "
                                 "nilai awalnya.",
                     f"The field {quoted(one.id)} chooses a person, so that it cannot have an initial value. Delete "
                     "it.",
                     one.line)


def _suits(one: Field, text: str) -> bool:
    return text in {choice.value for choice in one.choices} if one.type == "enum" else plain_value(one.type, text)


def _references(it: Judged) -> None:
    """Lanes that starters, recorders and reminders name."""
    definition = it.definition
    start = next((one for one in it.nodes("startEvent") if one.within is None), None)
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
    known = {one.id for one in definition.lanes}
    there = some(one.id for one in definition.lanes)
    for id, property, lanes in named:
        for lane in [one for one in lanes if one.partition(":")[0] not in known][:1]:
            it.error(id, f"Properti {property} menyebut lane {quoted(lane)}, yang tidak ada. Lane dalam proses ini: "
                         f"{there}.",
                     f"The property {property} names the lane {quoted(lane)}, which does not exist. Name one of the "
                     f"lanes of this process: {there}.")
    for one in definition.lanes:
        if one.recorded_by and not one.other_office:
            it.warning(one.id, f"Lane {quoted(one.name)} mempunyai Dicatat oleh (sop.dicatatOleh), tetapi bukan "
                               "kantor lain. "
                                "Centang Kantor lain (sop.kantorLain) atau hapus.",
                       f"The lane {quoted(one.name)} has sop.dicatatOleh but is not another office. Add sop.kantorLain "
                       "= ya or delete it.")


def _slots_refer(it: Judged) -> None:
    tasks = {one.id: one for one in it.nodes("userTask")}
    start = next((one for one in it.nodes("startEvent") if one.within is None), None)
    lanes = {lane.id: None for lane in it.definition.lanes}
    for element, one in _form_places(it):
        if (slot := one.slot) is None:
            continue
        said, english = f"Berkas {quoted(one.id)}", f"The document {quoted(one.id)}"
        source = start if slot.origin == "mulai" else tasks.get(slot.origin or "")
        if slot.origin not in (None, "langkah") and (source is None or source.field(one.id) is None):
            it.error(element.id, f"{said} di {it.named(element.id)} berasal dari {quoted(slot.origin or '')}, yang "
                                 "tidak mempunyai berkas itu. Isi Asal (sop.asal) dengan mulai, langkah, atau id tugas "
                                 "yang menghasilkannya.",
                     f"{english} of {it.in_english(element.id)} comes from {quoted(slot.origin or '')}, which has no "
                     "such "
                     "document. Set sop.asal to mulai, langkah, or the id of the user task that makes it.", one.line)
        if slot.owed_until is not None and slot.owed_until not in tasks:
            it.error(element.id, f"{said} boleh menyusul sampai {quoted(slot.owed_until)}, yang bukan tugas dalam "
                                 "proses ini. Isi Boleh menyusul (sop.menyusul) dengan id tugas.",
                     f"{english} may follow until {quoted(slot.owed_until)}, which is no user task of this process. "
                     "Set "
                     "sop.menyusul to the id of a user task.", one.line)
        for attacher in [one for one in slot.attachers if one not in lanes][:1]:
            it.error(element.id, f"{said} boleh dilampirkan oleh lane {quoted(attacher)}, yang tidak ada. Isi "
                                 f"sop.pelampir dengan: {some(lanes)}.",
                     f"{english} may be attached by the lane {quoted(attacher)}, which does not exist. Set "
                     "sop.pelampir "
                     f"to: {some(lanes)}.", one.line)
        text = it.definition.fields.get(slot.text_from or "")
        if slot.text_from is not None and (text is None or text.type == "document"):
            it.error(element.id, f"{said} dibuat dari isian {quoted(slot.text_from)}, yang tidak ada. Isi "
                                 "sop.teksDari dengan id isian dalam proses ini.",
                     f"{english} is made from the field {quoted(slot.text_from)}, which does not exist. Set "
                     "sop.teksDari to the id of a field of this process.", one.line)


def _tables_refer(it: Judged) -> None:
    for element, one in _form_places(it):
        for id in one.rows_from:
            other = it.definition.fields.get(id)
            if other is None or other.type != "table" or id == one.id:
                it.error(element.id, f"Tabel {quoted(one.id)} menjawab baris {quoted(id)}, yang bukan tabel lain "
                                     "dalam proses ini. Perbaiki sop.barisDari.",
                         f"The table {quoted(one.id)} answers rows of {quoted(id)}, which is no other table of this "
                         "process. Mend sop.barisDari.", one.line)
        if one.appoints is None:
            continue
        if it.definition.lane(one.appoints) is None:
            lanes = some(lane.id for lane in it.definition.lanes)
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim untuk lane {quoted(one.appoints)}, yang tidak "
                                 f"ada. Isi sop.menunjukTim dengan: {lanes}.",
                     f"The table {quoted(one.id)} appoints a team for the lane {quoted(one.appoints)}, which does not "
                     f"exist. Set sop.menunjukTim to: {lanes}.", one.line)
        if not any(column.type == "person" for column in one.columns):
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim tetapi tidak mempunyai kolom berjenis person. "
                                 "Tambahkan kolom itu.",
                     f"The table {quoted(one.id)} appoints a team but has no column of type person. Add that column.",
                     one.line)
        if one.personal:        # its rows say who performs: once erased, replay could not appoint them again
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim, padahal isiannya bersifat pribadi dan kelak "
                                 "dapat dihapus. Hapus sop.pribadi.",
                     f"The table {quoted(one.id)} appoints a team, although it is personal and may be erased later. "
                     "Delete sop.pribadi.", one.line)


def _deadline_refers(it: Judged) -> None:
    if (deadline := it.definition.deadline) and deadline.satisfied_by not in {one.id for one in it.nodes("userTask")}:
        it.error(deadline.id, f"Tenggat menyebut {quoted(deadline.satisfied_by)} sebagai langkah yang memenuhinya, "
                              "yang bukan tugas dalam proses ini. Isi Terpenuhi setelah langkah (sop.tenggatUntuk) "
                              "dengan id tugas.",
                 f"The deadline names {quoted(deadline.satisfied_by)} as the step that meets it, which is no user task "
                 "of this process. Set sop.tenggatUntuk to the id of a user task.")


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _placeholders(it: Judged) -> None:
    timers = [(one.id, one.timer) for one in it.definition.elements.values() if one.timer]
    if it.definition.deadline:
        timers.append((it.definition.deadline.id, it.definition.deadline.timer))
    known = ", ".join(sorted(PLACEHOLDERS))
    for id, timer in timers:
        texts = (timer.reminder, timer.subject, timer.near, timer.escalation, timer.returned)
        said = " ".join(text or "" for text in texts)
        for name in _PLACEHOLDER.findall(said):
            if name not in PLACEHOLDERS:
                it.error(id, f"Pengingat menyebut {{{name[:60]}}}, yang tidak dikenal. Yang dikenal: {known}.",
                         f"The reminder names {{{name[:60]}}}, which is not known. Known are: {known}.")


# Expressions

@dataclass(frozen=True)
class _Written:
    """An expression where it is written: the element and line, what it is for, and names only it may use."""
    element: str
    line: int
    what: str
    english: str
    source: str
    names: frozenset[str] = frozenset()
    decides: bool = False                   # it must be true or false


def _written(it: Judged) -> Iterator[_Written]:
    for flow in it.definition.flows.values():
        if flow.condition is not None:
            yield _Written(flow.id, flow.line, f"syarat {it.flow(flow)}", f"condition of {it.flow_in_english(flow)}",
                           flow.condition, decides=True)
    timers = [(one.id, one.timer) for one in it.definition.elements.values()]
    timers += [(one.start_event, one.timer) for one in (it.definition.deadline,) if one]
    for id, timer in timers:
        if timer and timer.kind != "cycle" and timer.expression.startswith("="):
            yield _Written(id, it.lines.get(id, 0), it.said(id), it.said_in_english(id).removeprefix("the "),
                           timer.expression)
    for element, one in _form_places(it):
        for source, property in _field_expressions(one):
            english = "initial value" if property == "nilai awal" else property
            yield _Written(element.id, one.line, f"{property} isian {quoted(one.id)}",
                           f"{english} of the field {quoted(one.id)}", source, decides=property != "nilai awal")
        names = frozenset(column.id for column in one.columns)
        for column in one.columns:
            if column.required_if is not None:
                yield _Written(element.id, one.line,
                    f"kolom {quoted(column.id)} tabel {quoted(one.id)}",
                    f"column {quoted(column.id)} of the table {quoted(one.id)}",
                    column.required_if, names, decides=True)


def _field_expressions(one: Field) -> Iterator[tuple[str, str]]:
    slot = one.slot
    written = [(one.required_if, "sop.wajibJika"), (one.shown_if, "sop.tampilJika"), (one.valid_if, "sop.benarJika"),
               (one.filler_if, "sop.barisBawaanJika")]
    written += [(one.initial, "nilai awal")] if one.initial and one.initial.startswith("=") else []
    written += [(slot.same_if, "sop.samaJika"), (slot.owed_if, "sop.menyusulJika")] if slot else []
    return ((source, property) for source, property in written if source is not None)


_UNKNOWN = object()
_WHOLE = frozenset({"string", "text", "enum", "long", "decimal", "boolean"})   # types whose values have no parts
_SOME_DAY = datetime(2027, 1, 4, 8, tzinfo=UTC)
_SAMPLES: Mapping[str, object] = {
    "string": "a", "text": "a", "enum": "a", "person": "a", "long": Decimal(1), "decimal": Decimal(1), "boolean": True,
    "date": _SOME_DAY.date(), "time": time(8), "table": []}


@lru_cache(maxsize=2048)
def _tried(source: str) -> object:
    """What an expression gives that needs no data; see `_tried_over`."""
    return _tried_over(source, {})


def _tried_over(source: str, data: Mapping[str, Any]) -> object:
    """What an expression gives over this data, _UNKNOWN when it cannot be told cheaply: it needs other data, or many
    steps. An answer that does not exist is None."""
    try:
        parsed = expressions.parse(source)
        if not (parsed.names | parsed.row_names) <= data.keys():
            return _UNKNOWN
        return expressions.evaluate(parsed, data, _SOME_DAY, MOST_FUEL)
    except expressions.OutOfFuel:
        return _UNKNOWN
    except expressions.ExpressionError:
        return _UNKNOWN if data else None


def _expressions(it: Judged) -> None:
    forms = [one for _, one in _form_places(it)]
    columns = frozenset(column.id for one in forms for column in one.columns)
    personal = frozenset(one.id for one in forms if one.personal)
    sample = {"putaran": Decimal(1), "tahun": Decimal(2026)} | {
        one.id: _SAMPLES.get(one.type) for one in reversed(forms) if one.type != "document"}
    for written in _written(it):
        try:
            parsed = expressions.parse(written.source)
        except expressions.ExpressionError as problem:
            where = "" if problem.position is None else f", mulai huruf ke-{problem.position + 1}"
            place = "" if problem.position is None else f", from character {problem.position + 1} on"
            remedy, help = ("Periksa penulisannya (a = b, a >= 2, \"teks\", and, or).",
                            "Check how it is written (a = b, a >= 2, \"text\", and, or).")
            if problem.feature:     # FEEL, but not ours: docs/feel.md says what to write instead
                remedy = (f"{quoted(problem.feature)} tidak termasuk FEEL yang dipakai di sini. Tulis dengan cara "
                          "lain, atau buat isian yang menanyakannya.")
                help = f"{problem.message}."
            it.error(written.element, f"Ungkapan {written.what} tidak dapat dibaca sebagai FEEL{where}: "
                                      f"{quoted(written.source)}. {remedy}",
                     f"The expression of the {written.english} cannot be read as FEEL{place}: "
                     f"{quoted(written.source)}. {help}", written.line)
            continue
        before = it.found.errors
        _names(it, written, parsed, columns, personal)
        if written.decides and it.found.errors == before:
            _decides(it, written, parsed, sample)


def _decides(it: Judged, written: _Written, parsed: expressions.Expression, sample: Mapping[str, Any]) -> None:
    """What must be true or false is neither over plain data: it would stop every process that comes to it."""
    constant = not (parsed.names | parsed.row_names)
    answer = _tried(written.source) if constant else _tried_over(written.source, sample)
    if answer is _UNKNOWN or isinstance(answer, bool) or (answer is None and not constant):
        return
    it.error(written.element, f"Ungkapan {written.what} tidak bernilai benar atau salah: {quoted(written.source)}. "
                              "Tulis "
                              "perbandingan, misalnya keputusan = \"setujui\".",
             f"The expression of the {written.english} is neither true nor false: {quoted(written.source)}. Write a "
             "comparison, such as keputusan = \"setujui\".", written.line)


def _names(it: Judged, written: _Written, parsed: expressions.Expression, columns: frozenset[str],
           personal: frozenset[str]) -> None:
    fields = it.definition.fields
    for name in sorted(parsed.names | parsed.row_names):
        one = fields.get(name)
        if name in BUILT_IN_NAMES or name in written.names or (name in columns and name in parsed.row_names):
            continue
        if one is None:
            near = it.found.nearest(name, [*BUILT_IN_NAMES, *fields])
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(name)}, yang bukan isian dalam proses "
                                      f"ini. {f'Mungkin maksudnya {near}.' if near else 'Tulis id isian yang ada.'}",
                     f"The expression of the {written.english} names {quoted(name)}, which is no field of this "
                     "process. "
                     f"{f'Probably {near} is meant.' if near else 'Write the id of a field that exists.'}",
                     written.line)
        elif one.type == "document":
            it.error(written.element, f"Ungkapan {written.what} menyebut berkas {quoted(name)} sebagai nilai. Tulis "
                                      f"berkas.{name[:60]}, yaitu jumlah berkas yang dilampirkan.",
                     f"The expression of the {written.english} names the document {quoted(name)} as a value. Write "
                     f"berkas.{name[:60]}, which is how many files are attached.", written.line)
        elif name in personal:
            it.error(written.element, f"Ungkapan {written.what} membaca {quoted(name)}, padahal isian itu bersifat "
                                      "pribadi dan kelak dapat dihapus. Pakai isian lain atau hapus sop.pribadi.",
                     f"The expression of the {written.english} reads {quoted(name)}, although that field is personal "
                     "and may be erased later. Use another field or delete sop.pribadi.", written.line)
    for path in sorted(parsed.paths):
        name, _, member = path.partition(".")
        if name in fields and fields[name].type in _WHOLE:
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(path)}, padahal isian {quoted(name)} "
                                      f"tidak mempunyai bagian. Tulis {name[:60]} saja.",
                     f"The expression of the {written.english} names {quoted(path)}, but the field {quoted(name)} "
                     "has no "
                     f"parts. Write {name[:60]} only.", written.line)
        if name == "berkas" and member.partition(".")[0] not in it.definition.document_types:
            known = some(it.definition.document_types)
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(path)}, yang bukan berkas dalam "
                                      f"proses ini. Berkas yang ada: {known}.",
                     f"The expression of the {written.english} names {quoted(path)}, which is no document of this "
                     f"process. Name one of its documents: {known}.", written.line)


def of_expression(definition: ProcessDefinition, parsed: expressions.Expression,
                  fresh: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """What is to be said of one expression that is being written over the fields of a process: a sentence each.

    fresh  names that it may use besides: fields that the definition does not have yet.
    """
    found = Findings()
    columns = frozenset(column.id for one in definition.fields.values() for column in one.columns)
    personal = frozenset(one.id for one in definition.fields.values() if one.personal)
    _names(Judged(definition, {}, found), _Written("", 0, "ini", "field", parsed.source, fresh), parsed, columns,
           personal)
    return tuple(one.message for one in found.all())


# The SOP's facts, and advice

def _numbers_of_tasks(it: Judged) -> None:
    seen: set[str] = set()
    for one in it.nodes("userTask"):
        if not one.number:
            it.warning(one.id, f"{it.said(one.id)} belum bernomor. Isi Nomor (sop.nomor) dengan nomor langkah "
                               "dalam SOP.",
                       f"{it.said_in_english(one.id)} has no number. Set sop.nomor to the step's number in the "
                       "SOP.")
        elif not re.fullmatch(r"[1-9][0-9]{0,2}", one.number):
            it.error(one.id, f"Nomor langkah {quoted(one.number)} pada {it.named(one.id)} tidak sah. Isi Nomor "
                             "dengan angka 1 sampai 999.",
                     f"The step number {quoted(one.number)} of {it.in_english(one.id)} is not valid. Set sop.nomor to "
                     "a "
                     "number from 1 to 999.")
        elif one.number in seen:
            it.error(one.id, f"Nomor langkah {one.number} dipakai lebih dari satu tugas. Beri setiap langkah "
                             "nomor sendiri.",
                     f"The step number {one.number} is used by more than one user task. Give each step a number of its "
                     "own.")
        seen.add(one.number)


_WRITTEN_TIME = re.compile(r"([0-9]+)\s*(?:\([^)]*\))?\s*(hari|jam|menit)")


def _advice(it: Judged) -> None:
    """What runs, but probably was not meant."""
    for one in it.nodes("userTask"):
        if not one.name.strip():
            it.warning(one.id, f"{it.named(one.id)} belum bernama. Tulis kata kerja yang singkat.",
                       f"{it.in_english(one.id)} has no name yet. Write a short verb.")
        drawn, written = norm(it.definition, one), one.properties.get("sop.waktu", "").strip()
        # "2 (dua) hari kerja" says the same as "2 hari"; what has no number at all is not compared.
        said = " ".join(f"{number} {word}" for number, word in _WRITTEN_TIME.findall(folded(written[:200])))
        if said and drawn and said != in_words(drawn):
            it.warning(one.id, f"Waktu {quoted(written)} pada {it.named(one.id)} berbeda dari timernya "
                               f"({in_words(drawn)}). Samakan salah satunya.",
                       f"The time {quoted(written)} of {it.in_english(one.id)} differs from its timer "
                       f"({in_words(drawn)}). "
                       "Make them equal.")
        if not it.definition.boundary_events[one.id]:
            it.warning(one.id, f"{it.said(one.id)} tidak mempunyai batas waktu. Tempelkan timer (Mutu Baku "
                               "Waktu), misalnya P2D, yang tidak menghentikan tugas.",
                       f"{it.said_in_english(one.id)} has no time limit. Attach a timer (Mutu Baku Waktu), such as "
                       "P2D, that does not interrupt it.")
    for one in it.nodes("parallelGateway"):
        if len(it.definition.incoming[one.id]) == len(it.definition.outgoing[one.id]) == 1:
            it.warning(one.id, f"{it.said(one.id)} hanya dilewati, tidak membagi dan tidak "
                               "menyatukan. Hapus bila tidak diperlukan.",
                       f"{it.said_in_english(one.id)} is only passed, it neither splits nor joins. Delete "
                       "it "
                       "if it is not needed.")
    for element in it.definition.elements.values():
        decisions = [one for one in element.form if one.decision]
        for extra in decisions[1:]:
            it.warning(element.id, f"{it.named(element.id)} mempunyai {len(decisions)} isian keputusan; hanya satu "
                                   "yang digambar sebagai keputusan.",
                       f"{it.in_english(element.id)} has {len(decisions)} fields that are decisions; only one is "
                       "drawn as "
                       "the decision.", extra.line)
