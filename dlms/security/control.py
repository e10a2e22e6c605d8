"""The security control octet and the protection it stands for (GB Ed. 8, 9.2.7.2.4, Table 37)."""

from __future__ import annotations

from enum import IntFlag

from dlms.errors import CodecError

SUITE_MASK = 0x0F
KEY_SET_BROADCAST = 0x40
COMPRESSION = 0x80


class Protection(IntFlag):
    """How a message is, or has to be, protected.

    Two of them are bits 4 and 5 of the security control octet. A signature is outside of it
    (general-signing), so it has no bit there: :attr:`octet` leaves it out.
    """

    NONE = 0x00
    AUTHENTICATED = 0x10
    ENCRYPTED = 0x20
    BOTH = 0x30
    SIGNED = 0x100

    @property
    def octet(self) -> Protection:
        """What of it a security control octet can say."""
        return Protection(int(self) & 0x30)


POLICY_V0 = {
    0: Protection.NONE,
    1: Protection.AUTHENTICATED,
    2: Protection.ENCRYPTED,
    3: Protection.BOTH,
}
"""security_policy of the class Security setup version 0: the protection all messages need."""

POLICY_V0_NUMBERS = {protection: number for number, protection in POLICY_V0.items()}
"""The other way."""


def check_control(
    control: int, suite: int, *, broadcast: bool = False, unprotected: bool = False
) -> Protection:
    """Judge a received security control octet; return the protection it announces.

    :class:`CodecError` if the suite is not the association's (R-SC-1, R-SC-5), the broadcast key
    is asked for and not ``broadcast``, which says that there is one here (R-SC-2, R-BC-3),
    compression is announced (R-SC-3), or there is no protection at all and not ``unprotected``,
    which admits that (R-SC-4).
    """
    if control & SUITE_MASK != suite:
        raise CodecError(
            f"security suite {control & SUITE_MASK} is not {suite}", field="security-control"
        )
    if control & KEY_SET_BROADCAST and not broadcast:
        raise CodecError("broadcast key on a unicast association", field="security-control")
    if control & COMPRESSION:
        raise CodecError("compression is not allowed here", field="security-control")
    protection = Protection(control & Protection.BOTH)
    if not protection and not unprotected:
        raise CodecError("neither authenticated nor encrypted", field="security-control")
    return protection


def required_by(v0_policy: int) -> Protection:
    """The protection a version 0 security_policy demands; ``KeyError`` if there is none such."""
    return POLICY_V0[v0_policy]
