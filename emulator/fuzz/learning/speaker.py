"""A client without a state of its own: it says what it is told to, whenever it is told to.

All that it remembers is what the meter has said last (its challenge and title), for pass 3 must
answer that; so whatever state is learned is the meter's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import RLRE_TAG, Rlre, Rlrq
from dlms.association import authenticating, proposal
from dlms.association.config import CURRENT_ASSOCIATION, AssociationKeys, ClientConfig
from dlms.association.contexts import Freshness, general_context
from dlms.association.naming import CURRENT_ASSOCIATION_SN
from dlms.association.shapes import request_shape
from dlms.axdr.data import octet_string
from dlms.errors import DlmsError
from dlms.security import hls
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run as drive
from dlms.security.layers import is_layer, open_layers, protect_layers
from dlms.security.ops import CryptoOp, Step, Use
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.set import SetRequest
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest
from emulator.fuzz.learning.symbol import Kind, Symbol, protected

T = TypeVar("T")

_EXCEPTIONS = (0xD8, 0x0E)
_LOGICAL_NAME = AttributeDescriptor(15, CURRENT_ASSOCIATION, 1)
_NOWHERE = MethodDescriptor(3, bytes(6), 1)
"""reset of a Register that nobody has: nothing is done to any meter."""
_INVOKE = CONFIRMED | 1
_UNKNOWN = bytes.fromhex("9901020304")
_NO_KEYS = bytes.fromhex("C8112000000001") + bytes(11)
"""glo-get-request, from somebody who has no key."""
_NO_KEYS_FOR = {
    Symbol.GET_PROTECTED: 0xC8,
    Symbol.SET_PROTECTED: 0xC9,
    Symbol.ACTION_PROTECTED: 0xCB,
}
_PAIRS = {
    ApplicationContext.LN: ApplicationContext.SN,
    ApplicationContext.SN: ApplicationContext.LN,
    ApplicationContext.LN_CIPHERED: ApplicationContext.SN_CIPHERED,
    ApplicationContext.SN_CIPHERED: ApplicationContext.LN_CIPHERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who asks: one client of one association. ``execute`` carries its operations out, ``today``
    (aware) is what certificates are checked against.
    """

    config: ClientConfig
    keys: AssociationKeys
    counters: InvocationCounters
    execute: Callable[[CryptoOp], Any]
    server_title: bytes | None
    today: dt.datetime


