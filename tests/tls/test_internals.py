"""The guard around what is not public in asyncio, and the words for failures."""

from __future__ import annotations

import asyncio
import platform
import ssl
from asyncio import sslproto
from typing import cast

import pytest

from tls.alerts import Alert, received_alert, sent_alert
from tls.events import HandshakeError, Reason, Side, format_address
from tls.failures import Diagnosis, diagnose, failed
from tls.identity import IdentityError
from tls.internals import check_internals, check_loop


def test_this_python_is_known() -> None:
    check_internals(sslproto.SSLProtocol)


class _OtherSignature(sslproto.SSLProtocol):
    def _on_handshake_complete(self) -> None:  # type: ignore[override]  # that is the point
        raise NotImplementedError


class _NoBuffer(sslproto.SSLProtocol):
    max_size = None  # type: ignore[assignment]  # that is the point


class _OtherAttributes(sslproto.SSLProtocol):
    def __init__(
        self,
        loop: object,
        app_protocol: object,
        sslcontext: object,
        waiter: object,
        server_side: bool = False,
        server_hostname: object = None,
        call_connection_made: bool = True,
        ssl_handshake_timeout: object = None,
        ssl_shutdown_timeout: object = None,
    ) -> None:
        raise NotImplementedError


class _Nothing:
    pass


@pytest.mark.parametrize(
    ("protocol", "missing"),
    [
        (_OtherSignature, "_on_handshake_complete"),
        (_NoBuffer, "max_size"),
        (_OtherAttributes, "_outgoing, _sslobj"),
        (_Nothing, "_fatal_error"),
    ],
)
def test_unknown_python_is_named(protocol: type[object], missing: str) -> None:
    with pytest.raises(RuntimeError, match=platform.python_version()) as caught:
        check_internals(protocol)
    assert missing in str(caught.value)


def test_foreign_loop_is_refused() -> None:
    with pytest.raises(RuntimeError, match="event loop of asyncio"):
        check_loop(cast(asyncio.AbstractEventLoop, object()))


@pytest.mark.parametrize(
    ("reason", "alert"),
    [
        ("TLSV1_ALERT_UNKNOWN_CA", Alert.UNKNOWN_CA),
        ("SSLV3_ALERT_BAD_RECORD_MAC", Alert.BAD_RECORD_MAC),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", Alert.CERTIFICATE_REQUIRED),
        ("TLSV1_UNRECOGNIZED_NAME", Alert.UNRECOGNIZED_NAME),
        ("TLSV1_ALERT_OF_THE_FUTURE", None),
        ("NO_SHARED_CIPHER", None),
        ("", None),
    ],
)
def test_alert_in_a_reason(reason: str, alert: Alert | None) -> None:
    assert received_alert(reason) is alert


@pytest.mark.parametrize(
    ("octets", "alert"),
    [
        ("15030300020230", Alert.UNKNOWN_CA),
        ("16030300010E15030100020246", Alert.PROTOCOL_VERSION),
        ("150303000202FF", None),  # no such alert
        ("17030300020230", None),  # not an alert
        ("15030300030230", None),  # longer: not in the clear
        ("030300020230", None),
        ("", None),
    ],
)
def test_alert_in_outgoing_octets(octets: str, alert: Alert | None) -> None:
    assert sent_alert(bytes.fromhex(octets)) is alert


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), Reason.TIMEOUT),
        (ConnectionResetError(), Reason.PEER_CLOSED),
        (BrokenPipeError(), Reason.PEER_CLOSED),
        (ssl.SSLEOFError(), Reason.PEER_CLOSED),
        (ssl.SSLZeroReturnError(), Reason.PEER_CLOSED),
        (IdentityError("no title"), Reason.WRONG_IDENTITY),
        (ssl.SSLError(1, "something new"), Reason.OTHER),
        (LookupError("bug"), Reason.OTHER),
    ],
)
def test_diagnosis(error: Exception, reason: Reason) -> None:
    assert diagnose(error).reason is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_reads_as_one_line(reason: Reason) -> None:
    event = failed(Side.CLIENT, "[::1]:4059", Diagnosis(reason, detail="two\nlines"))
    assert event.message.startswith("no TLS session with server [::1]:4059: ")
    assert event.message.endswith(" [two lines]")
    error = HandshakeError(event)
    assert isinstance(error, OSError)
    assert error.reason is reason


def test_addresses() -> None:
    assert format_address(("127.0.0.1", 4059)) == "127.0.0.1:4059"
    assert format_address(("::1", 4059, 0, 0)) == "[::1]:4059"
    assert format_address("/run/meter") == "/run/meter"
    assert format_address(None) == "unknown"
