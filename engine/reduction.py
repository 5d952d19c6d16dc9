"""A smaller process that gets stuck and doubles its tokens exactly where a large one does.

Playing every run takes as many markings as branches can be combined: six branches of five tasks have 46,656. Here
what cannot matter is taken out first: of steps in a row one stays, of ways between the same two gateways one, of
branches between the same split and join one, and of a way back over a step none; nor does a timer stay that leads where
its step leads.
Source: the reduction rules of T. Murata, Petri Nets: Properties, Analysis and Applications, Proc. IEEE 77 (1989),
section V (fusion of series and parallel places and transitions, elimination of self-loops).
"""
from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from .definition import ProcessDefinition, SequenceFlow

RESTING = ("userTask", "intermediateCatchEvent", "subProcess")
JOINING = ("parallelGateway", "inclusiveGateway")


@dataclass
class _Net:
    """Elements by kind and flows by id, with who leads where; what is taken out of it is gone from all of them."""
    kinds: dict[str, str]
    flows: dict[str, tuple[str, str]]
    edges: dict[str, list[str]]         # tasks that stay -> the timers that lead away from their edge
    interrupting: frozenset[str]
    defaults: set[str]                  # flows that are taken where no other is
    into: dict[str, list[str]] = field(default_factory=dict)
    out: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for id in self.kinds:
            self.into[id], self.out[id] = [], []
        for flow, (source, target) in self.flows.items():
            self.out[source].append(flow)
            self.into[target].append(flow)

    def drop(self, flow: str) -> None:
        source, target = self.flows.pop(flow)
        self.out[source].remove(flow)
        self.into[target].remove(flow)

    def lead(self, flow: str, target: str) -> None:
        source, before = self.flows[flow]
        self.into[before].remove(flow)
        self.into[target].append(flow)
        self.flows[flow] = (source, target)

    def target(self, flow: str) -> str:
        return self.flows[flow][1]

    def is_join(self, id: str) -> bool:
        return self.kinds[id] in JOINING and len(self.into[id]) > 1

    def is_choice(self, id: str) -> bool:
        return self.kinds[id] == "exclusiveGateway"

    def is_step(self, id: str) -> bool:
        """A step that only waits, with one way out."""
        return self.kinds[id] in RESTING and not self.edges.get(id) and len(self.out[id]) == 1

    def remove(self, id: str) -> None:
        """An element with one way out: whoever came to it comes to where that led."""
        (way,) = self.out[id]
        target = self.target(way)
        self.drop(way)
        for flow in list(self.into[id]):
            self.lead(flow, target)
        del self.kinds[id], self.into[id], self.out[id]


def reduced(definition: ProcessDefinition, harmless: Set[str]) -> ProcessDefinition:
    """The smaller process; its elements and flows are some of the definition's, by their ids.

    harmless  boundary events that let their task go on, and whose token only comes to an end; they are left out
    """
    elements = {id: one for id, one in definition.elements.items() if id not in harmless}
    flows = {flow.id: (flow.source, flow.target) for flow in definition.flows.values() if flow.source not in harmless}
    edges: dict[str, list[str]] = {}
    for id, one in elements.items():
        if one.attached_to:
            edges.setdefault(one.attached_to, []).append(id)
    net = _Net(kinds={id: "exclusiveGateway" if one.kind == "intermediateThrowEvent" else one.kind      # only passed
                      for id, one in elements.items()}, flows=flows,
               edges=edges, interrupting=frozenset(id for id, one in elements.items() if one.interrupting),
               defaults={flow.id for flow in definition.flows.values() if flow.default})
    changed = True
    while changed:
        changed = False
        for id in list(net.kinds):
            for rule in (_leads_nowhere, _late, _pass, _choice_of_choice, _row, _ways, _back, _branches):
                if id in net.kinds and rule(net, id):
                    changed = True
    return _defined(definition, net)


def _defined(definition: ProcessDefinition, net: _Net) -> ProcessDefinition:
    elements = {id: replace(definition.elements[id], kind=kind) for id, kind in net.kinds.items()}
    flows: Mapping[str, SequenceFlow] = {
        id: replace(definition.flows[id], source=source, target=target, default=id in net.defaults)
        for id, (source, target) in net.flows.items()}
    return replace(definition, elements=elements, flows=flows)


def _leads_nowhere(net: _Net, id: str) -> bool:
    """What nobody comes to, because only a reminder led there."""
    if net.into[id] or net.kinds[id] in ("startEvent", "boundaryEvent"):
        return False
    for way in list(net.out[id]):
        net.drop(way)
    del net.kinds[id], net.into[id], net.out[id]
    return True


