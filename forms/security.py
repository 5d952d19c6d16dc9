"""The security log: who signed in, who was refused, what was ended; apart from the journal, in the program's own log.

One line an event, from the logger "alur.security", with the person's id and the address of the network that asked.
Never what somebody typed, never a name, a password, a cookie or a code: what stands here is read by whoever keeps the
machine. What each event means stands in docs/security_log.md.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

import structlog
from flask import Response, g, request

Event = Literal[
    "signed_in", "sign_in_failed", "throttled", "second_factor", "second_factor_failed", "signed_out",
    "password_changed", "password_reset", "factor_enrolled", "factor_removed", "factors_removed", "factor_required",
    "recovery_codes_drawn", "session_ended", "sessions_ended", "change_confirmed", "change_disputed",
    "rights_refused", "csrf_failed", "foreign_origin", "upload_refused", "breached_passwords_unreadable",
]

REFUSALS = frozenset({
    "sign_in_failed", "throttled", "second_factor_failed", "rights_refused", "csrf_failed", "foreign_origin",
    "upload_refused", "change_disputed", "breached_passwords_unreadable",
})
# Heard at every ALUR_LOG_LEVEL: who wants fewer lines of the program does not mean these.
log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
                            logger_factory_args=("alur.security",), log="alur.security")


def tell(event: Event, *, person: str | None = None, **facts: str | int | bool | None) -> None:
    """One line of the security log.

    person  whom it is about; None: who is signed in, if anybody.
    facts   what more is known, of our own words only: ids, counts, methods.
    """
    visitor = g.get("visitor")
    by = visitor.id if visitor is not None else None
    more: dict[str, Any] = {"by": by} if person is not None and by not in (None, person) else {}
    say = log.warning if event in REFUSALS else log.info
    say(event, person=person or by, client=request.remote_addr or "", **more, **facts)


def of_answer(response: Response) -> Response:
    """Tells of an answer that refused somebody something: a right (403; 404 of a page that there is), an upload."""
    if request.endpoint in (None, "static") or response.status_code not in (403, 404, 413):
        return response
    if response.status_code == 413:
        tell("upload_refused", endpoint=request.endpoint, reason="too_large")
    elif g.get("visitor") is not None:
        tell("rights_refused", endpoint=request.endpoint, status=response.status_code)
    return response
