"""Security setup, class 64, versions 0 and 1 (Blue Book 4.4.7).

- :mod:`~devices.objects.security_setup.about`  which association a Security setup is about
- :mod:`~devices.objects.security_setup.policy`  what messages need
- :mod:`~devices.objects.security_setup.registering`  another client takes the association over
- :mod:`~devices.objects.security_setup.global_keys`  how global keys are replaced, all or none;
  :mod:`~devices.objects.security_setup.key_transfer` and
  :mod:`~devices.objects.security_setup.key_agreement` get the new ones
- :mod:`~devices.objects.security_setup.key_pairs`  private keys that are made in the meter
- :mod:`~devices.objects.security_setup.importing` and
  :mod:`~devices.objects.security_setup.exporting`  certificates in, and out

Whatever is wrong with a parameter beyond its type, or fails in the Cryptographic Module, is
refused with other-reason and changes nothing.
"""

from __future__ import annotations

from devices.objects.behaviour import Behaviour, computed
from devices.objects.security_setup import (
    about,
    exporting,
    importing,
    key_agreement,
    key_pairs,
    key_transfer,
    policy,
    registering,
)
from dlms.axdr.data import enum, octet_string

BEHAVIOUR = Behaviour(
    read={
        2: computed(policy.shown),
        3: computed(lambda call: enum(about.row(call).config.suite)),
        4: computed(about.client_title),
        5: computed(lambda call: octet_string(call.device.title)),
        6: computed(exporting.shown),
    },
    write={4: registering.register},
    invoke={
        1: policy.activate,
        2: key_transfer.transfer,
        3: key_agreement.agree,
        4: key_pairs.generate,
        5: key_pairs.request,
        6: importing.take,
        7: exporting.give,
        8: exporting.remove,
    },
)