class Speaker:
    """One run of a client, from its connection to the next. ``old_pass_3`` are the octets that an
    earlier association was authenticated by, which must not serve again.
    """

    def __init__(self, party: Party, old_pass_3: bytes = b"") -> None:
        self._party = party
        config = party.config
        titles = config.own_title, party.server_title
        freshness = Freshness(party.counters, SpentKeys())
        self._general = general_context(config, party.keys, freshness, titles, "learner")
        self._proposed = self._before = proposal.Proposed(b"", b"", b"")
        self._accepted = proposal.Accepted(title=party.server_title, challenge=bytes(32))
        self._pass_3 = old_pass_3 or _plain_pass_3(b"\x00" * 17, config)
        self.last_pass_3 = b""

    # Saying ---------------------------------------------------------------------------------------

    def octets(self, symbol: Symbol) -> bytes:
        """What is said for ``symbol``: one APDU."""
        if symbol in _AARQS:
            return self._aarq(symbol)
        match symbol:
            case Symbol.PASS_3:
                self.last_pass_3 = self._protected(_plain_pass_3(self._f(), self._party.config))
                return self.last_pass_3
            case Symbol.PASS_3_WRONG:
                f = self._f()
                wrong = f[:-1] + bytes((f[-1] ^ 1,))
                return self._protected(_plain_pass_3(wrong, self._party.config))
            case Symbol.PASS_3_REPLAYED:
                return self._pass_3
            case Symbol.RLRQ:
                return Rlrq().encode()
            case Symbol.RLRQ_PROTECTED:
                user = self._run(proposal.release_information(self._general, self._party.config))
                return Rlrq(user_information=user).encode()
            case Symbol.UNKNOWN:
                return _UNKNOWN
        return self._service(symbol)

    def _service(self, symbol: Symbol) -> bytes:
        plain = self._plain(symbol)
        if symbol not in _NO_KEYS_FOR:
            return plain
        if not self._party.config.context.ciphered:
            return bytes((_NO_KEYS_FOR[symbol],)) + _NO_KEYS[1:]
        return self._protected(plain)

    def _plain(self, symbol: Symbol) -> bytes:
        short = self._party.config.short_names
        if symbol in (Symbol.GET, Symbol.GET_PROTECTED):
            if short:
                return ReadRequest((VariableName(name=CURRENT_ASSOCIATION_SN),)).encode()
            return GetRequest(_INVOKE, _LOGICAL_NAME).encode()
        if symbol in (Symbol.SET, Symbol.SET_PROTECTED):
            value = octet_string(bytes(6))
            if short:
                where = VariableName(name=CURRENT_ASSOCIATION_SN)
                return WriteRequest((where,), (value,)).encode()
            return SetRequest(_INVOKE, _LOGICAL_NAME, value).encode()
        return ActionRequest(_INVOKE, _NOWHERE).encode()

    def _aarq(self, symbol: Symbol) -> bytes:
        party, self._before = self._party, self._proposed
        self._proposed = self._run(proposal.make_aarq(party.config, party.keys, self._general))
        octets = self._proposed.aarq
        match symbol:
            case Symbol.AARQ:
                return octets
            case Symbol.AARQ_SHORT:
                return octets[: len(octets) // 2]
        aarq = Aarq.decode(octets)
        user = aarq.user_information or b""
        match symbol:
            case Symbol.AARQ_NONE:
                aarq = aarq._replace(
                    mechanism_name=None,
                    sender_acse_requirements=None,
                    calling_authentication_value=None,
                )
            case Symbol.AARQ_LLS:
                aarq = _with_mechanism(aarq, Mechanism.LLS, b"not the password")
            case Symbol.AARQ_HLS:
                other = Mechanism.HLS_MD5
                if party.config.mechanism is other:
                    other = Mechanism.HLS_SHA1
                aarq = _with_mechanism(aarq, other, bytes(range(16)))
            case Symbol.AARQ_PLAIN:
                plain = proposal.initiate_request(party.config).encode()
                aarq = aarq._replace(user_information=plain)
            case Symbol.AARQ_BROKEN:
                aarq = aarq._replace(user_information=user[:-1] + bytes((user[-1] ^ 1,)))
            case _:
                other_context = _PAIRS[party.config.context]
                aarq = aarq._replace(application_context_name=other_context.oid)
        return aarq.encode()

    def _f(self) -> bytes:
        """f(StoC) of the last challenge; of none it is of 32 zeros."""
        config = self._party.config
        if not config.mechanism.is_hls:
            return bytes(17)
        return self._run(hls.answer(self._exchange()))

    def _exchange(self) -> hls.Exchange:
        party, security = self._party, None if self._general is None else self._general.security
        return authenticating.exchange(
            party.config,
            party.keys,
            titles=(party.config.own_title, self._accepted.title),
            challenges=(self._proposed.challenge, self._accepted.challenge),
            context=security,
            peer_public=self._accepted.public,
        )

    def _protected(self, plain: bytes) -> bytes:
        shape = request_shape(self._general, self._party.config, plain[0])
        if shape is None or self._general is None:
            return plain
        return self._run(protect_layers(self._general, plain, shape, Use.PROTECT_REQUEST))

    def _run(self, step: Step[T]) -> T:
        return drive(step, self._party.execute)

    # Hearing --------------------------------------------------------------------------------------

    def kind(self, symbol: Symbol, octets: bytes) -> str:
        """What kind of answer ``octets`` are to ``symbol``."""
        try:
            return self._kind(symbol, octets)
        except (DlmsError, ValueError, IndexError) as error:
            return f"{Kind.UNREADABLE.value}: {type(error).__name__}"

    def _kind(self, symbol: Symbol, octets: bytes) -> str:
        tag = octets[0]
        if tag == AARE_TAG:
            return self._aare(Aare.decode(octets))
        if tag == RLRE_TAG:
            user = Rlre.decode(octets).user_information
            ciphered = bool(user) and is_layer((user or b"\0")[0])
            return protected(Kind.RLRE.value) if ciphered else Kind.RLRE.value
        ciphering, is_ciphered = None, is_layer(tag)
        if is_ciphered and self._general is not None:
            use = Use.ASSOCIATION if symbol is Symbol.PASS_3 else Use.OPEN_RESPONSE
            peeled = self._run(open_layers(self._general, octets, use))
            octets, ciphering = peeled.apdu, peeled.ciphering
        said = self._said(symbol, octets, ciphering)
        return protected(said) if is_ciphered else said

    def _said(self, symbol: Symbol, octets: bytes, ciphering: Any) -> str:
        if octets[0] in _EXCEPTIONS:
            return Kind.EXCEPTION.value
        response: Any = registry.decode(octets)
        if _refuses(response):
            return Kind.REFUSED.value
        pass_3 = symbol in (Symbol.PASS_3, Symbol.PASS_3_WRONG, Symbol.PASS_3_REPLAYED)
        if not pass_3:
            return Kind.RESPONSE.value
        inner = self._party.config.knobs.inner_counter
        try:
            step = authenticating.judge_pass_4(response, ciphering, self._exchange(), inner)
            problem = self._run(step)
        except DlmsError as error:
            problem = str(error)
        kind = Kind.PASS_4_WRONG if problem else Kind.PASS_4
        return str(kind.value)

    def _aare(self, aare: Aare) -> str:
        if aare.result is not AssociationResult.ACCEPTED:
            self._proposed = self._before  # the association that there was may go on
            return Kind.REJECTED.value
        party = self._party
        challenged = aare.responding_authentication_value is not None
        step = proposal.judge_acceptance(
            aare, party.config, party.keys, self._general, self._proposed, party.today
        )
        try:
            self._accepted = self._run(step)
        except DlmsError:
            # An answer to an AARQ that was not in order; its challenge counts all the same.
            value = aare.responding_authentication_value
            if value is not None:
                self._accepted = self._accepted._replace(challenge=value.octets)
        kind = Kind.AUTHENTICATION_REQUIRED if challenged else Kind.ACCEPTED
        return str(kind.value)


def _with_mechanism(aarq: Aarq, mechanism: Mechanism, value: bytes) -> Aarq:
    return aarq._replace(
        mechanism_name=mechanism.oid,
        sender_acse_requirements=True,
        calling_authentication_value=AuthenticationValue(value),
    )


def _plain_pass_3(f: bytes, config: ClientConfig) -> bytes:
    return authenticating.pass_3(f, short_names=config.short_names).encode()


def _refuses(response: Any) -> bool:
    """Whether a service response is a result that is none."""
    if isinstance(response, ActionResponse):
        return response.result is not ActionResult.SUCCESS
    results = getattr(response, "results", None) or (getattr(response, "result", None),)
    return all(
        isinstance(one, DataAccessResult) and one is not DataAccessResult.SUCCESS for one in results
    )


_AARQS = frozenset(symbol for symbol in Symbol if symbol.value.startswith("AARQ"))
