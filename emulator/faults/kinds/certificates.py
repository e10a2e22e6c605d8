"""The meter's TLS port shows a certificate that nobody should accept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import choice
from emulator.faults.presented import Presented
from tls.credentials import Credential
from tls.pki import TestPki

_DAY = dt.timedelta(days=1)
_YEAR = dt.timedelta(days=365)


def _now() -> dt.datetime:
    """OpenSSL judges certificates by the time of this machine, whatever the sandbox's."""
    return dt.datetime.now(dt.UTC)


def _expired(presented: Presented) -> Credential:
    now = _now()
    return presented.pki.issue_device(
        presented.title, not_before=now - 2 * _YEAR, not_after=now - _DAY
    )


def _not_yet_valid(presented: Presented) -> Credential:
    return presented.pki.issue_device(presented.title, not_before=_now() + _YEAR)


def _other_authority(presented: Presented) -> Credential:
    return TestPki.create(now=presented.pki.created).issue_device(presented.title)


def _other_device(presented: Presented) -> Credential:
    title = presented.title[:3] + bytes(octet ^ 0xFF for octet in presented.title[3:])
    return presented.pki.issue_device(title)


_MADE: dict[str, Callable[[Presented], Credential]] = {
    "expired": _expired,
    "not-yet-valid": _not_yet_valid,
    "other-authority": _other_authority,
    "other-device": _other_device,
}


def show(fault: Fault) -> None:
    presented = fault.reach.presented
    fault.at_end(presented.show(_MADE[fault["what"]](presented)))


def _secure(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ("tls",)


KINDS = (
    Kind(
        name="certificate",
        place="TLS",
        help="the TLS port shows another certificate to connections from now on",
        seen="the handshake fails at the client; other-device: where it looks at the system title",
        begin=show,
        parameters=(
            choice(
                "what",
                tuple(_MADE),
                "expired",
                "its time is over or has not come, of an authority that nobody trusts, or with the"
                " system title of another meter",
            ),
        ),
        counts=False,
        ways=_secure,
    ),
)
