"""Layers of DLMS/COSEM for scapy: wrapper, HDLC, ACSE, xDLMS, ciphered APDUs (extra ``scapy``).

Scapy is GPL-2.0; this folder is only of use together with it. Nothing else of the package needs it,
and whoever imports this does it where it is used.
"""

from __future__ import annotations

import sys

from emulator.decoding.quiet import quiet

with quiet():
    from scapy.config import conf
    from scapy.packet import Packet

    from emulator.scapy_layers import (
        access,
        acse,
        ciphered,
        context,
        data,
        descriptors,
        hdlc,
        hdlc_control,
        names,
        services,
        wrapper,
    )
    from emulator.scapy_layers.apdu import Apdu
    from emulator.scapy_layers.keys import use_keys
    from emulator.scapy_layers.seeds import seeds
    from emulator.scapy_layers.wrapper import bind_hdlc, bind_wrapper

_MODULES = (
    wrapper, hdlc, hdlc_control, acse, context, services, access, names, ciphered, descriptors,
    data,
)  # fmt: skip
_FOUND = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type)
    and issubclass(value, Packet)
    and value.__module__ == module.__name__
    and getattr(value, "fields_desc", None)
}
globals().update(_FOUND)
NAME = "cosem"
"""What ``explore`` and ``load_contrib`` call these layers, once they are imported."""

_AS_CONTRIB = f"scapy.contrib.{NAME}"
sys.modules[_AS_CONTRIB] = sys.modules[__name__]  # both look nowhere else
conf.layers.ldict[_AS_CONTRIB] = [Apdu, *_FOUND.values()]

__all__ = [
    "Apdu",
    "bind_hdlc",
    "bind_wrapper",
    "seeds",
    "use_keys",
    *_FOUND,
]
