"""`alur bench`: what a completion costs, as ratios in one run.

Three things in turn, interleaved, medians: a completion through `handle`, everything included; the bare rows, that is
the very SQL of that completion with its BEGIN and COMMIT on the raw driver, in a twin database, with no engine; and
naive SpiffWorkflow, which deserializes all, completes, serializes all. Absolute figures drift with the machine; ratios
do not.
"""
from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.util.task import TaskState

from . import diagram, execution, seed
from .calendars import five_days
from .commands import AttachDocument, Attachment, CompleteUserTask, File
from .definition import SequenceFlow
from .deploy import SYSTEM, deploy
from .handle import Request, handle, opening, start
from .instance import ProcessInstance
from .marking import OPEN, Marking
from .store import definitions, instances
from .store.database import Database, migrate, open_database
from .store.prepared import Said, heard
from .store.schema import log_pending, metadata

OPENING = datetime(2026, 12, 9, 1, 0, tzinfo=UTC)       # 08.00 WIB, a working day


@dataclass
class Timing:
    wall: list[float] = field(default_factory=list)     # seconds
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self, counted: bool = True) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if counted:
            self.wall.append(wall)
            self.cpu.append(cpu)

    @property
    def wall_us(self) -> float:
        return statistics.median(self.wall) * 1e6

    @property
    def cpu_us(self) -> float:
        return statistics.median(self.cpu) * 1e6


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians in microseconds, of one database."""
    database: str
    completions: int
    statements: int                         # of one completion inside `handle`, at most
    handle_us: float
    bare_us: float
    handle_cpu_us: float
    bare_cpu_us: float
    share: float                            # bare wall / handle wall
    late_ratio: float                       # a completion after the given returns / at none
    returns: int
    marking_bytes: int


class Office:
    """A demo office in an empty database, and the LKjPD that goes round in it."""

    def __init__(self, database: Database, bpmn: Path):
        self.database = database
        migrate(database)
        with database.begin() as db:
            if definitions.newest(db, "penyusunan_lkjpd") is None:
                seed.seed_office(db, database.key, OPENING - timedelta(days=1))
                definitions.publish_calendar(db, database.key, "kecamatan_lasem", five_days(), actor=SYSTEM,
                                             reason="bench", at=OPENING, command_id="bench-calendar")
                deploy(db, database.key, bpmn.read_bytes(), actor=SYSTEM, reason="bench", at=OPENING)
        self.rules = definitions.rules(database)
        self.ids, self.at = count(1), OPENING

    @classmethod
    def of(cls, url: str, bpmn: Path) -> Office:
        """The office in a database: made when it is empty, found when it is there."""
        return cls(open_database(url, b"b" * 32), bpmn)

    def request(self, who: str, act: Any) -> Request:
        self.at += timedelta(seconds=1)
        return Request(id=f"bench-{next(self.ids)}", act=act, person=who, at=self.at)

    def do(self, id: str, who: str, act: Any) -> None:
        request = self.request(who, act)
        with self.database.begin() as db:
            handle(db, self.rules, self.database.key, id, [request])

    def open(self, id: str) -> tuple[ProcessInstance, int]:
        with self.database.read() as db:
            instance = instances.load(db, id)
        assert instance is not None
        return instance, next(iter(instance.user_tasks), 0)

    def attach(self, id: str, who: str, *types: str) -> None:
        _, number = self.open(id)
        for type in types:
            self.do(id, who, AttachDocument(document=type, user_task=number, attachment=paper(type)))

    def complete(self, id: str, who: str, **data: Any) -> None:
        _, number = self.open(id)
        self.do(id, who, CompleteUserTask(user_task=number, data=data))

    def begin(self, year: int) -> str:
        """A new instance, taken to step 5."""
        data = {"tahun_laporan": year, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
                "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
        with self.database.begin() as db:
            act = opening(db, "penyusunan_lkjpd", "kecamatan_lasem", data=data,
                          attachments={"surat_edaran": paper("surat_edaran")})
            id, _ = start(db, self.rules, self.database.key, self.request("sekcam", act))
        self.complete(id, "camat", arahan="Susun Tim Penyusun LKjPD.")
        self.attach(id, "sekcam", "sk_tim", "surat_undangan")
        self.complete(id, "sekcam", nomor_sk_tim="SK 1", tanggal_sk_tim="2026-12-09", jadwal_rapat=[
            {"tanggal": "2026-12-10", "pukul": "09:00", "tempat": "Aula", "acara": "Rapat"}], susunan_tim=[
            {"pegawai": {"id": "tim1"}, "kedudukan": "ketua"}, {"pegawai": {"id": "tim2"}, "kedudukan": "anggota"}])
        self.attach(id, "tim1", "bahan_rapat", "daftar_hadir", "bahan_data", "notulen", "daftar_pembagian_tugas",
                    "rancangan_akhir", "surat_pengantar_reviu")
        self.complete(id, "tim1", tanggal_rapat_koordinasi="2026-12-09", tanggal_rancangan_selesai="2026-12-09",
                      tanggal_kirim_reviu="2026-12-09", nomor_pengantar_reviu="1",
                      penanda_tangan_pengantar_reviu="kepala_pd", cara_kirim_reviu="langsung")
        self.attach(id, "inspektorat", "lhr")
        self.complete(id, "inspektorat", tanggal_terima_rancangan="2026-12-09", nomor_lhr="700/1",
                      tanggal_lhr="2026-12-09", ringkasan_reviu="Cukup.", ada_catatan_reviu="ya",
                      catatan_reviu=[{"catatan": "Perbaiki tabel."}], tanggal_kirim_lhr="2026-12-09")
        return id

    def round(self, id: str, completing: Callable[[Callable[[], None]], None], at: str = "langkah_5") -> None:
        """Steps 5, 6 and 7, returned, from the step `at` on; each completion, and only it, goes by `completing`."""
        if at == "langkah_5":
            self.attach(id, "tim1", "rancangan_akhir")
        instance, _ = self.open(id)
        forms: dict[str, tuple[str, dict[str, Any]]] = {
            "langkah_5": ("tim1", {"tindak_lanjut": [{"hasil": "sudah"}], "tanggal_cetak": "2026-12-09"}),
            "langkah_6": ("sekcam", {"paraf_sekretaris": True, "bentuk_paraf": "basah",
                                     "tanggal_paraf": "2026-12-09"}),
            "langkah_7": ("camat", {"keputusan": "kembalikan", "koreksi": [{"koreksi": "Perbaiki bab III."}]})}
        if instance.rounds.get("langkah_5", 1) > 1:
            forms["langkah_5"][1]["mengubah_angka"] = "tidak"
        for who, data in list(forms.values())[list(forms).index(at):]:
            _, number = self.open(id)
            request = self.request(who, CompleteUserTask(user_task=number, data=data))

            def one(request: Request = request) -> None:
                with self.database.begin() as db:
                    handle(db, self.rules, self.database.key, id, [request])
            completing(one)


def paper(type: str) -> Attachment:
    return Attachment(files=(File(sha256="0" * 64, size_bytes=1, media_type="application/pdf", name=f"{type}.pdf"),))


class Bare:
    """A twin database and the raw driver: BEGIN, the same statements, COMMIT. No engine."""

    def __init__(self, database: Database):
        self.fairy = database.engine.raw_connection()       # kept: the pool takes the connection back with it
        self.driver: Any = self.fairy.driver_connection
        self.begin = "BEGIN IMMEDIATE" if database.dialect == "sqlite" else "BEGIN"

    def run(self, statements: Sequence[Said]) -> None:
        execute = self.driver.execute
        execute(self.begin)
        for sql, values, many in statements:
            if many:
                for one in values:
                    execute(sql, one)
            else:
                cursor = execute(sql, values)
                if cursor.description:
                    cursor.fetchall()
        execute("COMMIT")


def measure(urls: tuple[str, str, str], bpmn: Path, rounds: int, returns: int) -> Figures:
    """One database's figures.

    urls     three empty databases of one kind on one disk: the office; its scribe, which does everything first and
             tells the SQL; and the twin, which runs that SQL bare. All three hold the same rows.
    rounds   how many times steps 5, 6 and 7 are gone through (three completions each).
    returns  how many returns before a completion is compared with one after none.
    """
    mine, scribe = (Office(open_database(url, b"b" * 32), bpmn) for url in urls[:2])
    twin = open_database(urls[2], b"b" * 32)
    migrate(twin)
    copy(scribe.database, twin)
    bare = Bare(twin)
    timings = {name: Timing() for name in ("handle", "bare", "early", "late")}
    statements: list[int] = []
    with heard(scribe.database.engine) as said:
        id = scribe.begin(2026)
    bare.run([one for one in said if one.sql.startswith(("INSERT", "UPDATE", "DELETE"))])
    assert mine.begin(2026) == id
    gc.collect()
    gc.freeze()
    for n in range(rounds + 3):
        counted = n >= 3                            # the first rounds warm up
        told: list[list[Said]] = []

        def telling(one: Callable[[], None], told: list[list[Said]] = told) -> None:
            with heard(scribe.database.engine) as said:
                one()
            told.append(said)
        with heard(scribe.database.engine) as said:
            scribe.round(id, telling)
        bare_rows = iter(told)
        between = [one for one in said if one not in [s for t in told for s in t]]
        bare.run([one for one in between if one.sql.startswith(("INSERT", "UPDATE", "DELETE"))])

        def completing(one: Callable[[], None], rows: Iterator[list[Said]] = bare_rows,
                       counted: bool = counted) -> None:
            with timings["handle"].measured(counted):
                one()
            same = next(rows)
            with timings["bare"].measured(counted):
                bare.run(same)
            statements.append(len(same))
        mine.round(id, completing)
    fresh, late = mine.begin(2025), mine.begin(2024)
    for _ in range(returns):
        mine.round(late, lambda one: one())
    mine.round(fresh, lambda one: one())
    for _ in range(max(rounds // 2, 5)):            # interleaved: the machine's mood is the same for both
        mine.round(fresh, lambda one: timed(timings["early"], one))
        mine.round(late, lambda one: timed(timings["late"], one))
    instance, _ = mine.open(late)
    figures = Figures(
        database=mine.database.dialect, completions=3 * rounds, statements=max(statements),
        handle_us=timings["handle"].wall_us, bare_us=timings["bare"].wall_us,
        handle_cpu_us=timings["handle"].cpu_us, bare_cpu_us=timings["bare"].cpu_us,
        share=timings["bare"].wall_us / timings["handle"].wall_us,
        late_ratio=timings["late"].wall_us / timings["early"].wall_us,
        returns=returns, marking_bytes=len(instance.marking.to_bytes()))
    for one in (mine.database, scribe.database, twin):
        one.close()
    return figures


def timed(timing: Timing, one: Callable[[], None]) -> None:
    with timing.measured():
        one()


def copy(source: Database, target: Database) -> None:
    """Every row of one database into its empty twin, where the journal itself says what waits for the log."""
    with source.read() as here, target.begin() as there:
        for table in metadata.sorted_tables:
            if table is log_pending:
                continue
            rows = [row._asdict() for row in here.execute(table.select())]
            if rows:
                there.execute(table.insert(), rows)


# The engine alone, against naive SpiffWorkflow

@dataclass(frozen=True, kw_only=True)
class EngineFigures:
    """Median CPU microseconds of one transition of steps 5, 6, 7 and their return."""
    naive_us: float                         # deserialize_json, complete, do_engine_steps, serialize_json
    spiff_us: float                         # ours: marking from bytes, SpiffWorkflow on its live tokens, to bytes
    remembered_us: float                    # the same, where the transition was met before

    @property
    def times_less(self) -> float:
        return self.naive_us / self.spiff_us

    @property
    def times_less_remembered(self) -> float:
        return self.naive_us / self.remembered_us


def measure_engine(bpmn: Path, completions: int = 120) -> EngineFigures:
    """Naive SpiffWorkflow begins afresh every few returns: this is its cost "at no returns"."""
    definition = diagram.read(bpmn.read_bytes())
    timings = {name: Timing() for name in ("naive", "spiff", "remembered")}
    naive = Naive(bpmn)
    plain, memo = execution.Transitions(definition, remember=False), execution.Transitions(definition)
    marking = at_step_5(plain)
    kept = marking.to_bytes()
    for n in range(completions):
        if n % 6 == 0:
            naive.begin()
        with timings["naive"].measured():
            naive.complete(n % 3 == 2)
        for name, transitions in (("spiff", plain), ("remembered", memo)):
            with timings[name].measured():
                now = Marking.from_bytes(kept)
                after = transitions.complete(now, open_number(now), returned).marking.to_bytes()
        kept = after
    return EngineFigures(**{f"{name}_us": one.cpu_us for name, one in timings.items()})


def returned(flow: SequenceFlow) -> bool:
    return "kembalikan" in (flow.condition or "")


def at_step_5(transitions: execution.Transitions) -> Marking:
    marking = transitions.start(returned).marking
    for _ in range(4):
        marking = transitions.complete(marking, open_number(marking), returned).marking
    return marking


def open_number(marking: Marking) -> int:
    return next(t.number for t in marking.tokens if t.status == OPEN)


class Naive:
    """SpiffWorkflow as its documentation shows it: the whole workflow as JSON between any two completions."""

    def __init__(self, bpmn: Path):
        parser = BpmnParser()
        parser.add_bpmn_str(pythonic(bpmn.read_bytes()))
        self.spec = parser.get_spec("penyusunan_lkjpd")
        self.serializer = BpmnWorkflowSerializer()
        self.state = ""

    def begin(self) -> None:
        workflow = BpmnWorkflow(self.spec)
        workflow.do_engine_steps()
        self.state = self.serializer.serialize_json(workflow)
        for _ in range(4):
            self.complete(False)

    def complete(self, returned: bool) -> None:
        workflow = self.serializer.deserialize_json(self.state)
        task = next(t for t in workflow.get_tasks(state=TaskState.READY) if t.task_spec.manual)
        task.data.update(keputusan="kembalikan" if returned else "")
        task.run()
        workflow.do_engine_steps()
        self.state = self.serializer.serialize_json(workflow)


def pythonic(data: bytes) -> bytes:
    """The same diagram in SpiffWorkflow's own dialect: Python conditions and quoted durations, without the deadline."""
    text = data.decode()
    text = re.sub(r"<bpmn:subProcess id=\"tenggat\".*?</bpmn:subProcess>", "", text, flags=re.S)
    text = re.sub(r"<bpmn:extensionElements>.*?</bpmn:extensionElements>", "", text, flags=re.S)
    text = re.sub(r"(<bpmn:timeDuration[^>]*>)(P[^<]*)(<)", r"\1'\2'\3", text)
    quote = r"(?:&#34;|&quot;|\")"
    condition = rf"(<bpmn:conditionExpression[^>]*>)=keputusan = {quote}(\w+){quote}(<)"
    return re.sub(condition, r"\1keputusan == '\2'\3", text).encode()


