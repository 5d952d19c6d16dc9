"""Uploads in parts: a large file over a bad line goes up piece by piece, and on from where it stopped.

A script of the task's page speaks this; without it the plain form takes the same file in one. Begin with a length, send
parts at an offset, ask for the offset after a lost line; what came whole is named by the plain form, which judges and
attaches it as it does every file. Who asks must be allowed to attach there each time.
"""

from __future__ import annotations

import errno
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, g, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Connection

from engine.instance import Refused
from engine.store import documents, parts
from engine.store.parts import Upload

from .inbox import attaches_to, can_work
from .processes import Sight, look
from .session import me, office

uploads = Blueprint("uploads", __name__)

PART_BYTES = 512_000  # what a script sends at a time: a line of 256 kbit/s takes a quarter of a minute for it
MOST_PART_BYTES = 4_000_000
NAME_MOST = 1_000  # characters, as sent


@uploads.app_template_global()
def upload_limit() -> int:
    """The largest file that may be attached, in bytes."""
    return office().settings.upload_megabytes * 1_000_000


@uploads.app_template_global()
def file_state(sight: Sight, sha256: str) -> str | Markup:
    """What stands beside a file that is not given out; nothing beside the others."""
    held: dict[str, dict[str, str]] = g.setdefault("held_files", {})
    if sight.instance.id not in held:
        held[sight.instance.id] = documents.states(sight.db, sight.instance.id)
    state = held[sight.instance.id].get(sha256)
    return Markup(render_template("_held.html", quarantined=state == documents.QUARANTINED)) if state else ""


def nothing_can_be_written(error: OSError) -> Any:
    """A full disk is said as one; any other mistake of the system is our own."""
    from . import error_page, something_broke

    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return something_broke(error)
    page, status = error_page(507)
    return Response(page, status, headers={"Retry-After": "600"})


def has_nameless_part() -> bool:
    """Whether the posted form has a part without a name, as no browser sends it."""
    return any(not isinstance(name, str) for name in (*request.form, *request.files))


def may_attach(db: Connection, id: UUID | str, number: int, type: str) -> None:
    """Goes on where the visitor may attach to this slot of this task now: 404 where they do not see it, 409 where the
    task is over, 403 where it is not theirs to attach."""
    sight = look(db, id)
    task = sight.instance.user_tasks.get(number)
    if task is None:
        abort(said(_("Tugas ini sudah tidak terbuka. Isian Anda tetap tersimpan."), 409))
    if task.lane not in sight.lanes and not sight.whole:
        abort(404)
    field = sight.definition.elements[task.element].field(type)
    if field is None and type in sight.instance.owed:
        field = sight.definition.fields[type]
    if field is None or field.slot is None or "berkas" not in field.slot.forms:
        abort(404)
    if not attaches_to(sight, field, can_work(sight, task)):
        abort(said(_("Anda tidak dapat melampirkan berkas di sini."), 403))


def said(problem: str, status: int, **more: Any) -> Response:
    answer = jsonify(problem=problem, **more)
    answer.status_code = status
    return answer


def refused(error: Refused) -> Response:
    answer = said(error.message, 507 if error.code == "full" else 422)
    if error.code == "full":
        answer.headers["Retry-After"] = "600"
    return answer


def how_far(one: Upload, status: int = 200) -> Response:
    answer = jsonify(
        address=url_for("uploads.one", upload=one.id),
        id=one.id,
        offset=one.received_bytes,
        size=one.size_bytes,
        part=PART_BYTES,
    )
    answer.status_code = status
    answer.headers["Upload-Offset"] = str(one.received_bytes)
    answer.headers["Upload-Length"] = str(one.size_bytes)
    return answer


@uploads.post("/tugas/<uuid:id>/<int:number>/unggahan/<type>")
def begin(id: UUID, number: int, type: str) -> Any:
    """Begin an upload of `ukuran` bytes as `nama`; where its parts go."""
    size = request.form.get("ukuran", "")
    if not (size.isascii() and size.isdigit() and len(size) <= 12):
        abort(400)
    settings, name = office().settings, request.form.get("nama", "")[-NAME_MOST:]
    try:
        with office().database.begin() as db:
            may_attach(db, id, number, type)
            new = parts.begin(
                db,
                settings.documents_dir,
                office().now(),
                person=me().id,
                instance=str(id),
                user_task=number,
                slot=type,
                name=name,
                size_bytes=int(size),
                limit=settings.upload_megabytes * 1_000_000,
                quota=settings.upload_quota_megabytes * 1_000_000,
            )
    except Refused as error:
        return refused(error)
    return how_far(new, 201)


def mine(db: Connection, upload: str) -> Upload:
    """The visitor's own upload, where they may still attach it; else a 404, as for one that is not there."""
    found = parts.find(db, upload, me().id, office().now())
    if found is None:
        abort(404)
    may_attach(db, found.instance, found.user_task, found.slot)
    return found


@uploads.get("/unggahan/<upload>")
def one(upload: str) -> Any:
    """How far an upload is."""
    with office().database.read() as db:
        return how_far(mine(db, upload))


@uploads.patch("/unggahan/<upload>")
def go_on(upload: str) -> Any:
    """Add the part that stands in the body, at `Upload-Offset`; 409 with the offset that holds, where it is another."""
    offset = request.headers.get("Upload-Offset", "")
    if not (offset.isascii() and offset.isdigit() and len(offset) <= 12):
        abort(400)
    if (request.content_length or 0) > MOST_PART_BYTES:
        abort(413)
    data = request.stream.read(MOST_PART_BYTES + 1)
    if len(data) > MOST_PART_BYTES:
        abort(413)
    if request.content_length is not None and len(data) != request.content_length:
        abort(400)  # the line was cut: the part is sent again, whole
    try:
        with office().database.begin() as db:
            before = mine(db, upload)
            now = parts.go_on(db, office().settings.documents_dir, before, int(offset), data, office().now())
    except Refused as error:
        return refused(error)
    return how_far(now, 200 if now.received_bytes == int(offset) + len(data) else 409)


@uploads.delete("/unggahan/<upload>")
def cancel(upload: str) -> Any:
    """Give an upload up; its parts go."""
    with office().database.begin() as db:
        found = parts.find(db, upload, me().id, office().now())
        if found is None:
            abort(404)
        parts.cancel(db, found)
    parts.drop_bytes(office().settings.documents_dir, found)
    return "", 204
