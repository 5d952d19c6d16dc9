"""Which notices an open user task causes, when, to which lanes, and in which words. Pure: the store finds the people.

The texts and addressees stand on the timers of the diagram, so that owners edit them; what only says that a task has
come, or has come back, is ours. Of the stages of a task (arrived, near its limit, past it) the one that it has reached
counts: who is told late is told once, of the newest.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from . import calendars
from .calendars import Calendar
from .definition import Element, ProcessDefinition
from .gate import listed
from .instance import RUNNING, Passed, ProcessInstance, UserTask
from .organisation import MONTHS

NEW, RETURNED, NEAR, LATE, TWICE, DEADLINE = (
    "tugas_baru", "dikembalikan", "sebelum_batas", "lewat_batas", "dua_kali", "tenggat")
ASKED, DECIDED = "perpanjangan_diminta", "perpanjangan_diputuskan"
GONE_BACK = "kabar_pengembalian"
WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
ROLES = {"ketua": "Ketua", "sekretaris": "Sekretaris", "anggota": "Anggota"}
# What an owner's text may name; FORMS.md, "Pengingat". `judul` is the title of the instance, `nama` the step's.
PLACEHOLDERS = frozenset({"tahun", "unit", "mulai", "batas", "lewat", "sisa", "tenggat", "belum_disampaikan",
                          "pelaksana", "tautan", "n", "jabatan", "judul", "nama"})
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST_SUBJECT = 200
SAME_HOUR = timedelta(hours=1)

SUBJECTS = {
    NEW: "Tugas baru: {langkah}, {judul}",
    RETURNED: "Dikembalikan untuk diperbaiki: {langkah}, {judul}",
    NEAR: "Pengingat: {langkah}, {judul}, mendekati batas waktu",
    LATE: "Pengingat: {langkah}, {judul}, melewati batas waktu",
    TWICE: "Mohon arahan: {langkah}, {judul}, melewati dua kali waktu baku",
    DEADLINE: "{judul}: tenggat telah tiba",
    GONE_BACK: "{judul} dikembalikan untuk diperbaiki: {langkah}",
    ASKED: "Permintaan perpanjangan waktu: {langkah}, {judul}",
    DECIDED: "Keputusan perpanjangan waktu: {langkah}, {judul}",
}
NEW_TEXT = "Ada tugas yang menunggu Bapak/Ibu: {langkah}, {judul}."
ASKED_TEXT = "{peminta} meminta perpanjangan waktu {langkah}, {judul}, sampai {sampai}. Mohon keputusan."
GRANTED_TEXT = "Perpanjangan waktu {langkah}, {judul}, diberikan. Batas waktu menjadi {batas}."
REFUSED_TEXT = "Permintaan perpanjangan waktu {langkah}, {judul}, ditolak. Batas waktu tetap {batas}."
RETURNED_TEXT = "Dikembalikan untuk diperbaiki oleh {pengembali}, {mulai}. {koreksi}Pengembalian ke-{ke}."


class Calendars(Protocol):
    def definition(self, sha256: str) -> ProcessDefinition: ...
    def calendar(self, sha256: str) -> Calendar: ...


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """A notice that an instance causes once `about_at` has come."""
    kind: str
    user_task: int | None                   # None: about the whole instance
    about_at: datetime
    to: tuple[str, ...]                     # lanes; "tim_penyusun:ketua" is a role in one
    copy: tuple[str, ...] = ()
    owner: str | None = None                # the actual owner of a claimed task, told besides
    besides: tuple[str, ...] = ()           # lanes whose people are not told: they learn something stronger, or asked
    not_to: str | None = None               # who knows already: the person that caused it
    subject: str
    text: str


class Told(NamedTuple):
    """A notice that was made already."""
    user_task: int | None
    kind: str
    about_at: datetime
    created_at: datetime


def of_instance(rules: Calendars, instance: ProcessInstance) -> tuple[Reminder, ...]:
    """Everything that an instance causes as it stands, come or to come, by instant. Of one that does not run: nothing.

    Raises CalendarError for a calendar that cannot be counted in.
    """
    if instance.status != RUNNING:
        return ()
    definition = rules.definition(instance.definition)
    found = [one for task in instance.user_tasks.values() for one in of_user_task(rules, definition, instance, task)]
    deadline = definition.deadline
    if deadline and deadline.timer.reminder and instance.deadline_at and deadline.satisfied_by not in instance.passed:
        timer = deadline.timer
        found.append(Reminder(
            kind=DEADLINE, user_task=None, about_at=instance.deadline_at, to=listed(timer.reminder_to or ""),
            copy=listed(timer.reminder_copy or ""), subject=timer.subject or SUBJECTS[DEADLINE],
            text=deadline.timer.reminder))
    return tuple(sorted(found, key=lambda one: (one.about_at, one.user_task or 0)))


def of_user_task(rules: Calendars, definition: ProcessDefinition, instance: ProcessInstance,
                 task: UserTask) -> list[Reminder]:
    """What one open user task causes: it came, it is near its limit, past it, past it twice."""
    before = opened_by(instance, task)
    back = before is not None and came_back(definition, task, before[0])
    text = (RETURNED_TEXT if back else NEW_TEXT) + ("" if task.late_at is None else (
        " Batas waktu perbaikan: {batas}." if back else " Batas waktu: {batas}."))
    knows = before[1].person if before and before[1].at in (task.opened_at, task.begins_at) else None
    kind = RETURNED if back else NEW
    found = [Reminder(kind=kind, user_task=task.number, about_at=task.opened_at, to=(task.lane,), owner=task.owner,
                      not_to=knows, subject=SUBJECTS[kind], text=text)]
    norm = definition.norm(task.element)
    if norm is None or norm.timer is None or not (task.norm_at and task.late_at and task.escalate_at):
        return found
    timer, calendar = norm.timer, calendar_of(rules, instance, task.lane)
    if back and timer.returned and timer.returned_to:
        found.append(Reminder(kind=GONE_BACK, user_task=task.number, about_at=task.opened_at, to=timer.returned_to,
                              besides=(task.lane,), not_to=knows, subject=SUBJECTS[GONE_BACK], text=timer.returned))
    asked = task.extension
    if asked is not None and asked.granted is None:
        found.append(Reminder(kind=ASKED, user_task=task.number, about_at=asked.asked_at, to=timer.extended_by,
                              besides=(task.lane,), not_to=asked.person, subject=SUBJECTS[ASKED], text=ASKED_TEXT))
    elif asked is not None and asked.decided_at is not None:
        found.append(Reminder(
            kind=DECIDED, user_task=task.number, about_at=asked.decided_at, to=(task.lane,), owner=asked.person,
            not_to=asked.decided_by, subject=SUBJECTS[DECIDED], text=GRANTED_TEXT if asked.granted else REFUSED_TEXT))
    near_at = calendars.near_due(task.opened_at, task.norm_at, task.late_at, calendar)
    if timer.near and near_at is not None:
        found.append(Reminder(kind=NEAR, user_task=task.number, about_at=near_at, to=(task.lane,), owner=task.owner,
                              subject=SUBJECTS[NEAR], text=timer.near))
    if timer.reminder:
        found.append(Reminder(
            kind=LATE, user_task=task.number, about_at=task.late_at, to=listed(timer.reminder_to or "") or (task.lane,),
            copy=listed(timer.reminder_copy or ""), owner=task.owner, subject=timer.subject or SUBJECTS[LATE],
            text=timer.reminder))
    if timer.escalation and timer.superior:
        # Twice a norm in minutes is over before anything is late: then a working day after the limit.
        twice = task.escalate_at if task.escalate_at > task.late_at else (
            calendars.end_of_next_working_day(task.late_at, calendar))
        found.append(Reminder(kind=TWICE, user_task=task.number, about_at=twice, to=timer.superior,
                              copy=timer.superior_copy, subject=SUBJECTS[TWICE], text=timer.escalation))
    return found


def due(reminders: Iterable[Reminder], told: Sequence[Told], at: datetime) -> list[Reminder]:
    """What is to be told at `at` and was not yet, of each user task its newest stage, and what its superior learns."""
    found: list[Reminder] = []
    by_task: dict[int | None, dict[str, Reminder]] = {}
    for one in reminders:
        if one.about_at <= at:
            by_task.setdefault(one.user_task, {})[one.kind] = one
    for number, come in by_task.items():
        stage = next((come[kind] for kind in (LATE, NEAR, RETURNED, NEW) if kind in come), None)
        twice, deadline = come.get(TWICE), come.get(DEADLINE)
        asked, decided, gone_back = come.get(ASKED), come.get(DECIDED), come.get(GONE_BACK)
        if stage is not None and twice is not None and stage.kind == LATE:
            stage = replace(stage, besides=(*twice.to, *twice.copy))
        if stage is not None and stage.kind in (NEW, RETURNED) and any(one.user_task == number for one in told):
            stage = None                    # who was told more has learnt that it came
        said = (stage, gone_back, asked, decided, twice, deadline)
        found += [one for one in said if one is not None and not is_told(one, told)]
    return found


def is_told(one: Reminder, told: Iterable[Told]) -> bool:
    """Whether this was said, about this instant or after it: an instant that moved back says nothing new."""
    return any((was.user_task, was.kind) == (one.user_task, one.kind)
               and (was.about_at == one.about_at or was.created_at >= one.about_at) for was in told)


def next_instant(reminders: Iterable[Reminder], at: datetime) -> datetime | None:
    """When an instance causes something again, as long as it stands as it stands; None: never."""
    return min((one.about_at for one in reminders if one.about_at > at), default=None)


def opened_by(instance: ProcessInstance, task: UserTask) -> tuple[str, Passed] | None:
    """The pass after which a user task was opened: the newest of those before it. None of the first."""
    earlier = [(id, one) for id, one in instance.passed.items() if one.user_task < task.number]
    return max(earlier, key=lambda found: found[1].user_task, default=None)


def came_back(definition: ProcessDefinition, task: UserTask, before: str) -> bool:
    """Whether a user task was opened again by a later step, or by itself."""
    order = [one.id for one in definition.user_tasks]
    return task.round > 1 and before in order and order.index(before) >= order.index(task.element)


def calendar_of(rules: Calendars, instance: ProcessInstance, lane: str) -> Calendar:
    return rules.calendar(instance.calendars.get(lane) or instance.calendars[""])


# In words

@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a text needs besides the instance, as it is when the notice is made."""
    title: str                              # of the instance
    unit: str                               # the unit's name
    zone: str
    url: str                                # the public address
    at: datetime
    names: Mapping[str, str]                # of people, by id


