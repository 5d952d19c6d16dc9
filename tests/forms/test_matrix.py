"""Who may ask what: every address of the application against a table written by hand, by everybody, in every state of
what it is about; and what nobody means.

A new address without a row fails. For who is not let in there is no such address (404); who has not signed in is led to
where one does (401 to a script). Only where it is no secret that a place exists is it said that it is not theirs (403).
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from engine import drafting, handle, organise
from engine.commands import Actor, CancelProcessInstance
from engine.organisation import OWNER, Act, AddPerson, AddPosition, AddUnit, Change, GrantPower, Hold
from engine.store import definitions, schema
from tests.desk import KEY, LASEM, LKJPD, PASSWORD, QUICK_HASH, Desk, Reader

ELSEWHERE = "kecamatan_lain"
LANES = frozenset({"sekcam", "tim1", "camat"})  # who perform for the unit
OFFICE = frozenset({*LANES, "inspektorat"})  # and the performer from another office
STRANGERS = frozenset({"staf_lain", "pemilik_lain"})  # of another unit: one holds a position there, one owns its SOPs
ROLES = (*sorted(OFFICE), *sorted(STRANGERS), "pengelola1", "analis", "auditor", "admin")
ALL = frozenset(ROLES)
DESIGNERS = frozenset({"pengelola1", "pemilik_lain", "analis", "camat", "admin"})
KEEPERS = frozenset({"pengelola1", "admin"})  # who may bring instances over
JUDGES = frozenset({*KEEPERS, "analis", "camat"})
WATCHERS = frozenset({"auditor", "camat"})  # auditors, and the head of the process
SEES = frozenset({*OFFICE, "auditor", "admin"})  # an instance of the unit, in some breadth
READS = frozenset({*LANES, "auditor"})  # all its documents; an administrator none
ADMIN = frozenset({"admin"})
NOBODY: frozenset[str] = frozenset()

# Endpoint -> who is let in without and with a session.
OPEN = frozenset({"static", "door.alive", "door.ready", "door.sign_in", "verification.sop", "verification.file"})
# Endpoint -> who is let in; for everybody else there is no such address.
SEEN: dict[str, frozenset[str]] = {
    **dict.fromkeys(OPEN, ALL),
    **dict.fromkeys(
        ("inbox.tasks", "processes.listed", "notices.listed", "calculator.count", "door.password", "door.second_factor",
         "account.page", "account.codes_by_time", "account.confirmations", "account.passkey", "account.recovery",
         "publishing.register"), ALL),
    "inbox.start": frozenset({"sekcam"}),
    "inbox.task": frozenset({*LANES, "auditor", "admin"}),
    "inbox.extension": SEES,  # leads on to the process, where nothing was asked
    **dict.fromkeys(
        ("processes.page", "processes.diagram", "processes.control_sheet", "processes.sop_document",
         "monitoring.simulation"), SEES),
    **dict.fromkeys(("processes.document", "audit.lke_bundle"), READS),
    "monitoring.page": frozenset({*WATCHERS, "admin"}),
    **dict.fromkeys(
        ("publishing.home", "publishing.sop", "publishing.version", "publishing.compare", "publishing.check",
         "publishing.diagram_of", "publishing.document_of",
         "sop_editor.new", "sop_editor.open", "sop_editor.table", "modeler.canvas", "modeler.content",
         "modeler.download", "modeler.presence", "modeler.revisions"), DESIGNERS),
    "migration.page": KEEPERS,
    "migration.drawn": DESIGNERS,  # the bytes of a version, as publishing.diagram_of gives them
    **dict.fromkeys(("migration.of_draft", "migration.draft_drawn"), JUDGES),
    **dict.fromkeys(
        ("audit.listed", "audit.player", "audit.moment_page", "audit.moments", "audit.diagram", "audit.taken",
         "performance.page", "performance.instances"), WATCHERS),
    "selection.download": frozenset({"auditor"}),  # a surat tugas says of which units and years
    **dict.fromkeys(("monitoring_forms.page", "monitoring_forms.taken"),
                    frozenset({*WATCHERS, "pengelola1", "analis"})),
    "retention.decisions": frozenset({"camat", "admin"}),
    # Nothing of it is there yet, or nobody set it up: no paper, proposal, run, figures, request, upload, provider.
    **dict.fromkeys(
        ("publishing.scan_of", "publishing.proposal", "migration.run", "performance.diagram", "processes.paper",
         "monitoring_forms.behind", "retention.lift", "retention.minutes", "uploads.one", "notices.agenda_of",
         "verification.checkpoint", "account.remove_factor", "federation.account", "federation.back",
         "federation.leave", "federation.start", "admin.calendar_holiday", "admin.calendar_holiday_away",
         "admin.calendar_season", "admin.calendar_season_away", "admin.end_assignment", "admin.end_holding",
         "admin.revoke"), NOBODY),
}  # fmt: skip
# These say 403: that there is such a place is no secret.
TOLD_SO = {"monitoring.page": ALL, "sop_editor.new": frozenset({"analis", "camat", "admin"})}
# These answer without a session too, that there is nothing.
NOTHING_FOR_ANYBODY = frozenset({"notices.agenda_of", "federation.back", "federation.leave", "federation.start",
                                 "verification.checkpoint"})
# Endpoint -> who of them could change something with it, had they asked rightly.
CHANGED: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("publishing.begin", "publishing.again", "publishing.keep_story", "publishing.propose", "sop_editor.change",
         "modeler.save", "modeler.keep_as_new", "modeler.restore"), frozenset({"pengelola1"})),
    "publishing.withdraw": frozenset({"camat"}),
    "publishing.evaluated": frozenset({"pengelola1", "analis", "camat"}),
    "publishing.attach_sheet": NOBODY,  # version 1 was ratified by nobody
    "sop_editor.read_or_begin": frozenset({"pengelola1", "pemilik_lain"}),  # each for a unit of their own
    **dict.fromkeys(("migration.apply", "migration.undo", "migration.go_on"), KEEPERS),
    # A proposal that is not there: nobody.
    **dict.fromkeys(("publishing.verify", "publishing.send_back", "publishing.recall", "publishing.approve",
                     "publishing.ratify"), NOBODY),
    # These store nothing.
    **dict.fromkeys(("modeler.findings", "modeler.preview", "modeler.expression"), NOBODY),
    # The task waits for Tim Penyusun; the head of the process waives, grants and suspends.
    **dict.fromkeys(("inbox.claim", "inbox.complete", "inbox.save", "inbox.record_values",
                     "inbox.attach", "inbox.owe", "inbox.ask_extension", "uploads.begin"), frozenset({"tim1"})),
    "inbox.recall": NOBODY,  # the task is open: nobody has completed it
    **dict.fromkeys(("inbox.reassign", "inbox.release"), frozenset({*LANES, "admin"})),
    **dict.fromkeys(("inbox.waive", "inbox.grant_extension", "inbox.refuse_extension"), frozenset({"camat"})),
    **dict.fromkeys(("inbox.comment", "processes.comment"), frozenset({*LANES, "admin"})),
    **dict.fromkeys(("processes.suspend", "processes.resume", "processes.cancel", "processes.resolve"),
                    frozenset({"camat", "admin"})),
    "inbox.start": frozenset({"sekcam"}),
    "inbox.read_notices": ALL,
    **dict.fromkeys(("notices.read", "notices.wish", "notices.make", "notices.revoke", "door.password",
                     "door.second_factor", "account.codes_by_time", "account.passkey", "account.recovery",
                     "account.end_others", "account.known_all",
                     "account.confirm_several"), ALL),  # of one's own; what one is not asked is 404 (test_account)
    **dict.fromkeys(("account.answer", "account.known", "account.end_session", "account.remove_factor",
                     "uploads.cancel", "uploads.go_on", "retention.decide_disposal", "retention.decide_erasure",
                     "federation.account"), NOBODY),
    **dict.fromkeys(("door.sign_in", "door.sign_out", "door.passkey"), ALL),
}  # fmt: skip
SENT = {"alasan": "uji", "alasan_cabut": "uji", "berlaku": "2026-12-08", "tanggal_evaluasi": "2026-12-07",
        "hasil": "tetap", "key": "kunci-uji-1234", "simpanan": "1", "dibaca": "1", "aksi": "simpan", "revisi": "1",
        "catatan": "uji", "tanggal": "2026-12-07", "nomor": "1", "komentar": "uji", "isi": "uji", "person": "tim1",
        "name": "uji", "login": "uji", "power": "administrator", "unit": LASEM, "position": "camat_lasem",
        "valid_from": "2026-12-07", "valid_until": "2026-12-31", "jawaban": "benar", "sampai": "2026-12-31"}
# Rows that come and go with every request and are nothing that anybody did.
FLEETING = frozenset({"session", "attempt", "last_sign_in", "definition_draft_presence"})


def administrative(endpoint: str) -> bool:
    return endpoint.startswith("admin.") or (endpoint.startswith("retention.") and "deci" not in endpoint)


def let_in(endpoint: str) -> frozenset[str]:
    return SEEN.get(endpoint, ADMIN if administrative(endpoint) else NOBODY)


def changing(endpoint: str) -> frozenset[str]:
    return CHANGED.get(endpoint, ADMIN if administrative(endpoint) else NOBODY)


@pytest.fixture
def peopled(site: Desk) -> Desk:
    """With two people of another unit, and without the hidden key of forms: that is judged in a test of its own."""
    acts: tuple[Act, ...] = (
        AddUnit(unit=ELSEWHERE, name="Kecamatan Lain"),
        AddPerson(person="pemilik_lain", name="Pengelola SOP Lain", login="pemilik_lain"),
        GrantPower(person="pemilik_lain", power=OWNER, unit=ELSEWHERE),
        AddPerson(person="staf_lain", name="Camat Lain", login="staf_lain"),
        AddPosition(position="camat_lain", name="Camat Lain", unit=ELSEWHERE),
        Hold(
            holding="h", position="camat_lain", person="staf_lain", capacity="definitif", valid_from="2026-01-01"
        ),
    )
    with site.database.begin() as db:
        for n, act in enumerate(acts):
            by = Actor(person="admin", capacity="administrator", signed_in_by="cli")
            organise.change(db, site.database.key, Change(id=f"m{n}", at=site.clock(), actor=by, act=act))
        for person in STRANGERS:
            organise.set_password(db, person, QUICK_HASH.hash(PASSWORD), site.clock())
    site.app.config["WTF_CSRF_METHODS"] = set()
    return site


def drawn(desk: Desk) -> tuple[str, str]:
    """(id of a draft, SHA-256 of the version it began from)."""
    with desk.database.begin() as db:
        newest = definitions.newest(db, LKJPD)
        assert newest is not None
        data = definitions.export(db, LKJPD, newest.version)
        assert data is not None
        draft = drafting.begin(db, data, unit=LASEM, person="pengelola1", at=desk.clock(), base=newest.sha256)
    return draft.id, newest.sha256


def asked(desk: Desk, draft: str, sha256: str, instance: str = "") -> list[tuple[str, str, str]]:
    """(method, endpoint, an address) of every rule there is.

    instance  what the addresses of instances are about; "" the one that waits at step 3.
    """
    instance = instance or desk.waiting_at(3)
    task = next(iter(desk.instance(instance).user_tasks), 1) if len(instance) == 36 and known(desk, instance) else 1
    common: dict[str, Any] = {
        "key": LKJPD, "name": "v1", "kind": "docx", "number": 1, "sha256": sha256, "form": "csv", "sequence": 1,
        "unit": LASEM, "lane": "kepala_pd", "type": "surat_edaran", "version": 1, "place": 0, "size": 5,
        "root": "a" * 43, "secret": "x" * 43, "upload": "0" * 32, "person": "analis", "power": "auditor",
        "subject": "langkah_8", "filename": "alur.css",
    }  # fmt: skip
    about = (("/audit", instance), ("/proses", instance), ("/tugas", instance), ("/dokumen", instance),
             ("/perancang", draft), ("/pengaturan/unit", LASEM), ("/pengaturan/jabatan", "camat_lasem"),
             ("/pengaturan/orang", "tim1"), ("/pengaturan/insiden", instance), ("/pengaturan/kesehatan", instance))
    found = []
    for rule in desk.app.url_map.iter_rules():
        values = {**common, "id": next((id for start, id in about if rule.rule.startswith(start)), "1")}
        if rule.rule.startswith("/tugas"):
            values["number"] = task
        if "monitoring-sop" in rule.rule:
            values["form"] = "pdf"
        if "/impor/" in rule.rule:
            values["kind"] = "orang"
        with desk.app.test_request_context():
            address = rule.build({name: values[name] for name in rule.arguments})
        assert address is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((method, rule.endpoint, address[1]))
    return found


def known(desk: Desk, instance: str) -> bool:
    with desk.database.read() as db:
        return bool(db.exec_driver_sql(f"SELECT count(*) FROM instance WHERE id = '{instance}'").scalar_one())


def counted(desk: Desk) -> dict[str, int]:
    """How much is written, table by table; what was looked at (the stream `access`) is no change."""
    tables = [one.name for one in schema.metadata.sorted_tables if one.name not in FLEETING]
    with desk.database.read() as db:
        rows = {one: db.exec_driver_sql(f"SELECT count(*) FROM {one}").scalar_one() for one in tables}
        rows["journal"] = db.exec_driver_sql("SELECT count(*) FROM journal WHERE stream <> 'access'").scalar_one()
    return rows


def asks(reader: Reader, address: str) -> int:
    return reader.get(address, False, headers={"Sec-Fetch-Mode": "cors"}).status


def test_every_address_is_in_the_table_and_lets_in_whom_it_says(peopled: Desk) -> None:
    draft, sha256 = drawn(peopled)
    rules = asked(peopled, draft, sha256)
    assert not {one for method, one, _ in rules if method == "GET" and not administrative(one)} ^ {
        one for one in SEEN if not administrative(one)}
    assert not {one for method, one, _ in rules if method != "GET" and not administrative(one)} ^ {*CHANGED}
    wrong = []
    for role in ("", *ROLES):
        reader = peopled.reader(role or None)
        for method, endpoint, address in rules:
            if method != "GET":
                continue
            status = asks(reader, address)
            if not role:
                ok = status == (200 if endpoint in OPEN else 404 if endpoint in NOTHING_FOR_ANYBODY else 401)
            elif role in let_in(endpoint) and not (endpoint in TOLD_SO and role in TOLD_SO[endpoint] and status == 403):
                ok = status in (200, 302, 303)
            else:
                ok = status == (403 if role in TOLD_SO.get(endpoint, NOBODY) else 404)
            if not ok:
                wrong.append((role, endpoint, status))
    assert not wrong, wrong


STATES = ("waiting elsewhere", "finished", "cancelled", "not there")


def become(peopled: Desk, state: str) -> str:
    """The id of an instance of which that has become."""
    instance = {"waiting elsewhere": peopled.waiting_at(4), "finished": peopled.waiting_at(9),
                "cancelled": peopled.waiting_at(1), "not there": str(uuid4())}[state]  # fmt: skip
    if state == "finished":
        peopled.complete(instance, 9)
    if state == "cancelled":
        ask = handle.Request(id="batal-uji-1234", act=CancelProcessInstance(reason="uji"), person="camat",
                             at=peopled.clock())  # fmt: skip
        with peopled.database.begin() as db:
            handle.handle(db, definitions.rules(peopled.database), KEY, instance, [ask])
    return instance


@pytest.mark.parametrize("state", STATES)
def test_whatever_has_become_of_an_instance_nobody_changes_what_is_not_theirs(peopled: Desk, state: str) -> None:
    """Of what is over only a comment may be made; a task that waits elsewhere is that office's, or recorded for it."""
    instance = become(peopled, state)
    draft, sha256 = drawn(peopled)
    rules = [one for one in asked(peopled, draft, sha256, instance) if instance in one[2] and one[0] != "GET"]
    assert len(rules) > 15
    elsewhere = {"inspektorat", "sekcam", "tim1"}  # who works there, and who may record on its behalf
    wrong = []
    for role in ROLES:
        reader, before = peopled.reader(role), counted(peopled)
        for method, endpoint, address in rules:
            comment = endpoint in ("inbox.comment", "processes.comment") and role in changing("processes.comment")
            theirs = role in changing(endpoint) or role in elsewhere
            if (state != "not there" and comment) or (state == "waiting elsewhere" and theirs):
                continue
            status = reader.client.open(address, method=method, data=SENT).status_code
            after = counted(peopled)
            if status >= 500 or after != before or (state == "not there" and status < 400 and role != "admin"):
                wrong.append((role, endpoint, status, {k for k in after if after[k] != before.get(k)}))
                before = after
    assert not wrong, wrong


