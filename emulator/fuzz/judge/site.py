"""What is known of a meter before anything is done: its associations, by the clients of a run."""

from __future__ import annotations

from devices.profile.model import AssociationRow
from dlms.association.knobs import Knobs
from dlms.security.control import Protection
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.meter import SERIAL
from emulator.fuzz.in_process.world import compiled, turned
from emulator.fuzz.setting import Setting
from emulator.provisioning import client_title


class Site:
    """The profile is what the meter says of itself; whether it is like that is what is judged."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.profile = compiled(setting.profile)
        self._knobs: dict[str, Knobs] = {}

    def kind(self, client: str) -> ClientKind:
        return self.setting.clients.get(client) or ClientKind(association=client)

    @property
    def hands_keys_over(self) -> bool:
        """Whether an association of a client has keys for itself alone: such a key ends behind any
        answer to anybody, and what the meter remembers has then changed.
        """
        rows = map(self.row, self.setting.clients or ("dco", "s1sp"))
        return any(row is not None and row.single_key for row in rows)

    @property
    def clients(self) -> tuple[str, ...]:
        """Those of the run; by default both hands."""
        return tuple(self.setting.clients) or tuple(
            name for name in ("dco", "s1sp") if name in self.profile.associations
        )

    def is_ordinary(self, client: str) -> bool:
        """Whether it is a client as any: guarded, by the global keys and f(StoC) of mechanism 5,
        with nothing odd about it.
        """
        row, kind = self.row(client), self.kind(client)
        if row is None or not self.is_guarded(client) or row.single_key:
            return False
        if kind.title is not None or kind.channel_title is not None or kind.knobs:
            return False
        return row.config.mechanism.name == "HLS_GMAC"

    def says_names(self, client: str) -> bool:
        """Whether it asks by logical names."""
        row = self.row(client)
        return row is not None and not row.config.short_names

    def scope(self, client: str) -> str:
        """The association that the client is for."""
        return self.kind(client).association

    def row(self, client: str) -> AssociationRow | None:
        return self.profile.associations.get(self.scope(client))

    def title(self, client: str) -> bytes:
        """The system title that is registered for who is there."""
        row = self.row(client)
        return b"" if row is None else client_title(row, {})

    @property
    def meter_title(self) -> bytes:
        return self.profile.system_title(SERIAL)

    def knobs(self, association: str) -> Knobs:
        """How the meter is to behave there, with what the run has turned."""
        if association not in self._knobs:
            row = self.profile.associations[association]
            changes = self.setting.knobs.get(association, {})
            self._knobs[association] = turned(row.config.knobs, changes)
        return self._knobs[association]

    def is_guarded(self, client: str) -> bool:
        """Whether nothing that the client says may be taken without a tag that is right: HLS, with
        a policy that asks every request for authentication, and a client that gives it.
        """
        row, kind = self.row(client), self.kind(client)
        if row is None or row.config.pre_established or row.config.broadcast:
            return False
        config, own = row.config, kind.protection
        return (
            config.context.ciphered
            and config.mechanism.is_hls
            and bool(config.policy & Protection.AUTHENTICATED)
            and (own is None or bool(own & Protection.AUTHENTICATED))
        )
