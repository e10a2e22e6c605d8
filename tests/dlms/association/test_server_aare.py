"""What an AARE says, and that neither it nor the AARQ is protected as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, AssociationRefused, AuthenticationPending
from dlms.association.state import State
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateResponse

LLS = {"mechanism": Mechanism.LLS}
FORMS = (Form.SERVICE, Form.GENERAL)


@pytest.mark.parametrize("kind", [{}, LLS], ids=["GMAC", "LLS"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_ciphered_context_hides_the_user_information_alone(
    bench: Any, names: dict[str, Any], kind: dict[str, Any], form: Form
) -> None:
    """R-AA-3: names, title, challenge and even a password are there for everybody to read."""
    pair = bench(
        server={"policy": Protection.BOTH}, client={"form": form, "max_pdu_size": 0x1234}, **kind
    )
    octets = pair.ask(pair.client.open())
    aarq = Aarq.decode(octets)
    assert aarq.calling_ap_title == names["CLIENT_TITLE"]
    assert aarq.mechanism_name == pair.server_config.mechanism.oid
    assert aarq.calling_authentication_value is not None
    if kind:
        assert aarq.calling_authentication_value.octets == names["KEY_OCTETS"][names["SECRET"]]
    assert pair.initiate.encode()[:4] not in octets
    assert b"\x12\x34" not in octets, "the PDU size is inside what is ciphered"
    reply = pair.hit(octets).reply
    aare = Aare.decode(reply)
    assert aare.responding_ap_title == names["SERVER_TITLE"]
    tags = {Form.SERVICE: (0x21, 0x28), Form.GENERAL: (0xDB, 0xDB)}[form]
    assert (aarq.user_information[0], aare.user_information[0]) == tags
    assert pair.server_config.max_pdu_size.to_bytes(2, "big") not in reply


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_ciphered_aarq_is_no_aarq(bench: Any, form: Form) -> None:
    """R-AA-3: what is ciphered around an AARQ is a service, and there is no association for it."""
    pair = bench()
    before = pair.digest()
    hit = pair.hit(pair.sealed(pair.aarq().encode(), plain_tag=0xC0, form=form))
    assert hit.event is None
    assert hit.reply.hex() == "d80102"
    assert pair.digest() == before
    pair.works()


CONTEXTS = (ApplicationContext.LN, ApplicationContext.LN_CIPHERED)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.LLS, Mechanism.HLS_GMAC])
def test_an_acceptance_names_the_context(
    bench: Any, context: ApplicationContext, mechanism: Mechanism
) -> None:
    """R-AA-4: the context that was proposed, and an InitiateResponse."""
    pair = bench(context=context, mechanism=mechanism)
    hit = pair.hit(pair.aarq().encode())
    aare = Aare.decode(hit.reply)
    assert aare.application_context_name == context.oid
    assert aare.result is AssociationResult.ACCEPTED
    hls = mechanism.is_hls
    wanted = UserDiagnostic.AUTHENTICATION_REQUIRED if hls else UserDiagnostic.NULL
    assert aare.diagnostic is wanted
    assert isinstance(hit.event, AuthenticationPending if hls else AssociationOpened)
    if context is ApplicationContext.LN:
        response = InitiateResponse.decode(aare.user_information)
        assert response.server_max_receive_pdu_size == pair.server_config.max_pdu_size
    else:
        assert aare.user_information[0] == 0x28


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_a_refused_xdlms_context_is_told_in_the_clear(
    bench: Any, context: ApplicationContext
) -> None:
    """R-AA-4: a ConfirmedServiceError instead of the InitiateResponse; R-CONF-1: none in common."""
    pair = bench(context=context, mechanism=Mechanism.NONE)
    initiate = pair.initiate._replace(conformance=Conformance.READ).encode()
    user = pair.sealed(initiate) if context.ciphered else initiate
    hit = pair.hit(pair.aarq(user).encode())
    assert isinstance(hit.event, AssociationRefused)
    aare = Aare.decode(hit.reply)
    assert aare.application_context_name == context.oid
    assert aare.user_information.hex() == "0e010602"
    assert pair.server.state is State.IDLE