def values(rules: Calendars, instance: ProcessInstance, one: Reminder, facts: Facts) -> dict[str, str]:
    """What the placeholders stand for, `{jabatan}` aside. What is not there is a dash."""
    definition = rules.definition(instance.definition)
    task = instance.user_tasks.get(one.user_task or 0)
    element = definition.elements[task.element] if task else None
    # Made within the hour, it speaks of its own instant: "2 hari kerja", not a moment more.
    measured = one.about_at if facts.at < one.about_at + SAME_HOUR else facts.at
    found = {
        "tahun": str(instance.year) if instance.year else "–", "unit": facts.unit, "judul": facts.title,
        "n": element.number if element else "", "nama": element.name if element else "",
        "langkah": step(element) if element else facts.title, "tautan": link(instance, task, facts.url),
        "tenggat": last_day(instance.deadline_at, facts.zone) if instance.deadline_at else "–",
        "belum_disampaikan": "; ".join(missing_dates(definition, instance, task)) or "tidak ada",
        "mulai": full(task.opened_at, facts.zone) if task else "–", "batas": "–", "lewat": "–", "sisa": "–",
        "pelaksana": "–", "pengembali": "–", "koreksi": "", "ke": str(task.round - 1) if task else "",
        "peminta": "–", "sampai": "–"}
    if task is None:
        return found
    lane, before = definition.lane(task.lane), opened_by(instance, task)
    name = lane.name if lane else task.lane
    found["pelaksana"] = f"{name} ({facts.names.get(task.owner, task.owner)})" if task.owner else name
    if before:
        found["pengembali"] = facts.names.get(before[1].person, before[1].person)
    if task.extension:
        found["peminta"] = facts.names.get(task.extension.person, task.extension.person)
        found["sampai"] = full(task.extension.until, facts.zone)
        if one.kind == ASKED:
            found["tautan"] += "/perpanjangan"
    count = corrections(definition, instance, task)
    found["koreksi"] = f"{count} koreksi. " if count else ""
    if task.late_at is not None:
        calendar = calendar_of(rules, instance, task.lane)
        found |= {"batas": full(task.late_at, facts.zone), "lewat": span(task.late_at, measured, calendar),
                  "sisa": span(measured, task.late_at, calendar)}
    return found


