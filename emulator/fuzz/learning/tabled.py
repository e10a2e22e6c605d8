"""The machine that the tables of :mod:`dlms` say a meter is.

A letter is a sequence of inputs to the table of associations: what the client says, and what the
meter has to say to it. Where the table has no row for the first of them, the client is wrong, and
the meter says so by an exception, which leaves what there was (GB Ed. 8, 9.5). The only other
things that are known here are what the configuration of the association says.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.association.config import ServerConfig
from dlms.association.knobs import ResponseProtection, RlreInformation, SecondAarq
from dlms.association.state import TRANSITIONS, Input, State, after
from dlms.framing.hdlc import state as hdlc
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from emulator.fuzz.learning.mealy import Edge, Mealy, unfolded
from emulator.fuzz.learning.symbol import Kind, Symbol, protected

_NEEDS = {
    Symbol.GET: Conformance.GET,
    Symbol.GET_PROTECTED: Conformance.GET,
    Symbol.SET: Conformance.SET,
    Symbol.SET_PROTECTED: Conformance.SET,
}
_NEEDS_SHORT = {
    Symbol.GET: Conformance.READ,
    Symbol.GET_PROTECTED: Conformance.READ,
    Symbol.SET: Conformance.WRITE,
    Symbol.SET_PROTECTED: Conformance.WRITE,
}
_PASS_3_SHORT = Conformance.READ | Conformance.PARAMETERIZED_ACCESS
_PASS_3 = frozenset({Symbol.PASS_3, Symbol.PASS_3_WRONG, Symbol.PASS_3_REPLAYED})
_CIPHERED = frozenset({Symbol.GET_PROTECTED, Symbol.SET_PROTECTED, Symbol.ACTION_PROTECTED})
_SAID = {
    Input.AARE_ACCEPTED: Kind.ACCEPTED,
    Input.AARE_AUTHENTICATION_REQUIRED: Kind.AUTHENTICATION_REQUIRED,
    Input.AARE_REFUSED: Kind.REJECTED,
    Input.AARE_WITHHELD: Kind.SILENCE,
    Input.HLS_PASS_4: Kind.PASS_4,
    Input.HLS_REFUSED: Kind.REFUSED,
    Input.RLRE: Kind.RLRE,
    Input.EXCEPTION: Kind.EXCEPTION,
}


class Place(NamedTuple):
    """Where both machines are. ``line`` is whether there is a connection; without HDLC the link is
    always there.
    """

    line: bool
    link: hdlc.State
    state: State

    def __str__(self) -> str:
        if not self.line:
            return "no line"
        link = "" if self.link is hdlc.State.NRM else f"{self.link.value}, "
        return link + self.state.value


def alphabet(config: ServerConfig, lower: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """The letters that mean something of that association."""
    ciphered, hls = config.context.ciphered, config.mechanism.is_hls
    left_out = set(Symbol) - set(lower) & {
        Symbol.CONNECT,
        Symbol.HANG,
        Symbol.SNRM,
        Symbol.DISC,
    }
    left_out &= {Symbol.CONNECT, Symbol.HANG, Symbol.SNRM, Symbol.DISC}
    if config.mechanism.value == 0:
        left_out.add(Symbol.AARQ_NONE)
    if not ciphered:
        left_out |= {Symbol.AARQ_PLAIN, Symbol.AARQ_BROKEN}
    if not hls:
        left_out |= {Symbol.PASS_3, Symbol.PASS_3_REPLAYED}
    if config.short_names:
        left_out |= {Symbol.ACTION, Symbol.ACTION_PROTECTED}
    return tuple(symbol for symbol in Symbol if symbol not in left_out)


def tabled(config: ServerConfig, lower: tuple[Symbol, ...]) -> Mealy:
    """The machine of an association of ``config``, with such a lower layer."""
    with_link = Symbol.SNRM in lower
    rest = State.PRE_ESTABLISHED if config.pre_established else State.IDLE
    start = Place(True, hdlc.State.NDM if with_link else hdlc.State.NRM, rest)
    places = {str(start): start}

    def step(name: str, symbol: Symbol) -> Edge:
        output, place = _step(config, places[name], symbol)
        places.setdefault(str(place), place)
        return Edge(output, str(place))

    return unfolded(alphabet(config, lower), str(start), step)


def _step(config: ServerConfig, place: Place, symbol: Symbol) -> tuple[str, Place]:
    line, link, state = place
    match symbol:
        case Symbol.HANG:
            closed = after(state, Input.CLOSED) if line else state
            return Kind.DONE.value, Place(False, link, closed)
        case Symbol.CONNECT:
            return Kind.DONE.value, place._replace(line=True)
        case Symbol.SNRM | Symbol.DISC:
            return _linked(place, symbol)
    if not line:
        return Kind.NO_LINE.value, place
    if hdlc.after(link, hdlc.Input.INFORMATION) is None:
        return Kind.DM.value, place
    plays = _plays(config, state, symbol)
    silent = config.broadcast or state is State.UNCONFIRMED
    if plays and (state, plays[0]) not in TRANSITIONS:
        plays = (Input.EXCEPTION,)
    if plays == (Input.EXCEPTION,) and silent:
        return Kind.SILENCE.value, place  # it is not even said
    if not plays:  # of no meaning to the table: what cannot be read is refused, and that is all
        return (Kind.SILENCE if silent else Kind.REJECTED).value, place
    for event in plays:
        state = after(state, event)
    # The AARQ of an association without responses asks for none, whatever becomes of it.
    if silent or (config.unconfirmed and plays[0] is Input.AARQ):
        return Kind.SILENCE.value, place._replace(state=state)
    return _said(config, symbol, plays[-1]), place._replace(state=state)


def _linked(place: Place, symbol: Symbol) -> tuple[str, Place]:
    """SNRM and DISC: whatever was over the link ends with it (GB Ed. 8, 9.4.5)."""
    _, link, state = place
    event = hdlc.Input.SNRM if symbol is Symbol.SNRM else hdlc.Input.DISC
    linked = symbol is Symbol.SNRM or link is not hdlc.State.NDM
    answer = hdlc.Input.UA if linked else hdlc.Input.DM
    link = hdlc.passed(hdlc.passed(link, event), answer)
    said = Kind.UA if linked else Kind.DM
    return said.value, Place(True, link, after(state, Input.CLOSED))


def _plays(config: ServerConfig, state: State, symbol: Symbol) -> tuple[Input, ...]:
    """What ``symbol`` is to the table, with the answer to it; nothing if it is no message."""
    if symbol.value.startswith("AARQ"):
        return _aarq(config, state, symbol)
    if symbol in (Symbol.RLRQ, Symbol.RLRQ_PROTECTED):
        weak = symbol is Symbol.RLRQ and config.protected_release and config.policy
        granted = config.knobs.release_supported and not weak
        if state is State.UNCONFIRMED and granted:
            return (Input.RLRQ,)
        return (Input.RLRQ, Input.RLRE) if granted else (Input.EXCEPTION,)
    if symbol is Symbol.UNKNOWN or _is_refused(config, state, symbol):
        return (Input.EXCEPTION,)
    if state is State.AUTHENTICATING and symbol in _PASS_3:
        right = symbol is Symbol.PASS_3
        return Input.HLS_PASS_3, Input.HLS_PASS_4 if right else Input.HLS_REFUSED
    if state is State.UNCONFIRMED:
        return (Input.REQUEST,)
    return Input.REQUEST, Input.RESPONSE


def _aarq(config: ServerConfig, state: State, symbol: Symbol) -> tuple[Input, ...]:
    keeps = config.knobs.aarq_in_association is SecondAarq.REJECT and state is not State.IDLE
    if symbol is Symbol.AARQ_SHORT or state is State.PRE_ESTABLISHED or keeps:
        return ()
    plain_will_do = symbol is Symbol.AARQ_PLAIN and not config.policy
    if symbol is not Symbol.AARQ and not plain_will_do:
        return Input.AARQ, Input.AARE_REFUSED
    if config.unconfirmed:
        return Input.AARQ, Input.AARE_WITHHELD
    if config.mechanism.is_hls:
        return Input.AARQ, Input.AARE_AUTHENTICATION_REQUIRED
    return Input.AARQ, Input.AARE_ACCEPTED


def _is_refused(config: ServerConfig, state: State, symbol: Symbol) -> bool:
    """A service that is not served: too weak, of another context, or not negotiated."""
    ciphered = config.context.ciphered
    if symbol is Symbol.PASS_3_REPLAYED and ciphered:
        return True  # its counter has been used (R-IC-5)
    exempt = state is State.AUTHENTICATING and not config.knobs.pass_3_needs_action
    if not exempt and _needs(config, symbol) & ~config.conformance:
        return True
    if symbol in _CIPHERED:
        return not ciphered
    if symbol in _PASS_3 or not ciphered:
        return False
    return bool(config.policy) or not config.knobs.plain_request_accepted


def _needs(config: ServerConfig, symbol: Symbol) -> Conformance:
    if config.short_names:
        return _NEEDS_SHORT.get(symbol, _PASS_3_SHORT)
    return _NEEDS.get(symbol, Conformance.ACTION)


def _said(config: ServerConfig, symbol: Symbol, event: Input) -> str:
    if event is Input.RESPONSE:
        # The logical name of an association can be read and not written; nothing else is there.
        reads = symbol in (Symbol.GET, Symbol.GET_PROTECTED)
        said = (Kind.RESPONSE if reads else Kind.REFUSED).value
    else:
        said = _SAID[event].value
    return protected(said) if _is_protected(config, symbol, event) else said


def _is_protected(config: ServerConfig, symbol: Symbol, event: Input) -> bool:
    """Whether the answer is ciphered: as the request, and at least as the policy asks."""
    if not config.context.ciphered:
        return False
    if event is Input.RLRE:
        informed = symbol is Symbol.RLRQ_PROTECTED
        rule = config.knobs.rlre_information
        if rule is RlreInformation.IN_KIND or informed:
            return informed and rule is not RlreInformation.NEVER
        return rule is RlreInformation.ALWAYS and bool(_response_policy(config))
    if event not in (Input.RESPONSE, Input.HLS_PASS_4, Input.HLS_REFUSED):
        return False
    as_request = symbol in _CIPHERED or symbol in _PASS_3
    if config.knobs.response_protection is ResponseProtection.AS_REQUEST:
        return as_request
    if config.knobs.response_protection is ResponseProtection.POLICY:
        return bool(_response_policy(config))
    return as_request or bool(_response_policy(config))


def _response_policy(config: ServerConfig) -> Protection:
    return config.policy if config.response_policy is None else config.response_policy
