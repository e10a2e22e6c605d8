"""A meter of a manufacturer that does two things no profile can say.

* The value of an object is computed: the outside temperature, with the role ``temperature``.
* A class of its own, 8200 ``Acme beeper``, has a method that counts how often it has beeped.

``cosemlab profiles`` lists the meter once this is installed, and ``cosemlab up acme`` runs it.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, number
from devices.plugins import Knob
from dlms.axdr.data import Data, long, long_unsigned
from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import LONG_UNSIGNED

PROFILE = """\
extends = "secure"
name = "acme"

[identity]
manufacturer = { value = "Acme", assumed = "an example, not a manufacturer" }
model = { value = "Thermo 1", assumed = "an example, not a product" }
flag_id = { value = "ACM", assumed = "an example" }

[plugins.acme]
mean = 12

[objects."0-0:96.9.0.255"]
class = "Register"
role = "temperature"
values.3 = { structure = [{ integer = -1 }, { enum = 9 }] }
rights.public = "r"
rights.s1sp = "r"
assumed = "the temperature outside, in tenths of a degree"

[objects."0-0:128.0.0.255"]
class = "Acme beeper"
values.2 = { long-unsigned = 0 }
rights.public = "r"
rights.s1sp = "r m1"
assumed = "so that somebody finds the meter in a dark cupboard"
"""

_DAY = 86400
BEEPER = InterfaceClass(
    8200, 0, "Acme beeper", (Attribute(2, "count", LONG_UNSIGNED),), (Method(1, "beep"),)
)


def temperature(call: Call) -> Data:
    """In tenths of a degree, coldest at midnight: a function of the true time and the meter."""
    mean = call.device.profile.knobs["acme"]["mean"]
    assert isinstance(mean, int)
    phase = call.now.timestamp() % _DAY / _DAY
    own = call.device.seed % 10  # one meter stands in the sun, another does not
    return long(10 * mean + own - round(50 * math.cos(2 * math.pi * phase)))


def beep(call: Call, parameter: Data) -> Outcome:
    call.device.store(call.row, 2, long_unsigned((number(call, 2) + 1) & 0xFFFF))
    return SUCCESS


PLUGIN = SimpleNamespace(
    profiles={"acme": PROFILE},
    classes=(BEEPER,),
    behaviours={BEEPER.class_id: Behaviour(invoke={1: beep})},
    roles={"temperature": temperature},
    knobs={"mean": Knob(10, "the mean temperature of the place, in degrees")},
)
