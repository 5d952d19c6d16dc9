"""What the QR code of a printed SOP opens, for whoever holds the paper."""

from __future__ import annotations

import pytest

from engine.deploy import SYSTEM, deploy
from engine.store import definitions
from tests.desk import LKJPD, Desk

pytestmark = pytest.mark.database


def newest(desk: Desk) -> definitions.Version:
    with desk.database.read() as db:
        found = definitions.newest(db, LKJPD)
    assert found is not None
    return found


def test_the_paper_of_the_newest_version_is_in_force_and_of_an_older_one_replaced(desk: Desk) -> None:
    first = newest(desk)
    page = desk.reader().get(f"/verifikasi/sop/{first.sha256}")
    assert page.status == 200 and "sesuai dengan SOP yang berlaku" in page.text and first.sha256 in page.text
    assert first.name in page.text and "1, sejak" in page.text
    with desk.database.begin() as db:
        data = definitions.export(db, LKJPD)
        assert data is not None
        changed = data.replace(b"</bpmn:definitions>", b"<!-- 2 -->\n</bpmn:definitions>")
        deploy(db, desk.database.key, changed, actor=SYSTEM, reason="Uji", at=desk.clock.at)
    older = page.get(f"/verifikasi/sop/{first.sha256}")
    assert "sudah digantikan" in older.text and "versi 2" in older.text
    assert "sesuai dengan SOP yang berlaku" in page.get(f"/verifikasi/sop/{newest(desk).sha256}").text


@pytest.mark.parametrize("sha256", ["0" * 64, "x", "A" * 5_000, "%00"])
@pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)
def test_of_anything_else_it_says_that_no_such_sop_was_published(desk: Desk, sha256: str) -> None:
    page = desk.reader().get(f"/verifikasi/sop/{sha256}")
    assert page.status == 404
    assert "Tidak ada SOP terbit dengan sidik digital ini." in page.text or "tidak ditemukan" in page.text
