"""What goes into the derivation of an agreed key beside the shared secret (GB Ed. 8, 9.2.3.4.6.5;
NIST SP 800-56A, 5.8).

OtherInfo = AlgorithmID ‖ PartyUInfo ‖ PartyVInfo. Party U is who begins: the originator of a
message, or the client that invokes key_agreement. PartyUInfo is its system title, followed in the
scheme C(0e, 2s) by its nonce with a length octet; PartyVInfo is the other's system title.
"""

from __future__ import annotations

from dlms.octets import encode_octet_string
from dlms.security.suites import Algorithm, AlgorithmIdForm


def other_info(
    form: AlgorithmIdForm,
    algorithm: Algorithm,
    party_u: bytes,
    party_v: bytes,
    nonce_u: bytes | None = None,
) -> bytes:
    """OtherInfo of a key for ``algorithm`` between the system titles ``party_u`` and ``party_v``.

    With ``nonce_u`` the key is that of one message (C(0e, 2s)).
    """
    nonce = b"" if nonce_u is None else encode_octet_string(nonce_u)
    return form.encode(algorithm) + party_u + nonce + party_v
