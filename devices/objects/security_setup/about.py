"""Which association a Security setup is about, and what all its methods ask of that."""

from __future__ import annotations

from devices.certificates import StoredCertificate
from devices.objects.behaviour import Call, Outcome
from devices.profile.model import AssociationRow
from dlms.axdr.data import Data, octet_string
from dlms.security.suites import SUITES, Suite
from dlms.xdlms.codes import ActionResult

REFUSED = Outcome(ActionResult.OTHER_REASON)


def row(call: Call) -> AssociationRow:
    """The association whose keys it holds: that of its instance number, whoever calls."""
    number = call.row.instance[4]
    rows = call.device.profile.associations.values()
    return next(one for one in rows if one.security_setup == number)


def scope(call: Call) -> str:
    return row(call).name


def suite(call: Call) -> Suite:
    return SUITES[row(call).config.suite]


def client_title(call: Call) -> Data:
    return octet_string(call.device.client_title(scope(call)) or b"")


def certificates(call: Call) -> tuple[StoredCertificate, ...]:
    """Those that it holds, without the anchors."""
    return call.device.state.certificates.get(scope(call), ())


def anchors(call: Call) -> tuple[StoredCertificate, ...]:
    return call.device.anchors_of(row(call))
