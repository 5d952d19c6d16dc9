"""Five megabytes of anything into any field: refused in plain words, nothing kept of it, never a broken page.

The fields are those of the pages that people can reach: each person walks from the first page along the links, one page
for each kind, and every field of every form met on the way is sent too much, by itself, with the rest as it stood.
"""
from __future__ import annotations

import io
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from lxml import html
from sqlalchemy import MetaData, String, func, select
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError

from tests.desk import Desk, Reader

FIVE_MEGABYTES = 5_000_000
LONGER_THAN_ANY_FIELD = 300_000      # and still within what one form may have
LONGEST_KEPT = 20_000
PEOPLE = ("camat", "sekcam", "tim1", "pengelola1", "analis", "admin", "auditor")
PAGES_MOST = 60                     # of one person
FIELDS_MOST = 12                    # of one form in one run; the seed chooses
STRANGE = "a\x00b\u202ec\u2066d\ufffe"
REFUSED = {400, 401, 403, 404, 409, 413, 415, 422, 428}
Form = tuple[str, str, list[tuple[str, str]]]   # where it goes, method, fields as they stand


def kind_of(site: Desk, path: str, method: str) -> str:
    try:
        return str(site.app.url_map.bind("").match(path, method=method)[0])
    except HTTPException:
        return ""


def forms_met(site: Desk, reader: Reader, met: set[Any]) -> Iterator[Form]:
    """Every form on the way of one person, one for each kind and set of names that is not in `met` yet."""
    waiting, kinds = ["/"], set[str]()
    while waiting and len(kinds) < PAGES_MOST:
        reader.get(waiting.pop(0))
        assert reader.status < 500, reader.path
        if reader.status != 200 or "text/html" not in reader.response.content_type:
            continue
        page = reader.page
        for form in page.forms:
            fields = [(name, value if isinstance(value, str) else "") for name, value in form.form_values()]
            buttons = [(one.get("formaction"), one.get("name"), one.get("value")) for one in form.iter("button")]
            for target, name, value in buttons or [(None, None, None)]:
                to = urlsplit(target or form.get("action") or reader.path).path
                sent = [*fields, *([(name, value or "")] if name else [])]
                key = (kind_of(site, to, form.method), form.method, frozenset(name for name, _ in sent))
                if key[0] and key not in met:
                    met.add(key)
                    yield to, form.method, sent
        for link in page.xpath("//a/@href"):
            found = urlsplit(link)
            kind = "" if found.netloc or not found.path.startswith("/") else kind_of(site, found.path, "GET")
            if kind and kind not in kinds:
                kinds.add(kind)
                waiting.append(link)


def with_one(fields: list[tuple[str, str]], name: str, value: str) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for one, stands in fields:
        sent.setdefault(one, []).append(stands)
    return {**sent, name: value}


def texts(site: Desk, measure: Any) -> dict[str, Any]:
    """Table and column -> what `measure` finds in it, of every column of text."""
    found = {}
    with site.database.read() as db:
        meta = MetaData()
        meta.reflect(db)
        for table in meta.tables.values():
            for column in table.columns:
                if isinstance(column.type, String):
                    found[f"{table.name}.{column.name}"] = db.execute(select(measure(column))).scalar()
    return found


def test_too_much_in_one_field_is_refused_or_ignored_and_never_kept(site: Desk, seed: int) -> None:
    site.app.testing = False        # a broken page is an answer here
    chance, met, broken, fields_met = random.Random(seed), set[Any](), [], set[str]()
    for login in PEOPLE:
        reader = site.reader(login)
        for to, method, fields in list(forms_met(site, reader, met)):
            names = sorted({name for name, _ in fields} - {"csrf_token"})
            for name in chance.sample(names, min(len(names), FIELDS_MOST)):
                fields_met.add(f"{kind_of(site, to, method)} {name}")
                value = chance.choice(["A" * LONGER_THAN_ANY_FIELD, STRANGE])
                sent = with_one(fields, name, value)
                if method == "GET":
                    reader.get(to, query_string=sent, follow=False)
                    fine = reader.status == 414 if value != STRANGE else reader.status < 500
                else:
                    reader.post(to, sent, follow=False)
                    fine = reader.status < 500
                if not fine:
                    broken.append(f"{login}: {method} {to} {name}={value[:8]!r}: {reader.status}")
                if "/masuk" in reader.response.headers.get("Location", ""):
                    reader.sign_in(login)
    assert broken == []
    assert len(fields_met) > 150
    assert {place: length for place, length in texts(site, lambda column: func.max(func.length(column))).items()
            if (length or 0) > LONGEST_KEPT and place != "draft.data"} == {}     # a draft keeps what was typed
    # PostgreSQL takes no NUL in a text: what SQLite kept of it would be a broken page there.
    assert {place for place, most in texts(
        site, lambda column: func.max(func.instr(column, "\x00"))).items() if most} == set()


def test_five_megabytes_are_refused_wherever_something_is_sent(site: Desk) -> None:
    site.app.testing = False
    reader = site.reader("camat")
    places = {"id": site.waiting_at(1), "number": "1", "key": "penyusunan_lkjpd"}
    body = b"nama=" + b"A" * FIVE_MEGABYTES
    tried = 0
    for rule in site.app.url_map.iter_rules():
        methods = (rule.methods or set()) & {"POST", "PUT", "PATCH"}
        if not methods:
            continue
        adapter = site.app.url_map.bind("")
        given = {name: places.get(name, "satu") for name in rule.arguments}
        try:
            address = adapter.build(rule.endpoint, given, method=min(methods))
        except BuildError:
            continue
        for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
            answer = reader.client.open(address, method=min(methods), data=body, content_type=kind)
            assert answer.status_code in REFUSED, f"{min(methods)} {address} {kind}: {answer.status_code}"
            tried += 1
    assert tried > 100


def test_five_megabytes_are_not_held_in_memory_and_are_refused_in_indonesian(site: Desk) -> None:
    site.app.testing = False
    reader = site.reader("camat")
    tracemalloc.start()
    answer = reader.client.post("/masuk", content_type="application/x-www-form-urlencoded", environ_overrides={
        "wsgi.input": Endless(FIVE_MEGABYTES), "CONTENT_LENGTH": str(FIVE_MEGABYTES)})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    page = html.fromstring(answer.get_data(as_text=True))
    assert page.get("lang") == "id"
    assert "terlalu besar" in page.text_content() and "20.000" in page.text_content()
    assert peak < 3 * FIVE_MEGABYTES


def test_an_address_of_five_megabytes_is_refused_in_indonesian(site: Desk) -> None:
    site.app.testing = False
    for reader, address in ((site.reader("camat"), "/proses"), (site.reader(), "/masuk"), (site.reader(), "/tidak")):
        for question in (b"cari=" + b"A" * FIVE_MEGABYTES, b"&" * FIVE_MEGABYTES):
            reader.response = reader.client.get(address, environ_overrides={"QUERY_STRING": question.decode()})
            assert reader.status == 414
            assert reader.page.get("lang") == "id" and "alamat" in reader.text.lower()


class Endless(io.RawIOBase):
    """A body of so many bytes that nobody has in memory."""

    def __init__(self, left: int):
        self.left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.left)
        buffer[:count] = b"A" * count
        self.left -= count
        return count
