"""Times, states and history as staff read them."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from engine import diagram, events
from engine.calendars import due_at, five_days, near_due, three_instants
from engine.commands import (
    Actor,
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    ChangeCalendar,
    Command,
    CompleteUserTask,
    Erased,
    File,
    GrantExtension,
    OweRequirement,
    Promise,
    RefuseExtension,
)
from engine.instance import Step
from engine.marking import Marking
from forms import words

NOW = datetime(2027, 2, 2, 3, 15, tzinfo=UTC)  # Tuesday 10.15 WIB
WIB = "Asia/Jakarta"
LKJPD = diagram.read((Path(__file__).parents[2] / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn").read_bytes())


@pytest.fixture(autouse=True)
def indonesian() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="id")
    with app.test_request_context():
        yield


def test_a_full_time_leaves_no_doubt_about_day_hour_and_zone() -> None:
    assert words.full(NOW, WIB) == "Selasa, 2 Februari 2027 pukul 10.15 WIB"
    assert words.full(NOW, "Asia/Jayapura") == "Selasa, 2 Februari 2027 pukul 12.15 WIT"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "hari ini 10.15"),
        (1, "besok 10.15"),
        (-1, "kemarin 10.15"),
        (2, "Kamis 10.15"),
        (6, "Senin 10.15"),
        (-6, "Rabu lalu 10.15"),
        (7, "9 Februari 10.15"),
        (-40, "24 Desember 2026 10.15"),
    ],
)
def test_a_near_time_is_as_short_as_it_can_be_without_doubt(days: int, said: str) -> None:
    assert words.near(NOW + timedelta(days=days), NOW, WIB) == said


def test_midnight_between_two_days_is_that_of_the_office() -> None:
    late_evening = datetime(2027, 2, 2, 17, 30, tzinfo=UTC)  # Wednesday 00.30 WIB
    assert words.near(late_evening, NOW, WIB) == "besok 00.30"


def test_a_deadline_that_is_a_midnight_is_said_as_the_day_before_it() -> None:
    assert words.deadline(datetime(2027, 2, 28, 17, 0, tzinfo=UTC), WIB) == "Minggu, 28 Februari 2027"


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        ("P2D", "2 hari kerja"),
        ("PT20M", "20 menit kerja"),
        ("PT1H30M", "1 jam 30 menit kerja"),
        ("=x", "=x"),
        ("P", "P"),
    ],
)
def test_a_duration_is_said_in_working_time(duration: str, said: str) -> None:
    assert words.length(duration) == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (20, "20 menit kerja"),
        (120, "2 jam kerja"),
        (450, "1 hari kerja"),
        (630, "1 hari 3 jam kerja"),
        (899, "1 hari 7 jam kerja"),
        (900, "2 hari kerja"),
    ],
)
def test_working_minutes_are_said_as_people_count_them(minutes: int, said: str) -> None:
    assert words.working(minutes) == said


@pytest.mark.parametrize(("waiting", "processing", "step", "said"), [
    (None, None, 1, ""),
    (35, None, 1, "menunggu 35 menit kerja"),
    (5, 20, 1, "menunggu 5 menit kerja · dikerjakan 20 menit kerja"),
    (450, 21, 1, "menunggu 1 hari kerja · dikerjakan 21 menit kerja · melebihi waktu baku 20 menit kerja"),
    (0, 9_000, 2, "dikerjakan 20 hari kerja"),
])
def test_waiting_and_work_are_told_apart_and_minutes_are_measured_against_the_work(
        waiting: int | None, processing: int | None, step: int, said: str) -> None:
    norm = LKJPD.norm(f"langkah_{step}")
    assert words.took(waiting, processing, norm) == said


def test_a_size_is_said_with_a_comma() -> None:
    assert [words.size(n) for n in (136, 1_000, 1_250_000)] == ["136 B", "1 kB", "1,2 MB"]


def test_a_task_is_in_time_then_near_its_limit_then_late() -> None:
    late = due_at("P5D", NOW, five_days())
    near = near_due(NOW, late, late, five_days())
    moments = [NOW, near - timedelta(seconds=1), near, late, late + timedelta(seconds=1)]
    marks = [words.time_mark(late, late, NOW, at, five_days()) for at in moments]
    assert marks == [words.ON_TIME, words.ON_TIME, words.DUE_SOON, words.DUE_SOON, words.LATE]


def test_a_step_of_minutes_is_never_near_its_limit_and_one_without_a_limit_has_no_mark() -> None:
    norm, late, _ = three_instants("PT20M", NOW, five_days())
    assert words.time_mark(norm, late, NOW, late, five_days()) is words.ON_TIME
    assert words.time_mark(None, None, NOW, NOW, five_days()) is None


def test_no_two_states_of_an_axis_look_the_same() -> None:
    for axis in (
        (words.ON_TIME, words.DUE_SOON, words.LATE),
        (words.WAITING_MARK, words.WORKING_MARK, words.DONE_MARK, words.AHEAD_MARK),
        tuple(words.PROCESS_MARKS.values()),
    ):
        assert len({mark.shape for mark in axis}) == len({str(mark.word) for mark in axis}) == len(axis)


def example(kind: type, act: object) -> events.Event:
    """An event of this kind, about things that the LKjPD has."""
    hints = typing.get_type_hints(kind)
    known = {
        "element": "langkah_6",
        "lane": "tim_penyusun",
        "document": "sk_tim",
        "flow": "disetujui_ke_langkah_8",
        "promised": "2027-02-03",
        "until": "langkah_3",
        "members": (("tim1", "ketua"),),
        "fields": ("arahan",),
        "changes": (("", "a" * 64, "b" * 64), ("tim_penyusun", "a" * 64, "b" * 64)),
        "opened": ("langkah_5",),
        "closed": (),
        "year": 2026,
    }
    values = {}
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        values[field.name] = (
            NOW
            if hint in (datetime, datetime | None)
            else known[field.name]
            if field.name in known
            else True
            if hint is bool
            else 1
            if hint in (int, int | None)
            else "tim1"
        )
    return kind(**values)


@pytest.mark.parametrize("kind", typing.get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence(kind: type) -> None:
    attachment = Attachment(files=(File(sha256="a" * 64, size_bytes=1, media_type="application/pdf", name="SK.pdf"),))
    act: object = AddComment(text="Baik.")
    if kind is events.RequirementOwed:
        act = OweRequirement(user_task=1, promise=Promise(document="sk_tim", promised="2027-02-03", reason="Menunggu"))
    elif kind is events.DocumentAttached:
        act = AttachDocument(document="sk_tim", attachment=attachment, user_task=1)
    elif kind is events.UserTaskCompleted:
        act = CompleteUserTask(user_task=1, done_at=NOW)
    command = Command(id="k", at=NOW, actor=Actor(person="camat"), act=act)  # type: ignore[arg-type]
    event = example(kind, act)
    step = Step(sequence=1, command=command, events=(event,), marking=Marking())
    said = words.sentence(event, step, LKJPD, WIB, lambda id: f"<{id}>", {1: "langkah_6"})
    assert said.endswith((".", ": Baik.")) and (said[0].isupper() or said.startswith("<")), said
    assert "None" not in said and "%(" not in said and "user_task" not in said


def test_who_completes_an_unclaimed_task_is_told_in_one_sentence() -> None:
    both = (events.UserTaskClaimed(1, "camat"), events.UserTaskCompleted(1, "langkah_7", 5, None, True))
    command = Command(id="k", at=NOW, actor=Actor(person="camat"), act=CompleteUserTask(user_task=1))
    told = words.history(
        [Step(sequence=1, command=command, events=both, marking=Marking())], LKJPD, WIB, lambda _: "Camat Lasem"
    )
    assert [one.text for one in told] == [
        "Camat Lasem menyelesaikan langkah 7, Memeriksa dan menandatangani. Terlambat."
    ]


def asked(at: datetime, act: object, who: str, *happened: events.Event) -> Step:
    command = Command(id="k", at=at, actor=Actor(person=who), act=act)  # type: ignore[arg-type]
    return Step(sequence=1, command=command, events=happened, marking=Marking())


def test_more_time_is_told_with_its_reason_and_the_norm_that_stays() -> None:
    norm, later = due_at("P5D", NOW, five_days()), due_at("P9D", NOW, five_days())
    opened = events.UserTaskOpened(4, "langkah_6", "sekretaris_pd", 1, norm, norm, due_at("P10D", NOW, five_days()))
    told = words.history(
        [
            asked(NOW, AddComment(text="-"), "camat", opened),
            asked(
                NOW,
                AskExtension(user_task=4, until="2027-02-16", reason="Menunggu data"),
                "tim1",
                events.ExtensionAsked(4, later),
            ),
            asked(
                NOW,
                GrantExtension(user_task=4),
                "camat",
                events.ExtensionGranted(4, norm, later, later),
                events.TimerMoved(5, "waktu_6", norm, later, "c" * 64),
            ),
            asked(NOW, RefuseExtension(user_task=4, reason="Tidak perlu."), "camat", events.ExtensionRefused(4)),
        ],
        LKJPD,
        WIB,
        lambda id: {"camat": "Camat Lasem", "tim1": "Anggota Tim Penyusun 1"}[id],
    )
    step = "langkah 6"
    assert [one.text for one in told[1:]] == [
        f"Anggota Tim Penyusun 1 meminta perpanjangan waktu {step} sampai {words.full(later, WIB)}. "
        "Alasan: Menunggu data.",
        f"Camat Lasem memberikan perpanjangan: batas waktu {step} dari {words.full(norm, WIB)} menjadi "
        f"{words.full(later, WIB)} (waktu baku tetap {words.full(norm, WIB)}).",
        f"Camat Lasem menolak permintaan perpanjangan waktu {step}. Alasan: Tidak perlu.",
    ]


def test_another_calendar_is_told_once_for_each_task_and_for_the_deadline() -> None:
    moved = events.DueDatesMoved(4, NOW, NOW, NOW, *[NOW + timedelta(days=1)] * 3)
    norm_only = events.DueDatesMoved(4, NOW, NOW, NOW, NOW + timedelta(hours=1), NOW, NOW)
    own = events.TimerMoved(5, "waktu_6", NOW, NOW + timedelta(days=1), "c" * 64)
    of_all = events.TimerMoved(6, "tenggat", NOW, NOW + timedelta(hours=1), "c" * 64)
    changed = events.CalendarChanged((("tim_penyusun", "a" * 64, "b" * 64),))
    act = ChangeCalendar(calendars={"tim_penyusun": "b" * 64}, reason="Perbup dikonfirmasi")
    opened = events.UserTaskOpened(4, "langkah_6", "sekretaris_pd", 1, NOW, NOW, NOW)
    step = asked(NOW, act, "admin", changed, opened, moved, own, norm_only, of_all)
    told = words.history([step], LKJPD, WIB, lambda id: "Administrator")
    assert [one.text.split(" dari ")[0] for one in told if "dibuka" not in one.text] == [
        "Administrator mengubah kalender kerja (Tim Penyusun LKjPD). Alasan: Perbup dikonfirmasi.",
        "Kalender kerja berubah: batas waktu langkah 6",
        "Kalender kerja berubah: waktu baku langkah 6",
        "Pengatur waktu Tenggat penyampaian berpindah",
    ]


def test_an_erased_value_says_so_and_nothing_else() -> None:
    assert words.str_of(Erased("ab" * 32)) == "(dihapus sesuai ketentuan)"
    assert words.str_of(Erased("ab", "request 12/PDP")) == "(dihapus atas permintaan nomor 12/PDP)"
    assert words.str_of(Erased("ab", "disposal 3/BA")) == "(dimusnahkan sesuai berita acara nomor 3/BA)"


def test_stored_values_are_said_as_they_are_read() -> None:
    said = [
        words.cell_words(type, (), value, lambda id: f"nama {id}")
        for type, value in (
            ("boolean", True),
            ("date", "2027-02-02"),
            ("time", "09:00"),
            ("decimal", "1250.5"),
            ("person", {"id": "tim1"}),
            ("person", {"nama": "Kepala Desa"}),
            ("string", None),
        )
    ]
    assert said == ["Ya", "2 Februari 2027", "09.00", "1250,5", "nama tim1", "Kepala Desa", "–"]


def test_a_local_date_and_time_of_a_page_become_an_instant() -> None:
    assert words.instant_of("2027-02-02", "10:15", WIB) == NOW
    assert words.instant_of("2027-02-30", "10:15", WIB) is None
    assert words.short_day(date(2027, 2, 2)) == "2 Februari 2027"


WORDS_THAT_ARE_NAMES = {"Alur", "CSV", "NIP", "PDF", "SHA"}


@pytest.mark.parametrize(
    "template", sorted((Path(__file__).parents[2] / "forms" / "templates").rglob("*.html")), ids=lambda path: path.name
)
def test_every_text_of_a_page_can_be_said_in_another_language(template: Path) -> None:
    """What stands in a template outside of {{ _("...") }} would stay Indonesian for everybody."""
    source = re.sub(r"\{% set \w+ %\}.*?\{% endset %\}", " ", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}[-\w]*", " ", source, flags=re.DOTALL)
    spoken = re.findall(r"(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"", text)
    silent = r"<(script|style|svg|code)\b.*?</\1>|<[^>]*>|[-\w]+=\"[^\"]*\"|&\w+;"
    spoken.append(re.sub(silent, " ", text, flags=re.DOTALL))
    left = {word for one in spoken for word in re.findall(r"[^\W\d_]{3,}", one)} - WORDS_THAT_ARE_NAMES
    assert not left, f"{template.name} says {sorted(left)} in one language only"
