"""A pack of several instances: one ZIP, one set of proofs, each instance in its folder, and who took it recorded."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from engine import checkpoints, verifier
from engine.checkpoints import Place
from engine.store import journal
from forms import selection
from tests.desk import LASEM, Desk


def sign(desk: Desk, folder: Path) -> None:
    checkpoints.sign(desk.database, Place(folder / "checkpoint.key", "http://localhost", None))


def test_an_auditor_takes_all_of_a_unit_and_a_year_in_one_pack_that_holds(site: Desk, tmp_path: Path) -> None:
    auditor = site.reader("auditor")
    assert "Belum semua catatan" in auditor.get("/audit/pilihan.zip").text
    sign(site, tmp_path)
    assert "Unduh bukti" in auditor.get(f"/audit?unit={LASEM}").text
    for address, count in ((f"/audit/pilihan.zip?unit={LASEM}&tahun=2023", 1), ("/audit/pilihan.zip", 9)):
        answer = auditor.get(address).response
        assert answer.status_code == 200 and answer.mimetype == "application/zip"
        (tmp_path / "pack.zip").write_bytes(answer.data)
        report = verifier.verify(str(tmp_path / "pack.zip"), [], [])
        assert report.findings == []
        with zipfile.ZipFile(io.BytesIO(answer.data)) as pack:
            names = pack.namelist()
            folders = {one.split("/")[1] for one in names if one.startswith("berkas/")}
            assert len(folders) == count
            for one in folders:
                assert {f"berkas/{one}/RINGKASAN.pdf", f"berkas/{one}/kejadian/kejadian.xes",
                        f"berkas/{one}/kejadian/dokumen.csv"} <= set(names)
                placed = pack.read(f"berkas/{one}/kejadian/dokumen.csv").decode("utf-8-sig").splitlines()[1:]
                assert all(line.rsplit(",", 1)[1].strip('"') in names for line in placed)
            assert names.count("RINGKASAN.pdf") == 1 and names.count("verifier.py") == 1
            assert len(json.loads(pack.read("manifest.json"))["streams"]) == count + 2
    with site.database.read() as db:
        taken = [one for one in journal.read(db, "access") if one.command["act"]["type"] == "EvidenceTaken"]
    assert len(taken) == 10 and {one.command["actor"]["capacity"] for one in taken} == {"auditor"}


def test_nobody_takes_what_they_may_not_audit(site: Desk, tmp_path: Path) -> None:
    sign(site, tmp_path)
    for login in ("camat", "sekcam", "admin", "tim1"):
        assert site.reader(login).get("/audit/pilihan.zip").status == 404
    auditor = site.reader("auditor")
    for query in ("unit=inspektorat_daerah", "tahun=1999", "tahun=x", "unit=%00", "tahun=٢٠٢٣"):
        assert auditor.get(f"/audit/pilihan.zip?{query}").status == 404, query


def test_the_same_selection_gives_the_same_bytes(site: Desk, tmp_path: Path) -> None:
    sign(site, tmp_path)
    auditor = site.reader("auditor")
    address = f"/audit/pilihan.zip?unit={LASEM}&tahun=2024"
    assert auditor.get(address).response.data == auditor.get(address).response.data


def test_a_selection_knows_its_unit_and_year(site: Desk) -> None:
    with site.database.read() as db:
        assert selection.of_unit(db, LASEM, 2023) == [site.waiting_at(3)]
        assert len(selection.of_unit(db, LASEM, None)) == 9
        assert selection.of_unit(db, "tidak_ada", None) == []
