"""Who has installed a meter: a supplier's own system, before the meter is enrolled with the DCC.

Such a meter leaves the supplier's hands with keys that come from the supplier's secret, with the
supplier's system as the client of every association, and with the supplier's authority among those
whose clients it lets in by TLS. How real meters were set up by suppliers is not public: assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.meter import Meter
from tls.credentials import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """``title`` is the system title of its client, ``secrets`` those of the scopes that are its
    own; the others come from the maker's fleet secret.
    """

    name: str
    title: bytes
    roots_pem: bytes
    secrets: Mapping[str, bytes] = field(repr=False)

    def titles(self) -> dict[str, bytes]:
        """The titles that the meter is made with, by association."""
        return dict.fromkeys(self.secrets, self.title)

    def is_client_of(self, meter: Meter) -> bool:
        """Whether it is still registered for any association."""
        rows = meter.profile.associations.values()
        return any(meter.client_title(row.name) == self.title for row in rows)


def trust_of(meter: Meter, own: Trust, installer: Installer | None) -> Trust:
    """Whose clients the meter lets in by TLS: those of its maker's authority, among which the DCC's
    are, and the supplier's as long as that is the client of any association.
    """
    if installer is None or not installer.is_client_of(meter):
        return own
    return Trust(roots_pem=own.roots_pem + installer.roots_pem, crl_pem=own.crl_pem)