@pytest.mark.parametrize("state", STATES)
def test_whatever_has_become_of_an_instance_strangers_find_nothing(peopled: Desk, state: str) -> None:
    instance = become(peopled, state)
    draft, sha256 = drawn(peopled)
    rules = [one for one in asked(peopled, draft, sha256, instance) if instance in one[2] and one[0] == "GET"]
    assert len(rules) > 12
    wrong = []
    for role in ROLES:
        reader = peopled.reader(role)
        for _method, endpoint, address in rules:
            status = asks(reader, address)
            may = role in let_in(endpoint) or (role == "inspektorat" and endpoint == "inbox.task")
            if status >= 500 or (status < 400 and (not may or state == "not there")):
                wrong.append((role, endpoint, status))
            if endpoint == "processes.page" and state != "not there" and may and status != 200:
                wrong.append((role, endpoint, status))
    assert not wrong, wrong


def test_lists_searches_and_counts_say_nothing_of_what_somebody_may_not_see(peopled: Desk) -> None:
    """A stranger's lists are empty, whatever they search for: no title, no number of hits."""
    for role in STRANGERS:
        reader = peopled.reader(role)
        for address in ("/", "/proses", "/proses?cari=LKjPD", "/pemberitahuan", "/?cari=LKjPD"):
            text = reader.get(address).text
            assert "LKjPD Tahun" not in text and not re.search(r"\b[1-9]\d* (berkas|tugas)", text), (role, address)


