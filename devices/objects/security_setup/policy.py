"""security_policy and security_activate: a number in version 0, bits in version 1 (GB Ed. 8,
Table 34). A policy is strengthened and never weakened (KL-KT-32).
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about
from dlms.axdr.data import Data, enum
from dlms.cosem.security_setup import Policy
from dlms.errors import CodecError
from dlms.security.control import POLICY_V0, POLICY_V0_NUMBERS


def shown(call: Call) -> Data:
    """In version 0 that of requests, which is that of responses as well."""
    policy = call.device.policy(about.row(call))
    if call.row.interface_class.version == 0:
        return enum(POLICY_V0_NUMBERS[policy.request])
    return enum(policy.bits)


def activate(call: Call, parameter: Data) -> Outcome:
    row, state = about.row(call), call.device.state
    new = wanted(parameter, call.row.interface_class.version)
    if new is None or new.weakens(call.device.policy(row)) or not _can_be_kept(call, new):
        return about.REFUSED
    state.policies[row.name] = new
    state.security_revision += 1
    return SUCCESS


def wanted(parameter: Data, version: int) -> Policy | None:
    """``None`` if there is no such policy. In version 0 it is for all messages."""
    value = parameter.value
    assert isinstance(value, int)
    if version == 0:
        protection = POLICY_V0.get(value)
        return None if protection is None else Policy(protection, protection)
    try:
        return Policy.of_bits(value)
    except CodecError:
        return None


def _can_be_kept(call: Call, wanted: Policy) -> bool:
    """Or nobody could ever use the association again, for a policy is not taken back (KL-KT-33):
    protection needs ciphering, and signatures need the keys of both parties.
    """
    row = about.row(call)
    if not row.config.context.ciphered:
        return not wanted.bits
    keys = call.device.keys(row)
    return not wanted.signs or not (keys.signing_key is None or keys.peer_public is None)
