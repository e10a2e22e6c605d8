"""The dialogues of a client with a meter that goes by short names (GB Ed. 8, 9.3.13 to 9.3.16).

A short name is that of an attribute or of a method (Blue Book 4.1.3). With a parameter it is a part
of the attribute; a method has its parameter so where it returns something, which is then a Read,
and in the data of a Write where it does not. ACTION and Data-Access-Result share their codes.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlms.association.naming import ANSWERS_BY_SHORT_NAME
from dlms.axdr.data import NULL, Data
from dlms.client.associating import Associating
from dlms.client.effects import Dialogue
from dlms.client.refusals import AccessRefused
from dlms.transfer.names_client import NameStep, exchange_names
from dlms.transfer.names_contents import NameResponse
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import ParameterizedAccess, VariableAccess, VariableName
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

_NO_SELECTOR = 0
"""A method has a parameter and nothing to select."""


def named(name: int, selection: SelectiveAccess | None = None) -> VariableAccess:
    """How a request says which attribute, or which part of it, is meant."""
    if selection is None:
        return VariableName(name=name)
    return ParameterizedAccess(
        name=name, selector=selection.selector, parameter=selection.parameters
    )


class ShortNameDialogues(Associating):
    """The dialogues possible on one association with short names, one at a time."""

    def read(self, name: int, selection: SelectiveAccess | None = None) -> Dialogue[Data]:
        """Read an attribute. :class:`AccessRefused` if the meter does not give it."""
        (result,) = yield from self.read_list([named(name, selection)])
        if isinstance(result, DataAccessResult):
            raise AccessRefused("read", result)
        return result

    def write(
        self, name: int, value: Data, selection: SelectiveAccess | None = None
    ) -> Dialogue[None]:
        """Write an attribute. :class:`AccessRefused` if the meter does not take it."""
        (result,) = yield from self.write_list([named(name, selection)], [value])
        if result is not DataAccessResult.SUCCESS:
            raise AccessRefused("write", result)

    def act(self, name: int, parameter: Data | None, *, returns: bool) -> Dialogue[Data | None]:
        """Invoke a method; gives what it ``returns``, if it does, else ``None``.

        :class:`AccessRefused` if it failed.
        """
        if not returns:
            value = NULL if parameter is None else parameter
            (result,) = yield from self.write_list([VariableName(name=name)], [value])
            if result is not DataAccessResult.SUCCESS:
                raise AccessRefused("action", result)
            return None
        selection = None if parameter is None else SelectiveAccess(_NO_SELECTOR, parameter)
        (returned,) = yield from self.read_list([named(name, selection)])
        if isinstance(returned, DataAccessResult):
            raise AccessRefused("action", returned)
        return None if returned == NULL else returned

    def read_list(
        self, items: Sequence[VariableAccess]
    ) -> Dialogue[tuple[Data | DataAccessResult, ...]]:
        """Read several at once, in their order; each has its value, or the reason why not."""
        response = yield from self._carry(ReadRequest(tuple(items)))
        assert isinstance(response, ReadResponse)
        return tuple(
            result for result in response.results if isinstance(result, Data | DataAccessResult)
        )

    def write_list(
        self, items: Sequence[VariableAccess], values: Sequence[Data]
    ) -> Dialogue[tuple[DataAccessResult, ...]]:
        """Write several at once, in their order; each has its own result."""
        response = yield from self._carry(WriteRequest(tuple(items), tuple(values)))
        assert isinstance(response, WriteResponse)
        return tuple(result for result in response.results if isinstance(result, DataAccessResult))

    def write_unconfirmed(
        self, items: Sequence[VariableAccess], values: Sequence[Data]
    ) -> Dialogue[None]:
        """Write, and nobody says what became of it. There are no blocks for it."""
        yield from self.talk.post(UnconfirmedWriteRequest(tuple(items), tuple(values)))

    def _carry(self, request: NameStep) -> Dialogue[NameResponse]:
        """Carry a request over, in blocks where it must be."""
        association = self.talk.association
        transfer = exchange_names(
            request,
            association.room,
            association.conformance,
            whole=association.carrier.negotiated,
        )
        return (yield from self.talk.carry(transfer, ANSWERS_BY_SHORT_NAME))
