"""Settings that are worth a hunt: what meters have, and where the books leave a choice."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.world import compiled
from emulator.fuzz.setting import Setting

_DCO = ClientKind(association="dco")
_HANDS = {"dco": _DCO, "s1sp": ClientKind(association="s1sp")}

_LABORATORY: Mapping[str, Setting] = {
    "two hands": Setting(clients=_HANDS),
    "tokens": Setting(profile="secure", clients=_HANDS, alive="dco"),
    "shared": Setting(clients={"dco": _DCO, "b": ClientKind(association="dco", shares="dco")}),
    "dedicated": Setting(
        clients={"dco": _DCO, "d": ClientKind(association="dco", shares="dco", dedicated=True)}
    ),
    "suites 1 and 2": Setting(
        clients={
            "suite1": ClientKind(association="suite1"),
            "suite2": ClientKind(association="suite2"),
        },
        alive="suite1",
    ),
    "signatures": Setting(
        clients={"ecdsa1": ClientKind(association="ecdsa1"), "dco": _DCO}, alive="dco"
    ),
    "secrets": Setting(
        clients={
            "sha256": ClientKind(association="sha256"),
            "graded": ClientKind(association="graded"),
        },
        alive="sha256",
    ),
    "legacy": Setting(
        clients={"legacy": ClientKind(association="legacy"), "dco": _DCO}, alive="legacy"
    ),
    "next association": Setting(
        clients={"dco": _DCO, "b": ClientKind(association="dco", shares="dco")},
        knobs={"dco": {"key_in_force": "NEXT_ASSOCIATION", "inner_counter": "IGNORE"}},
    ),
    "strict": Setting(
        clients={"dco": _DCO, "d": ClientKind(association="dco", shares="dco", dedicated=True)},
        knobs={
            "dco": {
                "inner_counter": "STRICT",
                "max_forward_jump": 1000,
                "dedicated_demanded": True,
                "exception_codes": "NO_COUNTER",
                "plain_request_accepted": False,
                "aarq_in_association": "REJECT",
            }
        },
    ),
    "keys of one association": Setting(profile="honeywell_elster", clients=_HANDS, alive="dco"),
    "short names": Setting(
        clients={"sn": ClientKind(association="sn_ciphered"), "dco": _DCO}, alive="sn_ciphered"
    ),
    "channels": Setting(clients={"tls": _DCO, "s1sp": ClientKind(association="s1sp")}, alive=""),
}


def settings(profile: str = "laboratory") -> Mapping[str, Setting]:
    """By name, those of a profile. The laboratory takes no tokens, so meters that do stand in
    among its own. Another profile has one: both hands, with tokens where it takes them.
    """
    if profile == "laboratory":
        return _LABORATORY
    rows = compiled(profile).associations
    names: list[str] = [name for name in ("dco", "s1sp") if name in rows]
    hands = {name: ClientKind(association=name) for name in names}
    return {"two hands": Setting(profile=profile, clients=hands, alive=next(iter(hands), ""))}
