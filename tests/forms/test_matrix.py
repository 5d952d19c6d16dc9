"""Who may ask what under Perancang and Audit: every address against a table written by hand; and what nobody means."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine import drafting, organise
from engine.commands import Actor
from engine.organisation import OWNER, Act, AddPerson, AddUnit, Change, GrantPower
from engine.store import definitions
from tests.desk import LASEM, LKJPD, PASSWORD, QUICK_HASH, Desk

ELSEWHERE = "kecamatan_lain"
ROLES = ("sekcam", "inspektorat", "pengelola1", "pemilik_lain", "analis", "camat", "auditor", "admin")
DESIGNERS = frozenset({"pengelola1", "pemilik_lain", "analis", "camat", "admin"})
KEEPERS = frozenset({"pengelola1", "admin"})  # who may bring instances over
JUDGES = frozenset({*KEEPERS, "analis", "camat"})
WATCHERS = frozenset({"auditor", "camat"})  # auditors, and the head of the process
# Endpoint -> who is let in; for everybody else there is no such address.
SEEN: dict[str, frozenset[str]] = {
    "publishing.register": frozenset(ROLES),
    **dict.fromkeys(
        ("publishing.home", "publishing.sop", "publishing.version", "publishing.compare", "publishing.check",
         "publishing.diagram_of", "publishing.document_of", "publishing.scan_of", "publishing.proposal",
         "sop_editor.new", "sop_editor.open", "sop_editor.table", "modeler.canvas", "modeler.content",
         "modeler.download", "modeler.presence", "modeler.revisions"), DESIGNERS),
    **dict.fromkeys(("migration.page", "migration.run"), KEEPERS),
    "migration.drawn": DESIGNERS,  # the bytes of a version, as publishing.diagram_of gives them
    **dict.fromkeys(("migration.of_draft", "migration.draft_drawn"), JUDGES),
    **dict.fromkeys(
        ("audit.listed", "audit.player", "audit.moment_page", "audit.moments", "audit.diagram", "audit.taken",
         "performance.page", "performance.instances", "performance.diagram", "monitoring_forms.behind"), WATCHERS),
    # And who may record the evaluation of the SOP; the instances behind a figure are not theirs to open.
    **dict.fromkeys(("monitoring_forms.page", "monitoring_forms.taken"), WATCHERS | {"pengelola1", "analis"}),
}  # fmt: skip
# Endpoint -> who of them could change something with it, had they asked rightly.
CHANGED: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("publishing.begin", "publishing.again", "publishing.keep_story", "publishing.propose", "sop_editor.change",
         "modeler.save", "modeler.keep_as_new", "modeler.restore"), frozenset({"pengelola1"})),
    "publishing.withdraw": frozenset({"camat"}),
    "publishing.evaluated": frozenset({"pengelola1", "analis", "camat"}),
    "publishing.attach_sheet": frozenset(),  # version 1 was ratified by nobody
    "sop_editor.read_or_begin": frozenset({"pengelola1", "pemilik_lain"}),  # each for a unit of their own
    **dict.fromkeys(("migration.apply", "migration.undo", "migration.go_on"), KEEPERS),
    # A proposal that is not there: nobody.
    **dict.fromkeys(("publishing.verify", "publishing.send_back", "publishing.recall", "publishing.approve",
                     "publishing.ratify"), frozenset()),
    # These store nothing.
    **dict.fromkeys(("modeler.findings", "modeler.preview", "modeler.expression"), frozenset()),
}  # fmt: skip
SENT = {"alasan": "uji", "alasan_cabut": "uji", "berlaku": "2026-12-08", "tanggal_evaluasi": "2026-12-07",
        "hasil": "tetap", "key": "kunci-uji-1234", "simpanan": "1", "dibaca": "1", "aksi": "simpan", "revisi": "1",
        "catatan": "uji", "tanggal": "2026-12-07", "nomor": "1"}  # fmt: skip


@pytest.fixture
def peopled(site: Desk) -> Desk:
    """With an owner of another unit, and without the hidden key of forms: that is judged in a test of its own."""
    acts: tuple[Act, ...] = (AddUnit(unit=ELSEWHERE, name="Kecamatan Lain"),
            AddPerson(person="pemilik_lain", name="Pengelola SOP Lain", login="pemilik_lain"),
            GrantPower(person="pemilik_lain", power=OWNER, unit=ELSEWHERE))  # fmt: skip
    with site.database.begin() as db:
        for n, act in enumerate(acts):
            by = Actor(person="admin", capacity="administrator", signed_in_by="cli")
            organise.change(db, site.database.key, Change(id=f"m{n}", at=site.clock(), actor=by, act=act))
        organise.set_password(db, "pemilik_lain", QUICK_HASH.hash(PASSWORD), site.clock())
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


def asked(desk: Desk, draft: str, sha256: str) -> list[tuple[str, str, str]]:
    """(method, endpoint, an address) of every rule of the two places."""
    found = []
    for rule in desk.app.url_map.iter_rules():
        if not re.match(r"/(perancang|audit)(/|$)", rule.rule):
            continue
        values: dict[str, Any] = {
            "id": desk.waiting_at(3) if rule.rule.startswith("/audit") else draft, "key": LKJPD, "name": "v1",
            "kind": "docx", "number": 1, "sha256": sha256, "sequence": 1,
            "form": "pdf" if rule.endpoint == "monitoring_forms.taken" else "csv",
        }  # fmt: skip
        with desk.app.test_request_context():
            address = rule.build(values)
        assert address is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((method, rule.endpoint, address[1]))
    return found


def counted(desk: Desk) -> tuple[int, ...]:
    """How much is written of all that these pages change."""
    with desk.database.read() as db:
        return tuple(
            db.exec_driver_sql(f"SELECT count(*) FROM {one}").scalar_one()
            for one in ("journal", "definition_draft", "definition_draft_revision", "definition_proposal")
        )


def test_every_address_is_in_the_table_and_lets_in_whom_it_says(peopled: Desk) -> None:
    draft, sha256 = drawn(peopled)
    rules = asked(peopled, draft, sha256)
    assert {one for method, one, _ in rules if method == "GET"} == set(SEEN)
    assert {one for method, one, _ in rules if method != "GET"} == set(CHANGED)
    wrong = []
    for role in ("", *ROLES):
        reader = peopled.reader(role or None)
        for method, endpoint, address in rules:
            if method != "GET":
                continue
            status = reader.get(address, False, headers={"Sec-Fetch-Mode": "cors"}).status
            within = status not in (401, 403, 404, 500)
            if not role:
                ok = status == 401  # a browser that opens a page is led to where one signs in
            elif endpoint == "sop_editor.new" and role not in ("pengelola1", "pemilik_lain"):
                ok = status == (403 if role in DESIGNERS else 404)
            elif endpoint in ("publishing.scan_of", "publishing.proposal", "migration.run", "performance.diagram"):
                ok = status == 404  # there is none yet: no paper, no proposal, no run, no figures of the worker
            else:
                ok = within if role in SEEN[endpoint] else status == 404
            if not ok:
                wrong.append((role, endpoint, status))
    assert not wrong, wrong


def test_who_may_not_change_something_changes_nothing(peopled: Desk) -> None:
    draft, sha256 = drawn(peopled)
    rules = asked(peopled, draft, sha256)
    wrong = []
    for role in ("", *ROLES):
        reader, before = peopled.reader(role or None), counted(peopled)
        for method, endpoint, address in rules:
            if method == "GET" or role in CHANGED[endpoint]:
                continue
            body = {"data": SENT}
            if endpoint in ("modeler.save", "modeler.keep_as_new"):
                body = {"data": b"<a/>", "headers": {"If-Match": '"1"'}}  # type: ignore[dict-item]
            status = reader.client.open(address, method=method, **body).status_code  # type: ignore[arg-type]
            if status >= 500 or counted(peopled) != before or (role and role not in DESIGNERS and status != 404):
                wrong.append((role, endpoint, status))
                before = counted(peopled)
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