def letter(one: Reminder, known: Mapping[str, str], addressee: str, copy_for: str = "") -> tuple[str, str]:
    """(subject, text) of a notice.

    addressee  position to which it speaks: "Plh. Camat Lasem".
    copy_for   the position of who gets it as a copy ("tembusan"); "" of the addressee's own.
    """
    known = {**known, "jabatan": addressee}
    subject = " ".join(filled(one.subject, known).split())[:LONGEST_SUBJECT]
    opens = "Buka tugas" if one.user_task is not None else "Buka berkas proses"
    lines = [f"Yth. {addressee},", "", filled(one.text, known).strip(), ""]
    lines += [f"Tembusan: {copy_for}."] if copy_for else []
    return subject[:1].upper() + subject[1:], "\n".join([*lines, f"{opens}: {known['tautan']}"])


def filled(text: str, known: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; one that nobody knows becomes a dash and stops nothing."""
    return PLACEHOLDER.sub(lambda found: known.get(found[1], "–"), text)


def link(instance: ProcessInstance, task: UserTask | None, url: str) -> str:
    return f"{url}/tugas/{instance.id}/{task.number}" if task else f"{url}/proses/{instance.id}"


def step(element: Element) -> str:
    """`langkah 5, Memperbaiki dan mencetak rancangan akhir`."""
    return f"langkah {element.number}, {element.name}" if element.number else element.name or element.id


def missing_dates(definition: ProcessDefinition, instance: ProcessInstance, task: UserTask | None) -> list[str]:
    """Labels of the dates that the step which meets the deadline asks for and nobody has recorded; where the process
    has no deadline, of the user task's own."""
    place = definition.deadline.satisfied_by if definition.deadline else task.element if task else ""
    element = definition.elements.get(place)
    if element is None:
        return []
    open_now = next((one for one in instance.user_tasks.values() if one.element == place), None)
    again = open_now is not None and open_now.round > 1     # a redo begins anew: only its own dates count
    recorded = set(open_now.recorded) if again and open_now else instance.data.keys()
    return [f.label for f in element.form if f.type == "date" and f.required and f.id not in recorded]


def corrections(definition: ProcessDefinition, instance: ProcessInstance, task: UserTask) -> int:
    """How many remarks a user task answers row by row in this round; 0 where it has no such table."""
    for field in definition.elements[task.element].form:
        if field.rows_from:
            rows = instance.data.get(field.rows_from[min(task.round, len(field.rows_from)) - 1])
            return len(rows) if isinstance(rows, list | tuple) else 0
    return 0


def day(on: date) -> str:
    """`2 Februari 2027`."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def full_day(on: date) -> str:
    """`Selasa, 2 Februari 2027`."""
    return f"{WEEKDAYS[on.weekday()]}, {day(on)}"


def full(at: datetime, zone: str) -> str:
    """`Selasa, 2 Februari 2027 pukul 12.00 WIB`."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{full_day(there.date())} pukul {there:%H.%M} {there.tzname()}"


def last_day(at: datetime, zone: str) -> str:
    """`28 Februari 2027`: the last day of a deadline that is the midnight after it."""
    return day((at.astimezone(ZoneInfo(zone)) - timedelta(microseconds=1)).date())


def span(start: datetime, end: datetime, calendar: Calendar) -> str:
    """`2 hari kerja`, `1 hari 3 jam kerja`, `3 jam kerja`: working time between two instants, as it is counted."""
    days = min(calendars.working_days_between(start, end, calendar), calendars.DURATION_DAYS_MAX)
    if days > 0 and calendars.due_at(f"P{days}D", start, calendar) > end:
        days -= 1
    rest = calendars.due_at(f"P{days}D", start, calendar) if days > 0 else start
    hours = max(0, calendars.working_minutes(rest, end, calendar)) // 60
    if days > 0:
        return f"{days} hari {hours} jam kerja" if hours else f"{days} hari kerja"
    return f"{hours} jam kerja" if hours else "kurang dari 1 jam kerja"
