"""What a request asks for."""

from __future__ import annotations

from typing import TypeGuard

from devices.answering.asking import Answerable
from dlms.xdlms.get import GetRequest

DATA, PROFILE, CLOCK, IMAGE = 1, 7, 8, 18
"""Classes."""
VALUE = 2
"""The attribute that has the value, the time, the buffer."""
IMAGE_VERIFY = 3


def reads(request: Answerable, class_id: int) -> TypeGuard[GetRequest]:
    """Whether it is a read of the value of an object of that class."""
    return (
        isinstance(request, GetRequest)
        and request.attribute.class_id == class_id
        and request.attribute.attribute == VALUE
    )