def _late(net: _Net, id: str) -> bool:
    """A timer that ends its task and leads where the task leads is only another way to be done with it."""
    for timer in net.edges.get(id, ()) if len(net.out[id]) == 1 else ():
        (way,) = net.out[timer]
        if timer in net.interrupting and net.target(way) == net.target(net.out[id][0]) and not net.is_join(
                net.target(way)):
            net.drop(way)
            del net.kinds[timer], net.into[timer], net.out[timer]
            net.edges[id].remove(timer)
            return True
    return False


def _pass(net: _Net, id: str) -> bool:
    """A gateway with one way in and one out is only passed; and so is one that gathers choices into another."""
    if net.kinds[id] not in ("exclusiveGateway", *JOINING) or len(net.out[id]) != 1 or not net.into[id]:
        return False
    (way,) = net.out[id]
    target = net.target(way)
    if target == id or (len(net.into[id]) > 1 and (not net.is_choice(id) or net.kinds[target] in JOINING)):
        return False
    net.remove(id)
    return True


def _choice_of_choice(net: _Net, id: str) -> bool:
    """A choice that leads only out of another choice is a part of it."""
    if not net.is_choice(id) or len(net.into[id]) != 1 or len(net.out[id]) < 2:
        return False
    (way,) = net.into[id]
    source = net.flows[way][0]
    if not net.is_choice(source) or source == id:
        return False
    net.drop(way)
    for flow in list(net.out[id]):
        _, target = net.flows[flow]
        net.flows[flow] = (source, target)
        net.out[source].append(flow)
    del net.kinds[id], net.into[id], net.out[id]
    return True


def _row(net: _Net, id: str) -> bool:
    """A step before another: whoever waits here may as well wait there."""
    if not net.is_step(id):
        return False
    target, seen = net.target(net.out[id][0]), {id}
    while net.is_choice(target) and len(net.out[target]) == 1 and target not in seen:
        seen.add(target)
        target = net.target(net.out[target][0])
    if target in seen or net.kinds[target] not in RESTING:
        return False
    net.remove(id)
    return True


def _ways(net: _Net, id: str) -> bool:
    """Of the ways from a choice that lead to one place, over one step or none, one stays: one over a step if any."""
    if not net.is_choice(id):
        return False
    first: dict[str, str] = {}              # where a way comes to -> the way
    for way in list(net.out[id]):
        step = net.target(way)
        place = net.target(net.out[step][0]) if _is_between(net, step) else step
        if net.is_join(place) or place == id:
            continue
        if place in first:
            gone = first[place] if net.target(first[place]) == place else way
            _take_out(net, gone, place)
            return True
        first[place] = way
    return False


def _back(net: _Net, id: str) -> bool:
    """A choice right after a step that leads back to it: being there again is nothing new."""
    if not net.is_choice(id) or len(net.into[id]) != 1 or len(net.out[id]) < 2:
        return False
    step = net.flows[net.into[id][0]][0]
    if net.kinds[step] not in RESTING:
        return False
    for way in net.out[id]:
        place, seen = net.target(way), {id}
        while net.is_choice(place) and len(net.out[place]) == 1 and place not in seen:
            seen.add(place)
            place = net.target(net.out[place][0])
        if place == step:
            net.drop(way)
            return True
    return False


def _branches(net: _Net, id: str) -> bool:
    """Two branches from a split to one join, over one step or none, are one: nobody sees which is done first. Of an
    inclusive split only to an inclusive join, which does not mind how many of them are taken."""
    if net.kinds[id] not in JOINING:
        return False
    first: dict[str, str] = {}              # a join -> the way that leads there; over a step it is preferred
    for way in list(net.out[id]):
        step = net.target(way)
        join = net.target(net.out[step][0]) if _is_between(net, step) else step
        if not net.is_join(join) or join == id or (
                net.kinds[id] == "inclusiveGateway" and net.kinds[join] != "inclusiveGateway"):
            continue
        if join in first:
            gone = first[join] if net.target(first[join]) == join else way
            # What stays stands for both: it is no longer taken only where no other is.
            net.defaults -= {first[join], way}
            _take_out(net, gone, join)
            return True
        first[join] = way
    return False


def _is_between(net: _Net, id: str) -> bool:
    return net.is_step(id) and len(net.into[id]) == 1


def _take_out(net: _Net, way: str, place: str) -> None:
    """A way to a place, with the step that it goes over if there is one."""
    step = net.target(way)
    net.drop(way)
    if step != place:
        net.drop(net.out[step][0])
        del net.kinds[step], net.into[step], net.out[step]
