"""The paper of an instance's history: the same input gives the same bytes, and what people wrote stays text."""
from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from forms import evidence
from forms.papers import timeline
from forms.papers.timeline import SHORT, Paper, Row, Said, Signed, Timeline

HASH = "a" * 64


def paper(text: str = "Menyusun rancangan", count: int = 3) -> Timeline:
    rows = [Row(row=n, at=["Senin, 7 Desember 2026", "08.00 WIB"], who=[text, "sebagai Camat Lasem"], said=[text],
                entered=[(text, [text, "(sebelumnya: –)"])]) for n in range(1, count + 1)]
    return Timeline(
        title="Ringkasan bukti", subtitle=text, facts=[("Unit", [text])],
        signed=[Signed(row=2, what=[text], who=[text], at=["hari ini"])], signed_note="",
        departures=[Said(row=2, name="Terlambat", text=text)], information=[Said(row=3, name="Menyusul", text=text)],
        proof=[("Dibuktikan", text)], checkpoint=["Titik periksa: 3 baris, akar AAAA="],
        documents=[Paper(row=1, what=[text, "versi 1"], file=text, sha256=HASH),
                   Paper(row=1, what=[text], file="naskah cetak", sha256="")],
        diagrams=[("versi 1", HASH)], moments=rows, footer=[text])


def test_the_same_history_gives_the_same_bytes_and_another_gives_others() -> None:
    with evidence.spoken("id"):
        one = timeline.pdf(paper())
        assert one.startswith(b"%PDF-") and one == timeline.pdf(paper())
        assert one != timeline.pdf(replace(paper(), diagrams=[("versi 2", HASH)]))


def test_five_hundred_rows_are_set_on_as_many_pages_as_they_need() -> None:
    with evidence.spoken("id"):
        text = "Menyusun rancangan akhir dan menyampaikannya kepada Sekretaris PD"
        few, many = (len(timeline.set_in(paper(text, count), "png")) for count in (100, 500))
        assert 4 * (few - 1) <= many <= 5 * few


def test_a_row_that_is_longer_than_a_page_goes_on_on_the_next() -> None:
    with evidence.spoken("id"):
        long = replace(paper(), moments=[replace(paper().moments[0], said=["kata " * 380] * 8)])
        assert not timeline.data_of(long)["moments"][0]["short"]
        assert len(timeline.set_in(long, "png")) > len(timeline.set_in(paper(), "png"))
        assert timeline.data_of(paper())["moments"][0]["short"] and SHORT > 1_000


def test_an_empty_history_is_a_paper_too() -> None:
    empty = replace(paper(), facts=[], signed=[], departures=[], information=[], documents=[], diagrams=[], moments=[])
    with evidence.spoken("id"):
        assert timeline.pdf(empty).startswith(b"%PDF-")


HOSTILE = ("#eval(\"1\") $x$ *tebal* _miring_ `kode` @acuan <label> // bukan komentar \\ #set page(width: 1mm)",
           "\u202eterbalik\u202c", "\x00\x07\ud800\ufffe", "baris\nbaris\u2028baris", "A" * 5_000, "<b>&amp;</b>",
           "=1+1")


def test_what_people_wrote_is_no_markup_and_turns_nothing_around() -> None:
    with evidence.spoken("id"):
        for text in HOSTILE:
            said = timeline.data_of(paper(text))["subtitle"]
            assert not set(said) & set("\u202e\u202c\x00\x07\n\u2028\ud800")
            assert max(len(word) for word in said.replace("\u200b", " ").split() or [""]) < 40
            assert timeline.pdf(paper(text)).startswith(b"%PDF-")


@settings(max_examples=15)
@given(st.text(max_size=60))
def test_any_text_is_set(text: str) -> None:
    with evidence.spoken("id"):
        assert timeline.pdf(paper(text, 1)).startswith(b"%PDF-")
