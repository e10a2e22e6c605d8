"""What an adapter on dlms-cosem sees of a meter with a fault.

Not with one that hangs up: the package then reads nothing for ever.
"""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem.client import DataResultError
from dlms_cosem.enumerations import CosemInterface

NAME = "0.0.42.0.0"


def name_of(session: Any) -> Any:
    return session.read(CosemInterface.DATA, NAME, 2)


@pytest.mark.parametrize("association", ["public", "dco"])
def test_a_busy_meter(fresh: Any, cosem: Any, association: str) -> None:
    meter = fresh()
    session = cosem(meter, association)
    meter.fault("not-now", count=1)
    with pytest.raises(DataResultError, match="TEMPORARY_FAILURE"):
        name_of(session)
    assert name_of(session)


def test_a_tag_that_does_not_verify(fresh: Any, cosem: Any) -> None:
    meter = fresh()
    session = cosem(meter, "dco")
    fault = meter.fault("flipped-tag", count=1)
    with pytest.raises(Exception, match=r"(?i)tag|decrypt|authenticat") as caught:
        name_of(session)
    assert not isinstance(caught.value, AssertionError)
    assert fault.acted == 1


def test_an_exception(fresh: Any, cosem: Any) -> None:
    """The package expects more octets than such an ExceptionResponse has."""
    meter = fresh()
    session = cosem(meter, "public")
    meter.fault("overloaded", count=1)
    with pytest.raises(IndexError):
        name_of(session)
