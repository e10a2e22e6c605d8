"""What an adapter on gurux-dlms sees of a meter with a fault."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.objects import GXDLMSClock, GXDLMSData

CLOCK = "0.0.1.0.0.255"
NAME = "0.0.42.0.0.255"
TEMPORARY_FAILURE = 2


def name_of(session: Any) -> Any:
    return session.read(GXDLMSData(NAME), 2)


@pytest.mark.parametrize("association", ["public", "dco"])
def test_a_busy_meter(fresh: Any, gurux: Any, association: str) -> None:
    meter = fresh()
    session = gurux(meter, association)
    meter.fault("not-now", count=1)
    with pytest.raises(GXDLMSException) as caught:
        session.read(GXDLMSClock(CLOCK), 2)
    assert caught.value.errorCode == TEMPORARY_FAILURE
    assert session.read(GXDLMSClock(CLOCK), 2)


def test_an_exception(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    session = gurux(meter, "public")
    meter.fault("overloaded", count=1)
    with pytest.raises(Exception, match=r"(?i)service|exception|possible"):
        name_of(session)
    assert name_of(session)


def test_a_tag_that_does_not_verify(fresh: Any, gurux: Any) -> None:
    """The package does not notice: an adapter on it takes whatever decrypts to an APDU."""
    meter = fresh()
    session = gurux(meter, "dco")
    right = name_of(session)
    fault = meter.fault("flipped-tag", bits=96, count=1)
    assert name_of(session) == right
    assert fault.acted == 1


def test_the_meter_is_gone(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    session = gurux(meter, "public")
    meter.fault("gone-midway")
    with pytest.raises(ConnectionError):
        name_of(session)


def test_the_reply_is_lost(fresh: Any, gurux: Any) -> None:
    """What comes is the answer to the next request."""
    meter = fresh()
    session = gurux(meter, "public")
    fault = meter.fault("one-lost-reply")
    session.socket.sendall(bytes(session.client.read(GXDLMSData(NAME), 2)[0]))
    assert session.read(GXDLMSClock(CLOCK), 2)
    assert fault.is_over


def test_a_lost_rotation(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    meter.fault("lost-rotation")
    with pytest.raises((GXDLMSException, ValueError, ConnectionError)):
        gurux(meter, "dco")


def test_an_expired_certificate(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    meter.fault("expired-certificate")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        gurux(meter, "dco", tls=True)
