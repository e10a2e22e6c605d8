"""How what is sent is protected: requests, responses, and what a server says unasked."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from dlms.association.config import ClientConfig, ServerConfig
from dlms.association.knobs import AnswerForm, ResponseProtection
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import TAGS, Family, Form
from dlms.security.control import Protection
from dlms.security.general_context import GeneralContext
from dlms.security.general_signing import Signed
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import Peeled, protect_layers
from dlms.security.message_keys import choice_of
from dlms.security.ops import Step, Use
from dlms.security.overhead import overhead
from dlms.security.protect import Opened, Shape

# In Python 3.11 a member costs a tenth of a microsecond where it is named by its class.
_AS_REQUEST, _POLICY, _IN_KIND = (
    ResponseProtection.AS_REQUEST,
    ResponseProtection.POLICY,
    AnswerForm.IN_KIND,
)

_SERVICE_FORMS = frozenset(TAGS.values())
"""(key family, plain tag) of each APDU that has a service-specific form."""


class Encodable(Protocol):
    def encode(self) -> bytes: ...


def respond(
    apdu: bytes,
    request: Shape | None,
    general: GeneralContext | None,
    config: ServerConfig,
    required: Protection = Protection.NONE,
) -> Step[bytes]:
    """Protect the response ``apdu`` to a request of shape ``request``."""
    shape = response_shape(request, general, config, required)
    if shape is None or general is None:
        return apdu
    return (yield from protect_layers(general, apdu, shape, Use.PROTECT_RESPONSE))


def tell(
    notification: Encodable, general: GeneralContext | None, config: ServerConfig
) -> Step[bytes]:
    """Encode and protect what is said unasked, as the policy asks of responses."""
    apdu = notification.encode()
    protection = response_policy(config) if config.context.ciphered else Protection.NONE
    shape = unasked_shape(protection, general, config)
    if shape is None or general is None:
        return apdu
    shape = having_form(shape, apdu[0])
    return (yield from protect_layers(general, apdu, shape, Use.PROTECT_RESPONSE))


def having_form(shape: Shape, tag: int) -> Shape:
    """``shape``, but general where APDUs of that ``tag`` have no service-specific form."""
    # A broadcast goes in the global forms: which key it is under is said inside.
    family = Family.GLOBAL if shape.family is Family.BROADCAST else shape.family
    if shape.form is Form.SERVICE and (family, tag) not in _SERVICE_FORMS:
        return shape._replace(form=Form.GENERAL)
    return shape


def request_shape(general: GeneralContext | None, config: ClientConfig, tag: int) -> Shape | None:
    """How a client protects its requests of that ``tag``; ``None`` is plain."""
    if general is None or not config.context.ciphered:
        return None
    family = Family.GLOBAL if general.security.dedicated is None else Family.DEDICATED
    if config.broadcast:
        family = Family.BROADCAST
    return _requested(family, config.form, config.protection, config.key_choice, tag)


@lru_cache(maxsize=256)
def _requested(
    family: Family, form: Form, protection: Protection, choice: KeyChoice, tag: int
) -> Shape:
    return having_form(Shape(family, form, protection, choice), tag)


def shape_in_kind(peeled: Peeled, general: GeneralContext) -> Shape:
    """How to answer what came like that.

    An answer under a key of the same kind takes other keys than the question: where they are not
    there, the global unicast key does. Nor is it signed where there is nothing to sign with.
    """
    layer, protection = peeled.ciphering, peeled.protection
    if general.signing_key is None and protection & Protection.SIGNED:
        protection = protection.octet
    if isinstance(layer, Opened):
        return Shape(layer.family, layer.form, protection, transaction_id=_transaction(peeled))
    if layer is None:
        return Shape(Family.GLOBAL, Form.GENERAL, protection, transaction_id=_transaction(peeled))
    choice = choice_of(layer.key_info)
    if choice is KeyChoice.ONE_PASS and (
        general.signing_key is None or general.peer_agreement_public is None
    ):
        choice = KeyChoice.UNICAST
    return Shape(layer.family, Form.CIPHERING, protection, choice, layer.header.transaction_id)


def _transaction(peeled: Peeled) -> bytes:
    for layer in peeled.layers:
        if isinstance(layer, Signed):
            return layer.header.transaction_id
    return b""


def response_policy(config: ServerConfig) -> Protection:
    """The least protection of a response (GB Ed. 8, 9.2.7.2.2)."""
    return config.policy if config.response_policy is None else config.response_policy


def response_shape(
    request: Shape | None,
    general: GeneralContext | None,
    config: ServerConfig,
    required: Protection = Protection.NONE,
) -> Shape | None:
    """How the response to a request of shape ``request`` is protected; ``None`` is plain.

    ``required`` is what the access rights ask for. :class:`LocalProtocolError` if they ask for
    protection where there is no ciphering.
    """
    rule, own_form = config.knobs.response_protection, config.knobs.answer_form
    if request is not None and own_form is _IN_KIND:
        # In integers, for nothing is to be combined mostly: that takes longer than to encipher.
        needed = int(required)
        if rule is not _AS_REQUEST:
            needed |= int(response_policy(config))
        given = int(request.protection)
        if not needed & ~given and (rule is not _POLICY or needed == given):
            return request
    protection = Protection.NONE
    if rule is not ResponseProtection.POLICY and request is not None:
        protection = request.protection
    if rule is not ResponseProtection.AS_REQUEST and config.context.ciphered:
        protection |= response_policy(config)
    protection |= required
    if request is None:
        return unasked_shape(protection, general, config)
    if not protection and request.protection:
        return None  # the policy asks for nothing
    return request._replace(form=answer_form(request.form, config), protection=protection)


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
    protection: Protection, general: GeneralContext | None, config: ServerConfig
) -> Shape | None:
    """How to protect what no ciphered request shows the way for; ``None`` is plain."""
    if not protection:
        return None
    if general is None or not config.context.ciphered:
        raise LocalProtocolError("protection is asked for in a context without ciphering")
    family = Family.GLOBAL if general.security.dedicated is None else Family.DEDICATED
    return Shape(family, _OWN_FORMS[config.knobs.answer_form], protection)


def plain_room(pdu_size: int, shape: Shape | None, suite: int) -> int | None:
    """How many octets a plain APDU may have to fit in ``pdu_size`` once it is protected; ``None``
    for any number. 0 if nothing fits.
    """
    if not pdu_size:
        return None
    if shape is None:
        return pdu_size
    if shape.transaction_id:  # of which there are too many to remember each
        shape = shape._replace(transaction_id=bytes(len(shape.transaction_id)))
    return max(pdu_size - overhead(pdu_size, shape, suite), 0)
