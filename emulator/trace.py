"""APDUs made readable, for those who watch a meter work.

An AARQ may carry a password, and an InitiateRequest in clear, also one inside an RLRQ, a dedicated
key: what is shown of them leaves those octets out.
"""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError
from dlms.security.ciphered import decode_ciphered, is_ciphered
from dlms.xdlms import registry

_INITIATE, _AARQ, _AARE, _RLRQ, _RLRE = 0x01, 0x60, 0x61, 0x62, 0x63
_MAY_HOLD_A_SECRET = (_INITIATE, _AARQ, _RLRQ)


def shown(apdu: bytes) -> str:
    """The octets in hexadecimal, but for those APDUs that may carry a secret in clear."""
    if apdu and apdu[0] in _MAY_HOLD_A_SECRET:
        return f"{apdu[:1].hex().upper()}... ({len(apdu)} octets, not shown: may hold a secret)"
    return apdu.hex().upper()


def described(apdu: bytes) -> str:
    """One line that says what ``apdu`` is."""
    try:
        return _described(apdu)
    except CodecError as error:
        return f"malformed: {error}"


def _described(apdu: bytes) -> str:
    tag = apdu[0] if apdu else -1
    if tag == _AARQ:
        aarq = Aarq.decode(apdu)
        context = ApplicationContext.from_oid(aarq.application_context_name)
        mechanism = Mechanism.from_oid(aarq.mechanism_name or b"")
        title = "-" if aarq.calling_ap_title is None else aarq.calling_ap_title.hex().upper()
        return (
            f"AARQ context={'?' if context is None else context.name}"
            f" mechanism={'-' if mechanism is None else mechanism.name} title={title}"
        )
    if tag == _AARE:
        aare = Aare.decode(apdu)
        return f"AARE {aare.result.name} {aare.diagnostic.name}"
    if tag == _RLRQ:
        return f"{Rlrq.decode(apdu)}"
    if tag == _RLRE:
        return f"{Rlre.decode(apdu)}"
    if is_ciphered(tag):
        ciphered = decode_ciphered(apdu)
        return (
            f"{ciphered.family.value}- {ciphered.form.value}"
            f" SC={ciphered.control:02X} IC={ciphered.counter} {len(ciphered.body)} octets"
        )
    return repr(registry.decode(apdu))
