"""How what is sent is protected: requests, responses, and what a server says unasked."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from dlms.association.config import TITLE_LENGTH, ClientConfig, ServerConfig
from dlms.association.knobs import AnswerForm, ResponseProtection
from dlms.errors import LocalProtocolError
from dlms.octets import encode_length
from dlms.security.ciphered import TAGS, Family, Form
from dlms.security.control import Protection
from dlms.security.ops import TAG_LENGTH, Step, Use
from dlms.security.protect import SecurityContext, Shape, protect

HEADER_LENGTH = 5
"""Octets of a security header: SC and IC."""

# In Python 3.11 a member costs a tenth of a microsecond where it is named by its class.
_AS_REQUEST, _IN_KIND, _NONE = (
    ResponseProtection.AS_REQUEST,
    AnswerForm.IN_KIND,
    Protection.NONE,
)

_SERVICE_FORMS = frozenset(TAGS.values())
"""(key family, plain tag) of each APDU that has a service-specific form."""


class Encodable(Protocol):
    def encode(self) -> bytes: ...


def respond(
    apdu: bytes,
    request: Shape | None,
    security: SecurityContext | None,
    config: ServerConfig,
    required: Protection = Protection.NONE,
) -> Step[bytes]:
    """Protect the response ``apdu`` to a request of shape ``request``."""
    shape = response_shape(request, security, config, required)
    if shape is None or security is None:
        return apdu
    return (yield from protect(security, apdu, shape, Use.PROTECT_RESPONSE))


def tell(
    notification: Encodable, security: SecurityContext | None, config: ServerConfig
) -> Step[bytes]:
    """Encode and protect what is said unasked, as the policy asks of responses."""
    apdu = notification.encode()
    protection = response_policy(config) if config.context.ciphered else Protection.NONE
    shape = unasked_shape(protection, security, config)
    if shape is None or security is None:
        return apdu
    if (shape.family, apdu[0]) not in _SERVICE_FORMS:
        shape = shape._replace(form=Form.GENERAL)
    return (yield from protect(security, apdu, shape, Use.PROTECT_RESPONSE))


def request_shape(security: SecurityContext | None, config: ClientConfig) -> Shape | None:
    """How a client protects its requests; ``None`` is plain."""
    if security is None or not config.context.ciphered:
        return None
    family = Family.GLOBAL if security.dedicated is None else Family.DEDICATED
    if config.broadcast:
        family = Family.BROADCAST
    return Shape(family, config.form, config.protection)


def response_policy(config: ServerConfig) -> Protection:
    """The least protection of a response (GB Ed. 8, 9.2.7.2.2)."""
    return config.policy if config.response_policy is None else config.response_policy


def response_shape(
    request: Shape | None,
    security: SecurityContext | None,
    config: ServerConfig,
    required: Protection = Protection.NONE,
) -> Shape | None:
    """How the response to a request of shape ``request`` is protected; ``None`` is plain.

    ``required`` is what the access rights ask for. :class:`LocalProtocolError` if they ask for
    protection where there is no ciphering.
    """
    rule, own_form = config.knobs.response_protection, config.knobs.answer_form
    if rule is _AS_REQUEST and own_form is _IN_KIND and required is _NONE:
        return request  # nothing to combine: that takes longer than to encipher a GET
    protection = Protection.NONE
    if rule is not ResponseProtection.POLICY and request is not None:
        protection = request.protection
    if rule is not ResponseProtection.AS_REQUEST and config.context.ciphered:
        protection |= response_policy(config)
    protection |= required
    if request is None:
        return unasked_shape(protection, security, config)
    if not protection and request.protection:
        return None  # the policy asks for nothing
    return Shape(request.family, answer_form(request.form, config), protection)


def answer_form(form: Form, config: ServerConfig) -> Form:
    """The dialect of the answer to what came in ``form``."""
    if config.knobs.answer_form is AnswerForm.IN_KIND:
        return form
    return _OWN_FORMS[config.knobs.answer_form]


_OWN_FORMS = {
    AnswerForm.IN_KIND: Form.SERVICE,
    AnswerForm.SERVICE: Form.SERVICE,
    AnswerForm.GENERAL: Form.GENERAL,
}


def unasked_shape(
    protection: Protection, security: SecurityContext | None, config: ServerConfig
) -> Shape | None:
    """How to protect what no ciphered request shows the way for; ``None`` is plain."""
    if not protection:
        return None
    if security is None or not config.context.ciphered:
        raise LocalProtocolError("protection is asked for in a context without ciphering")
    family = Family.GLOBAL if security.dedicated is None else Family.DEDICATED
    return Shape(family, _OWN_FORMS[config.knobs.answer_form], protection)


@lru_cache(maxsize=1024)
def plain_room(pdu_size: int, shape: Shape | None) -> int | None:
    """How many octets a plain APDU may have to fit in ``pdu_size`` once it is protected; ``None``
    for any number. 0 if nothing fits.
    """
    if not pdu_size:
        return None
    if shape is None:
        return pdu_size
    overhead = 1 + len(encode_length(pdu_size)) + HEADER_LENGTH
    if shape.form is not Form.SERVICE:
        overhead += 1 + TITLE_LENGTH
    if shape.protection & Protection.AUTHENTICATED:
        overhead += TAG_LENGTH
    return max(pdu_size - overhead, 0)
