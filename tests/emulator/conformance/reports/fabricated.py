"""Runs that nobody has made: one by hand with everything in it, and any number by hypothesis.

What goes over the line is made with the real codecs.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import long_unsigned, octet_string, structure
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.llc import COMMAND
from dlms.framing.wrapper import Wpdu
from dlms.security.ciphered import Family, Form, encode_ciphered
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import NOT_ASSOCIATED
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.set import SetRequest
from emulator.conformance import built_in
from emulator.conformance.probing.record import Direction, Entry, Level
from emulator.conformance.running.result import (
    CaseResult,
    Difference,
    RunResult,
    Standing,
    StepResult,
    Transport,
    Verdict,
)

PASSWORD = b"Sesame#9"
DEDICATED = bytes.fromhex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")
NEW_SECRET = b"Different!"
HOSTILE = "</script><script>alert(1)</script>\x1b[2J\u202e\x00\ud800'\"&<!-- ]]>"
KEY_LOG = (
    f"CLIENT_RANDOM {'1f' * 32} {'2e' * 48}",
    f"SERVER_TRAFFIC_SECRET_0 {'3d' * 32} {'4c' * 32}",
)
_INITIATE = InitiateRequest(Conformance.GET | Conformance.SET, 512, dedicated_key=DEDICATED)
AARQ = Aarq(
    ApplicationContext.LN.oid,
    sender_acse_requirements=True,
    mechanism_name=Mechanism.LLS.oid,
    calling_authentication_value=AuthenticationValue(PASSWORD),
    user_information=_INITIATE.encode(),
).encode()
AARE = Aare(
    ApplicationContext.LN.oid,
    AssociationResult.ACCEPTED,
    UserDiagnostic.NULL,
    user_information=InitiateResponse(Conformance.GET, 512).encode(),
).encode()
GET = GetRequest(0xC1, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)).encode()
GOT = GetResponse(0xC1, structure(long_unsigned(4711), octet_string(b"kWh"))).encode()
SECRET_SET = SetRequest(
    0xC1, AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 7), octet_string(NEW_SECRET)
).encode()
GLO_GET = encode_ciphered(0xC0, Family.GLOBAL, Form.SERVICE, 0x30, 7, bytes(20), b"")
GENERAL = encode_ciphered(0xC0, Family.GLOBAL, Form.GENERAL, 0x30, 8, bytes(20), b"ABC12345")
EXCEPTION = NOT_ASSOCIATED.encode()
SNRM = Frame(Address(1, 17, 4), Address(16), Control(Kind.SNRM)).encode()
HDLC_AARQ = Frame(Address(1), Address(16), Control(Kind.I), COMMAND + AARQ).encode()
TLS_RECORD = bytes.fromhex("1703030005aabbccddee")
WHOLE = (
    Wpdu(16, 1, AARQ).encode(), Wpdu(1, 16, AARE).encode(), Wpdu(16, 1, GET).encode(),
    HDLC_AARQ, SNRM, TLS_RECORD, Wpdu(1, 16, EXCEPTION).encode(), b"",
)  # fmt: skip
APDUS = (AARQ, AARE, GET, GOT, SECRET_SET, GLO_GET, GENERAL, EXCEPTION, _INITIATE.encode(), b"")
_SENT, _RECEIVED = Direction.SENT, Direction.RECEIVED
_OCTETS, _APDU, _PLAIN = Level.OCTETS, Level.APDU, Level.PLAIN


def _entry(at: float, direction: Direction, level: Level, octets: bytes, **more: object) -> Entry:
    return Entry(at=at, direction=direction, level=level, octets=octets, **more)  # type: ignore[arg-type]


def step(name: str, verdict: Verdict, entries: tuple[int, int], **more: object) -> StepResult:
    given: dict[str, object] = {
        "subtest": "", "sends": "an AARQ", "answer": "", "seen": "AARE", "differences": (),
    }  # fmt: skip
    given.update(more)
    return StepResult(step=name, verdict=verdict, entries=entries, **given)  # type: ignore[arg-type]


def case(id: str, verdict: Verdict, standing: Standing, **more: object) -> CaseResult:
    given: dict[str, object] = {"reasons": (), "steps": (), "record": (), "seconds": 0.25}
    given.update(more)
    return CaseResult(id=id, verdict=verdict, standing=standing, **given)  # type: ignore[arg-type]


def failed_case() -> CaseResult:
    """The device answers READ-WRITE with a wrong octet; everything has a place in the record."""
    record = (
        _entry(0.0, Direction.NOTE, Level.NOTE, b"", text="connects"),
        _entry(0.1, _SENT, _OCTETS, WHOLE[0]),
        _entry(0.1, _SENT, _APDU, AARQ, pair=(16, 1)),
        _entry(0.2, _RECEIVED, _OCTETS, WHOLE[1]),
        _entry(0.2, _RECEIVED, _APDU, AARE, pair=(16, 1)),
        _entry(0.3, _SENT, _APDU, GLO_GET, pair=(16, 1), key="GUEK", counter=7),
        _entry(0.3, _SENT, _PLAIN, GET, pair=(16, 1), key="GUEK", counter=7),
        _entry(0.4, _SENT, _APDU, GENERAL, pair=(16, 1), key="GUEK", counter=8),
        _entry(0.4, _SENT, _APDU, GENERAL, pair=(16, 1), key="GUEK", counter=8),
        _entry(0.5, _SENT, _PLAIN, SECRET_SET, pair=(16, 1)),
        _entry(0.6, _RECEIVED, _OCTETS, WHOLE[6], line=1),
        _entry(0.6, _RECEIVED, _APDU, EXCEPTION, pair=(16, 1), text=f"echo {PASSWORD.hex()}"),
    )
    differences = (
        Difference(
            answer="rejected", expected="result 1", actual=f"result 0 {HOSTILE}", entry=4, offset=17
        ),
        Difference(answer="silence", expected="nothing", actual="AARE", entry=11, offset=3),
        Difference(answer="gone", expected="no association", actual="one"),
    )
    steps = (
        step(
            "listed", Verdict.PASSED, (0, 3), answer="accepted", subtest="1",
            sends="an AARQ with a user",
        ),
        step(
            "unlisted", Verdict.FAILED, (3, 12), differences=differences, reason="none came",
            notes=("it took long", f"was {PASSWORD!r}"),
        ),
    )  # fmt: skip
    return case(
        "APPL_OPEN_2", Verdict.FAILED, Standing.BAD, record=record, steps=steps, seconds=1.5,
        reasons=(f"step unlisted {HOSTILE}",),
    )  # fmt: skip


def rich_run(*, strict: bool = False) -> RunResult:
    """A case of each verdict and standing."""
    hdlc = (
        _entry(0.0, _SENT, _OCTETS, SNRM),
        _entry(0.1, _SENT, _OCTETS, HDLC_AARQ),
        _entry(0.2, _RECEIVED, _OCTETS, SNRM[:-3]),
    )
    missing = Difference(answer="ua", expected="UA", actual="cut", entry=2, offset=len(SNRM) - 3)
    cases = (
        case(
            "HDLC_FRAME_P1", Verdict.PASSED, Standing.GOOD, record=hdlc,
            steps=(step("connect", Verdict.PASSED, (0, 1), answer="ua", seen=""),),
        ),
        case(
            "HDLC_FRAME_N1", Verdict.FAILED, Standing.EXPECTED_FAILURE, expected="known since v2",
            record=hdlc, steps=(step("no-flag", Verdict.FAILED, (0, 3), differences=(missing,)),),
        ),
        case(
            "HDLC_FRAME_N2", Verdict.PASSED, Standing.UNEXPECTED_PASS, expected="known since v3",
            steps=(step("short", Verdict.PASSED, (0, 0), answer="silence"),),
        ),
        case(
            "HDLC_FRAME_P3", Verdict.INAPPLICABLE, Standing.GOOD,
            reasons=("needs hdlc.inactivity > 0",),
        ),
        case("APPL_IDLE_N1", Verdict.INCONCLUSIVE, Standing.GOOD, reasons=("no meter & no key",)),
        failed_case(),
        case(
            "APPL_OPEN_4", Verdict.NON_STRICT, Standing.BAD if strict else Standing.GOOD,
            reasons=("accepted all the same",),
            steps=(step("version", Verdict.NON_STRICT, (0, 0), answer="silence"),),
        ),
        case("COSEM_X_Y", Verdict.INFORMATIONAL, Standing.GOOD, reasons=("37 objects",)),
        case("X_WPDU_VER", Verdict.ERROR, Standing.BAD, reasons=("the connection was refused",)),
    )  # fmt: skip
    return run_of(cases, strict=strict)


def run_of(cases: tuple[CaseResult, ...], **more: object) -> RunResult:
    given: dict[str, object] = {
        "device": f"meter-1 {HOSTILE}", "declaration": "devices/meter 1.toml",
        "way": "tcp 127.0.0.1:4059", "seed": "42", "started": "2026-11-28T11:00:00+00:00",
        "version": "0.1.0", "strict": False, "key_log": KEY_LOG,
    }  # fmt: skip
    given.update(more)
    return RunResult(cases=cases, **given)  # type: ignore[arg-type]


_EPOCH = dt.datetime(1971, 1, 1)
_ZONES = ("", "Z", "+00:00", "-05:30")
_TEXT = st.text(max_size=20) | st.sampled_from((HOSTILE, "", "x", PASSWORD.hex()))


@st.composite
def _octets(draw: st.DrawFn, known: tuple[bytes, ...]) -> bytes:
    """Something right, something that was right, or anything."""
    octets = bytearray(draw(st.sampled_from(known)))
    if octets and draw(st.booleans()):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del octets[draw(st.integers(0, len(octets))) :]
    return bytes(octets) + draw(st.binary(max_size=8))


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    level = draw(st.sampled_from(Level))
    note = level is Level.NOTE
    direction = Direction.NOTE if note else draw(st.sampled_from((_SENT, _RECEIVED)))
    octets = b"" if note else draw(_octets(WHOLE if level is _OCTETS else APDUS))
    return Entry(
        at=draw(st.floats(0, 100, allow_nan=False)),
        direction=direction,
        level=level,
        octets=octets,
        text=draw(_TEXT),
        line=draw(st.integers(0, 2)),
        pair=draw(st.none() | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))),
        key=draw(st.sampled_from(("", "GUEK", "dedicated"))),
        counter=draw(st.none() | st.integers(0, 2**32 - 1)),
    )


@st.composite
def _differences(draw: st.DrawFn, record: tuple[Entry, ...]) -> Difference:
    entry = draw(st.none() | st.integers(0, len(record) - 1)) if record else None
    offset = None
    if entry is not None:
        offset = draw(st.none() | st.integers(0, len(record[entry].octets)))
    return Difference(
        answer=draw(_TEXT), expected=draw(_TEXT), actual=draw(_TEXT), entry=entry, offset=offset
    )


@st.composite
def _steps(draw: st.DrawFn, record: tuple[Entry, ...]) -> StepResult:
    first = draw(st.integers(0, len(record)))
    return StepResult(
        step=draw(_TEXT),
        subtest=draw(st.sampled_from(("", "1", "2a"))),
        sends=draw(_TEXT),
        verdict=draw(st.sampled_from(Verdict)),
        answer=draw(_TEXT),
        seen=draw(_TEXT),
        differences=tuple(draw(st.lists(_differences(record), max_size=2))),
        entries=(first, draw(st.integers(first, len(record)))),
        reason=draw(_TEXT),
        notes=tuple(draw(st.lists(_TEXT, max_size=2))),
    )


@st.composite
def _cases(draw: st.DrawFn) -> CaseResult:
    record = tuple(draw(st.lists(_entries(), max_size=4)))
    return CaseResult(
        id=draw(st.sampled_from(sorted(built_in().checks))),
        verdict=draw(st.sampled_from(Verdict)),
        standing=draw(st.sampled_from(Standing)),
        reasons=tuple(draw(st.lists(_TEXT, max_size=2))),
        steps=tuple(draw(st.lists(_steps(record), max_size=2))),
        record=record,
        seconds=draw(st.floats(0, 100, allow_nan=False)),
        expected=draw(_TEXT),
    )


@st.composite
def runs(draw: st.DrawFn) -> RunResult:
    """Any run."""
    return RunResult(
        device=draw(_TEXT),
        declaration=draw(_TEXT),
        way=draw(_TEXT),
        seed=draw(_TEXT),
        started=draw(st.datetimes(min_value=_EPOCH)).isoformat() + draw(st.sampled_from(_ZONES)),
        version=draw(_TEXT),
        strict=draw(st.booleans()),
        cases=tuple(draw(st.lists(_cases(), max_size=4))),
        key_log=draw(st.sampled_from(((), KEY_LOG))),
        transport=draw(st.sampled_from(Transport)),
        port=draw(st.integers(0, 0xFFFF)),
        called=draw(st.booleans()),
    )
