"""RLRQ and RLRE at the server (GB Ed. 8, 9.4.5).

An RLRQ may carry the InitiateRequest again, protected; where the configuration asks for that, a
lesser one does not end the association (R-AA-8, SYMSEC_REL_N1).
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.acse.codes import ReleaseResponseReason
from dlms.acse.release import Rlre, Rlrq
from dlms.association.admit import initiate_response
from dlms.association.config import ServerConfig
from dlms.association.incoming import open_or_refuse
from dlms.association.knobs import RlreInformation
from dlms.association.offer import Admitted
from dlms.association.refusing import ServiceRefused, too_weak
from dlms.association.shapes import response_policy, unasked_shape
from dlms.errors import CodecError
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.layers import is_layer
from dlms.security.ops import Step, Use
from dlms.security.protect import Shape
from dlms.xdlms.initiate import InitiateRequest


class Release(NamedTuple):
    """A release that is granted: whether it came with user-information, and how protected."""

    informed: bool
    shape: Shape | None


def judge_release(octets: bytes, aa: Admitted, config: ServerConfig) -> Step[Release]:
    """Judge an RLRQ. :class:`ServiceRefused` if the association goes on."""
    if not config.knobs.release_supported:
        raise ServiceRefused("RLRQ is not supported", "release-not-supported")
    try:
        rlrq = Rlrq.decode(octets)
    except CodecError as error:
        raise ServiceRefused(f"RLRQ: {error}", "malformed-rlrq") from error
    user = rlrq.user_information
    shape, protection = None, Protection.NONE
    policy = config.policy.octet  # an InitiateRequest is not signed
    if user and is_layer(user[0]):
        apdu, _, shape, protection = yield from open_or_refuse(
            user, aa, config, Use.ASSOCIATION, policy
        )
        if (shape.family is Family.BROADCAST) is not config.broadcast:
            raise too_weak("RLRQ")  # anybody of the group could have sent it
        try:
            InitiateRequest.decode(apdu)
        except CodecError as error:
            # A captured request in an RLRQ must not pass for a wish to release.
            raise ServiceRefused(f"RLRQ: {error}", "malformed-rlrq") from error
    if config.protected_release and policy & ~protection:
        raise too_weak("RLRQ")
    return Release(bool(user), shape)


def rlre(release: Release, aa: Admitted, config: ServerConfig) -> Step[bytes]:
    """The RLRE that grants ``release``."""
    rule = config.knobs.rlre_information
    informed = rule is RlreInformation.ALWAYS
    if rule is RlreInformation.IN_KIND:
        informed = release.informed
    user: bytes | None = None
    if informed:
        shape = release.shape
        if shape is None and not release.informed:
            shape = unasked_shape(response_policy(config), aa.general, config)
        user = yield from initiate_response(config, aa.general, aa.conformance, shape)
    return Rlre(reason=ReleaseResponseReason.NORMAL, user_information=user).encode()
