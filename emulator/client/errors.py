"""Everything that can go wrong for a caller of the client, as one small tree.

=========================  ===================================================================
:class:`ClientError`       all of the following
:class:`UnknownObject`     the name, object, attribute or method is not known
:class:`Refused`           the meter understood, and said no
:class:`NotAssociated`     a :class:`Refused`: there is no association
:class:`AnswerTimeout`     no answer in time; a ``TimeoutError``
:class:`NothingSaid`       nothing came unasked in that time; a ``TimeoutError``
:class:`AssociationLost`   the association cannot be used any more; a ``ConnectionError``
:class:`MeterFault`        the meter broke the protocol, or a message of its did not verify
=========================  ===================================================================

A value that does not fit is Python's own ``ValueError``, a connection that cannot be had its
``OSError``, and what the protocol forbids *us*
:class:`~dlms.errors.LocalProtocolError`: then nothing has been sent. Key octets are in none of
their messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlms.client.refusals import (
    AccessRefused,
    AssociationRejected,
    MeterRefusal,
    ServiceException,
    ServiceFailed,
)
from dlms.errors import (
    CodecError,
    DlmsError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
)
from dlms.security.counters import CounterRefused
from dlms.security.ops import KeyUnavailable, VerificationFailed
from dlms.words import word
from dlms.xdlms.codes import ActionResult, DataAccessResult, ErrorClass
from emulator.channel import ChannelClosed

IN_WORDS = {
    "HARDWARE_FAULT": "a fault of the hardware",
    "TEMPORARY_FAILURE": "it cannot be done now; it may be later",
    "READ_WRITE_DENIED": "this association has no right to do that",
    "OBJECT_UNDEFINED": "there is no such object for this association",
    "OBJECT_CLASS_INCONSISTENT": "the object is of another class",
    "OBJECT_UNAVAILABLE": "the object is there, but not available",
    "TYPE_UNMATCHED": "the value has another type than the meter wants",
    "SCOPE_OF_ACCESS_VIOLATED": "more, or another part, than may be had",
    "DATA_BLOCK_UNAVAILABLE": "the next block cannot be had",
    "LONG_GET_ABORTED": "the meter gave up a transfer in blocks",
    "NO_LONG_GET_IN_PROGRESS": "there is no transfer in blocks to go on with",
    "LONG_SET_ABORTED": "the meter gave up a transfer in blocks",
    "NO_LONG_SET_IN_PROGRESS": "there is no transfer in blocks to go on with",
    "LONG_ACTION_ABORTED": "the meter gave up a transfer in blocks",
    "NO_LONG_ACTION_IN_PROGRESS": "there is no transfer in blocks to go on with",
    "DATA_BLOCK_NUMBER_INVALID": "the block has not the number it should have",
    "OTHER_REASON": "the meter does not say why",
}
"""Data-Access-Result and Action-Result (GB Ed. 8, 9.3.6, 9.3.8) by name, as clauses."""

_EXCEPTIONS_IN_WORDS = {
    "OPERATION_NOT_POSSIBLE": "the operation is not possible",
    "SERVICE_NOT_SUPPORTED": "there is no such service here, or no association",
    "OTHER_REASON": "the meter does not say why",
    "PDU_TOO_LONG": "the answer is longer than was agreed on, and cannot be cut",
    "DECIPHERING_ERROR": "the meter could not decipher the request: another key, or title",
    "INVOCATION_COUNTER_ERROR": "the invocation counter is too low for the meter",
}
"""Service errors of an ExceptionResponse (GB Ed. 8, 9.5)."""

_SERVICE_ERRORS_IN_WORDS = {
    (ErrorClass.SERVICE, 0): "the meter does not say why",
    (ErrorClass.SERVICE, 1): _EXCEPTIONS_IN_WORDS["PDU_TOO_LONG"],
    (ErrorClass.SERVICE, 2): _EXCEPTIONS_IN_WORDS["SERVICE_NOT_SUPPORTED"],
    (ErrorClass.ACCESS, 1): "more, or less protected, than may be had",
    (ErrorClass.APPLICATION_REFERENCE, 6): (
        "the meter could not decipher the request: another key or title, or a counter too low"
    ),
}
"""Errors of a ConfirmedServiceError (GB Ed. 8, 9.5) by class and value: those that meters use."""


class ClientError(DlmsError):
    """Base of what the client raises."""


class UnknownObject(ClientError, LookupError):
    """A name, object, attribute or method that is not known, here or to the meter."""


class Refused(ClientError, MeterRefusal):
    """The meter said no to ``subject``.

    ``result`` is its Data-Access-Result or Action-Result; ``None`` if it refused the APDU as a
    whole.
    """

    def __init__(
        self,
        subject: str,
        why: str,
        result: DataAccessResult | ActionResult | None = None,
    ) -> None:
        super().__init__(f"{subject}: {why}" if subject else why)
        self.subject = subject
        self.result = result

    @classmethod
    def by_result(cls, subject: str, result: DataAccessResult | ActionResult) -> Refused:
        return cls(subject, f"{word(result)}: {IN_WORDS[result.name]}", result)


class NotAssociated(Refused):
    """The meter does not let us in."""


class AnswerTimeout(ClientError, TimeoutError):
    """The meter did not answer in time. The association is lost with it."""


class NothingSaid(ClientError, TimeoutError):
    """The meter has said nothing unasked in the time that was given. The association goes on."""


class AssociationLost(ClientError, ConnectionError):
    """The association cannot be used any more: make a new one, on a new connection.

    So it is once a request was broken off: whether the meter carried it out is not known, its late
    answer must not pass for that to another request, and its invocation counter is spent.
    """


class MeterFault(ClientError, ProtocolError):
    """The meter broke the protocol, or a message that should be its own did not verify."""


@contextmanager
def telling(subject: str) -> Iterator[None]:
    """Say what goes wrong inside in the words of this module: ``subject`` is what was wanted."""
    try:
        yield
    except (ClientError, LocalProtocolError):
        raise
    except AccessRefused as error:
        raise Refused.by_result(subject, error.result) from error
    except AssociationRejected as error:
        raise NotAssociated(subject, str(error)) from error
    except ServiceException as error:
        code = error.exception.service_error
        why = f"{word(code)}: {_EXCEPTIONS_IN_WORDS[code.name]}"
        raise Refused(subject, f"exception, {why}") from error
    except ServiceFailed as error:
        failure = error.error
        why = f"service error, {word(failure.error_class)} {failure.value}"
        words = _SERVICE_ERRORS_IN_WORDS.get((failure.error_class, failure.value))
        raise Refused(subject, f"{why}: {words}" if words else why) from error
    except MeterRefusal as error:
        raise Refused(subject, str(error)) from error
    except TimeoutError as error:
        raise AnswerTimeout(f"{subject}: no answer in time; the association is lost") from error
    except ChannelClosed as error:
        raise AssociationLost(f"{subject}: {error}") from error
    except (RemoteProtocolError, CodecError, CounterRefused, VerificationFailed) as error:
        raise MeterFault(f"{subject}: {error}") from error
    except KeyUnavailable as error:
        raise LocalProtocolError(f"{subject}: {error}") from error