def test_who_may_not_change_something_changes_nothing(peopled: Desk) -> None:
    draft, sha256 = drawn(peopled)
    rules = [one for one in asked(peopled, draft, sha256) if one[0] != "GET"]
    wrong = []
    for role in ("", *ROLES):
        reader, before = peopled.reader(role or None), counted(peopled)
        for method, endpoint, address in rules:
            if role in changing(endpoint):
                continue
            body: dict[str, Any] = {"data": SENT}
            if endpoint in ("modeler.save", "modeler.keep_as_new"):
                body = {"data": b"<a/>", "headers": {"If-Match": '"1"'}}
            status = reader.client.open(address, method=method, **body).status_code
            after = counted(peopled)
            outsider = administrative(endpoint) or (address.startswith("/perancang") and role not in DESIGNERS)
            if status >= 500 or after != before or (role and outsider and status != 404):
                wrong.append((role, endpoint, status, {k for k in after if after[k] != before.get(k)}))
                before = after
    assert not wrong, wrong


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5_000, "-1", "²", "1e9", "\x00"])
def test_a_revision_that_no_draft_has_is_no_fault_of_ours(peopled: Desk, number: str) -> None:
    id, _ = drawn(peopled)
    address, owner = f"/perancang/rancangan/{id}", peopled.reader("pengelola1")
    for page in ("isi", "unduh", "kanvas"):
        assert owner.get(f"{address}/{page}", query_string={"simpanan": number}).status in (200, 404), page
    assert owner.post(f"{address}/simpanan", {"simpanan": number, "dibaca": number}).status in (200, 400)
    owner.get(f"{address}/tabel")
    typed = {**owner.values(), "aksi": "simpan", "revisi": number, "baris.0.uraian": "Uraian yang diketik"}
    owner.post(f"{address}/tabel", typed)
    assert owner.status == 409 and "Uraian yang diketik" in owner.response.get_data(as_text=True)


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000,
    b'{"xml":"\\ud800","element":"x","expression":"a","id":"\\ud800"}',
    b'{"xml":"a","element":"x","expression":"a","id":"\\u0000"}',
    b'{"xml":1,"element":[],"expression":{},"id":9e999}',
])  # fmt: skip
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_json_that_is_none_is_refused(peopled: Desk, body: bytes, kind: str) -> None:
    id, _ = drawn(peopled)
    owner = peopled.reader("pengelola1")
    for address in ("ungkapan", f"rancangan/{id}/pratinjau"):
        status = owner.client.post(f"/perancang/{address}", data=body, content_type=kind).status_code
        assert status in (400, 404, 422), address


def test_nothing_is_changed_without_the_key_of_a_form(site: Desk) -> None:
    id, sha256 = drawn(site)
    owner, before = site.reader("pengelola1"), counted(site)
    for method, endpoint, address in asked(site, id, sha256):
        if method != "GET":
            assert owner.client.open(address, method=method, data=SENT).status_code == 400, endpoint
    assert counted(site) == before
