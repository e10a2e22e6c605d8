"""A key of one message is known again by what it was made from, and by nothing that others could
change.
"""

from __future__ import annotations

from typing import Any

import pytest

from dlms.security.control import Protection
from dlms.security.general_ciphering import (
    AgreedKey,
    KeyInfo,
    Scheme,
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_protection import open_general, protect_general
from dlms.security.key_choice import KeyChoice
from dlms.security.ops import Agree, Sign, Use, Verify
from dlms.security.spent_keys import KeySpent, SpentKeys

APDU = bytes.fromhex("C0010000080000010000FF0200")
ORDERS = {
    1: int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16),
    2: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
}


def one_pass(party: Any) -> bytes:
    header = party.context.header(bytes(range(8)))
    step = protect_general(
        party.context, APDU, header, KeyChoice.ONE_PASS, Protection.BOTH, Use.PROTECT_REQUEST
    )
    octets: bytes = party.run(step)
    return octets


def with_key_data(octets: bytes, data: bytes) -> bytes:
    """The same message with other key-ciphered-data, which its tag does not cover (Table 38)."""
    message = decode_general_ciphering(octets)
    key_info: KeyInfo = AgreedKey(Scheme.ONE_PASS, data)
    return encode_general_ciphering(
        message.header, key_info, message.control, message.counter, message.body
    )


def opened(party: Any, octets: bytes) -> bytes:
    apdu: bytes = party.run(open_general(party.context, octets, Use.OPEN_REQUEST)).apdu
    return apdu


@pytest.mark.parametrize("suite", [1, 2])
def test_a_signature_turned_over_is_no_new_message(pair: Any, suite: int) -> None:
    """KL-PK-12: with (r, s) also (r, n - s) verifies, and anybody can compute it. Who played the
    message again with that must not get past the memory of keys.
    """
    both = pair(suite)
    octets = one_pass(both.client)
    key_info = decode_general_ciphering(octets).key_info
    assert isinstance(key_info, AgreedKey)
    length = len(key_info.data) // 4
    before_s, s = key_info.data[:-length], int.from_bytes(key_info.data[-length:], "big")
    turned = before_s + (ORDERS[suite] - s).to_bytes(length, "big")
    again = with_key_data(octets, turned)
    assert again != octets
    assert opened(both.server, octets) == APDU
    asked = len(both.server.ops)
    with pytest.raises(KeySpent):
        opened(both.server, again)
    assert len(both.server.ops) == asked
    # That it is the memory that refuses: a server that has not seen the message takes it.
    both.server.context.spent = SpentKeys()
    assert opened(both.server, again) == APDU


@pytest.mark.parametrize("suite", [1, 2])
def test_an_ephemeral_key_signed_again_is_no_new_key(pair: Any, suite: int) -> None:
    """KL-IC-22: whoever reuses its own ephemeral key repeats the initialization vector."""
    both = pair(suite)
    octets = one_pass(both.client)
    key_info = decode_general_ciphering(octets).key_info
    assert isinstance(key_info, AgreedKey)
    public = key_info.data[: len(key_info.data) // 2]
    signature = both.client(Sign(Use.AGREE_KEY, both.client.signing_key, public))
    again = with_key_data(octets, public + signature)
    assert again != octets
    assert opened(both.server, octets) == APDU
    asked = len(both.server.ops)
    with pytest.raises(KeySpent):
        opened(both.server, again)
    assert not [op for op in both.server.ops[asked:] if isinstance(op, Verify | Agree)]
