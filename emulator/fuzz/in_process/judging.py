"""What an APDU that came back says, in words."""

from __future__ import annotations

from enum import Enum
from typing import Any

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult
from dlms.acse.release import RLRE_TAG
from dlms.association.contexts import Freshness, general_context
from dlms.axdr.data import Data
from dlms.client.refusals import AccessRefused, AssociationRejected, ServiceException, ServiceFailed
from dlms.errors import DlmsError, LocalProtocolError, RemoteProtocolError
from dlms.security.general_context import GeneralContext
from dlms.security.layers import is_layer, open_layers
from dlms.security.ops import CryptoFailure, Use
from dlms.security.spent_keys import SpentKeys
from dlms.words import word
from dlms.xdlms import general_block, registry
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.target import Outcome, Seen

_EXCEPTION, _SERVICE_ERROR = 0xD8, 0x0E


def context_of(client: BenchClient) -> GeneralContext | None:
    """What this client protects with, whatever its association is."""
    party = client.party
    freshness = Freshness(party.counters, SpentKeys())
    titles = client.config.own_title, client.meter
    config, association = client.association.config, client.association
    general = general_context(config, association.keys, freshness, titles, client.name)
    if general is not None:
        general.security.dedicated = config.dedicated
        general.security.gbek = association.keys.gbek
        general.security.unprotected = True  # what came is to be shown, not to be judged
    return general


def exception(answer: ExceptionResponse) -> str:
    counter = "" if answer.invocation_counter is None else f" {answer.invocation_counter}"
    return f"exception {word(answer.state_error)} {word(answer.service_error)}{counter}"


def service_error(answer: ConfirmedServiceError) -> str:
    return f"service error {word(answer.error_class)} {answer.value}"


def of_error(error: BaseException) -> Seen:
    """What a dialogue of the client's ended with."""
    match error:
        case TimeoutError():
            return Seen(outcome=Outcome.SILENCE, says="no answer")
        case HungUp():
            return Seen(outcome=Outcome.HUNG_UP, says=str(error))
        case ServiceException(exception=answer):
            return Seen(outcome=Outcome.REFUSED, says=exception(answer))
        case ServiceFailed(error=answer):
            return Seen(outcome=Outcome.REFUSED, says=service_error(answer))
        case AccessRefused(result=result):
            return Seen(outcome=Outcome.REFUSED, says=word(result))
        case AssociationRejected():
            return Seen(outcome=Outcome.REFUSED, says=str(error))
        case LocalProtocolError():
            return Seen(outcome=Outcome.STOPPED, says=str(error))
        case RemoteProtocolError() | CryptoFailure():
            return Seen(outcome=Outcome.DISTRUSTED, says=str(error))
    raise error


def of_replies(world: Bench, client: BenchClient, replies: tuple[bytes, ...]) -> Seen:
    """What came back of octets that the client core knows nothing of."""
    if not replies:
        return Seen(outcome=Outcome.SILENCE, says="no answer")
    try:
        return _of_reply(world, client, replies[0])
    except (DlmsError, ValueError) as error:
        return Seen(outcome=Outcome.DISTRUSTED, says=f"cannot be read: {error}")


def _of_reply(world: Bench, client: BenchClient, octets: bytes) -> Seen:
    tag = octets[0]
    if tag == AARE_TAG:
        return _of_aare(Aare.decode(octets))
    if tag == RLRE_TAG:
        return Seen(outcome=Outcome.ACCEPTED, says="released")
    protection = ""
    if is_layer(tag):
        general = context_of(client)
        if general is None:
            return Seen(outcome=Outcome.DISTRUSTED, says="ciphered")
        peeled = world.run(client, open_layers(general, octets, Use.OPEN_RESPONSE))
        octets, tag = peeled.apdu, peeled.apdu[0]
        protection = f" protected {int(peeled.protection):02X}"
    if tag == _EXCEPTION:
        said = exception(ExceptionResponse.decode(octets))
        return Seen(outcome=Outcome.REFUSED, says=said + protection)
    if tag == _SERVICE_ERROR:
        said = service_error(ConfirmedServiceError.decode(octets))
        return Seen(outcome=Outcome.REFUSED, says=said + protection)
    if tag == general_block.TAG:
        return Seen(outcome=Outcome.ACCEPTED, says="general block")
    seen = _of_response(registry.decode(octets))
    return Seen(outcome=seen.outcome, says=seen.says + protection, value=seen.value)


def _of_aare(aare: Aare) -> Seen:
    said = f"{word(aare.result)} {word(aare.diagnostic)}"
    if aare.result is AssociationResult.ACCEPTED:
        return Seen(outcome=Outcome.ACCEPTED, says=said)
    error = (aare.user_information or b"").hex()
    return Seen(outcome=Outcome.REFUSED, says=f"{said} {error}".rstrip())


def _of_response(response: Any) -> Seen:
    """A service response: refused if its result, or all of them, are none."""
    result = getattr(response, "result", None)
    value = getattr(response, "returned", None)
    if isinstance(result, Data):
        return Seen(outcome=Outcome.ACCEPTED, says="data", value=result)
    if isinstance(result, Enum):
        good = not result.value
        returned = value if isinstance(value, Data) else None
        return Seen(
            outcome=Outcome.ACCEPTED if good else Outcome.REFUSED, says=word(result), value=returned
        )
    results = [getattr(one, "result", one) for one in getattr(response, "results", ())]
    bad = [one for one in results if isinstance(one, Enum) and one.value]
    if results and len(bad) == len(results):
        return Seen(outcome=Outcome.REFUSED, says=word(bad[0]))
    return Seen(outcome=Outcome.ACCEPTED, says=type(response).__name__)