# What must hold

LEAST_TIMES_LESS = 6            # naive SpiffWorkflow's CPU time over ours
LEAST_SHARE = {"sqlite": 0.30, "postgresql": 0.45}      # the bare rows' time in a completion's
MOST_STATEMENTS = 10
MOST_LATE_RATIO = 1.2
MOST_MARKING_BYTES = 1_024


def holds(engine: EngineFigures, stores: list[Figures]) -> bool:
    return engine.times_less >= LEAST_TIMES_LESS and all(
        one.share >= LEAST_SHARE[one.database] and one.statements <= MOST_STATEMENTS
        and one.late_ratio <= MOST_LATE_RATIO and one.marking_bytes <= MOST_MARKING_BYTES for one in stores)


def table(engine: EngineFigures, stores: list[Figures]) -> str:
    """The figures as the Markdown table that is kept in the docs."""
    rows = ["| what | figure | must be |", "| --- | --- | --- |",
            f"| engine CPU, naive SpiffWorkflow / ours | {engine.times_less:.1f} x | at least {LEAST_TIMES_LESS} |",
            f"| the same, where a transition is remembered | {engine.times_less_remembered:.0f} x | |"]
    for one in stores:
        name, returns = one.database, f"{one.returns:,} returns"
        rows += [f"| {name}: completion, share of the bare rows | {one.share:.0%} | at least {LEAST_SHARE[name]:.0%} |",
                 f"| {name}: statements in `handle` | {one.statements} | at most {MOST_STATEMENTS} |",
                 f"| {name}: after {returns} / after none | {one.late_ratio:.2f} | at most {MOST_LATE_RATIO} |",
                 f"| {name}: marking after {returns} | {one.marking_bytes} bytes | at most {MOST_MARKING_BYTES:,} |"]
    return "\n".join(rows)


def page(engine: EngineFigures, stores: list[Figures], on: date, cores: int) -> str:
    """The table with what a reader must know of it, as `docs/bench.md` keeps it."""
    completions = " and ".join(f"{one.completions} completions on {one.database}" for one in stores)
    return f"""# What a completion costs

Measured on {on.isoformat()} by `make bench`, on a machine with {cores} cores:
{completions}.

{table(engine, stores)}

Ratios only, each of two medians from one run in which both took turns: absolute figures drift with the machine.

- **Engine CPU**: one transition of steps 5, 6, 7 and their return in the LKjPD. Naive SpiffWorkflow deserializes the
  whole workflow, completes, runs on and serializes it, begun afresh every few returns; ours goes from the marking's
  bytes to the next marking's.
- **Share of the bare rows**: the same SQL as a completion through `handle`, its values, round trips, `BEGIN` and
  `COMMIT`, run on the raw driver in a twin database that holds the same rows, without an engine; divided by the
  completion itself, everything included. SQLite writes its WAL with `synchronous = FULL`; PostgreSQL is durable.
- **After returns / after none**: a completion of an instance that was returned so often, and one of a fresh instance
  beside it.
"""
