"""key_transfer, in version 0 global_key_transfer: keys wrapped under the master key.

That is the one in force when the method is invoked, whatever the array makes of it (KL-KT-08).
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about, global_keys
from dlms.axdr.data import Data
from dlms.cosem.security_setup import keys_of
from dlms.errors import CodecError
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoFailure, Discard, Step, Unwrap, Use


def transfer(call: Call, parameter: Data) -> Step[Outcome]:
    try:
        wanted = keys_of(parameter)
    except CodecError:
        return about.REFUSED
    length = about.suite(call).wrapped_length
    if not global_keys.are_known(call, wanted) or any(
        len(key) != length for key in wanted.values()
    ):
        return about.REFUSED
    if global_keys.used_up(call, wanted):
        return about.REFUSED
    kek = call.device.key(about.scope(call), KeyKind.KEK)
    former = global_keys.former(call, wanted)
    fresh: list[KeyRef] = []
    try:
        for key_id, wrapped in wanted.items():
            new = global_keys.successor(call, key_id, wanted)
            yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, new, (*former, *fresh))
            fresh.append(new)
    except CryptoFailure:
        for ref in fresh:
            yield Discard(Use.TRANSFER_KEY, ref)
        return about.REFUSED
    global_keys.put_in_force(call, fresh)
    return SUCCESS
