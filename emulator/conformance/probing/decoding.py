"""What an APDU that came says, once its protection is off."""

from __future__ import annotations

from typing import Any

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.release import RLRE_TAG, Rlre
from dlms.xdlms import registry
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from emulator.conformance.probing.seen import Seen

_ACSE = {AARE_TAG: Aare.decode, RLRE_TAG: Rlre.decode}
"""They are never ciphered as a whole."""

_ERRORS = {0xD8: ExceptionResponse.decode, 0x0E: ConfirmedServiceError.decode}


def decoded(seen: Seen) -> Any:
    """``CodecError``, with the octet of ``seen.plain``, if it is nothing that a client takes."""
    tag = seen.plain[0] if seen.plain else -1
    if tag in _ACSE and seen.carrier is None:
        return _ACSE[tag](seen.plain)
    return _ERRORS.get(tag, registry.decode)(seen.plain)
