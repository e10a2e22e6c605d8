"""A meter that understood, and said no: results of a dialogue, not breaches of protocol."""

from __future__ import annotations

from dlms.errors import DlmsError
from dlms.words import word
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse


class MeterRefusal(DlmsError):
    """The meter understood, and said no."""


class AssociationRejected(MeterRefusal):
    """There is no association."""


class AccessRefused(MeterRefusal):
    """An attribute or method was refused with ``result``."""

    def __init__(self, what: str, result: DataAccessResult | ActionResult) -> None:
        super().__init__(f"{what}: {word(result)}")
        self.result = result


class ServiceException(MeterRefusal):
    """The meter answered with an ExceptionResponse."""

    def __init__(self, exception: ExceptionResponse) -> None:
        name = word(exception.service_error)
        super().__init__(f"meter answers with an exception: {name}")
        self.exception = exception


class ServiceFailed(MeterRefusal):
    """The meter answered with a ConfirmedServiceError, as it does where short names are used."""

    def __init__(self, error: ConfirmedServiceError) -> None:
        name = word(error.error_class)
        super().__init__(f"meter answers with a service error: {name} {error.value}")
        self.error = error
