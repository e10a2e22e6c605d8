"""One meter without a network: requests go straight to it, its cryptography is at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from devices.answering.asking import Answerable
from devices.device import Device
from devices.profile import Profile, load, load_text
from devices.profile.model import AssociationRow
from devices.token import make_token
from dlms.axdr.data import Data, array, enum, octet_string, structure
from dlms.cosem import obis
from dlms.security.control import Protection
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoOp
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest, SetResponse
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import Fleet, anchors, provision

FLEET_SECRET = bytes(range(0x40, 0x60))
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
INVOKE = 0x41


class Bench:
    """A meter on the bench. ``now`` is true time and stands still unless a test moves it."""

    def __init__(
        self, profile: Profile, serial: int, client_titles: dict[str, bytes] | None = None
    ) -> None:
        self.profile = profile
        self.device = Device(profile, serial, client_titles=client_titles)
        self.ring = KeyRing(FLEET_SECRET, suites_of(profile))
        self.module = SoftwareModule(self.ring)
        self.operations: list[CryptoOp] = []
        self.now = NOON

    def execute(self, op: CryptoOp) -> Any:
        self.operations.append(op)
        return self.module.execute(op)

    def association(self, name: str) -> AssociationRow:
        return self.profile.associations[name]

    def class_of(self, code: str) -> int:
        return self.profile.objects[obis.parse(code)].interface_class.class_id

    def get(
        self,
        code: str,
        attribute: int,
        association: str = "dco",
        *,
        selection: SelectiveAccess | None = None,
        class_id: int | None = None,
    ) -> Data | DataAccessResult:
        class_id = self.class_of(code) if class_id is None else class_id
        what = AttributeDescriptor(class_id, obis.parse(code), attribute)
        request = GetRequest(INVOKE, what, selection)
        response = run(
            self.device.handle(request, self.association(association), self.now), self.execute
        )
        assert isinstance(response, GetResponse)
        assert response.invoke == INVOKE
        return response.result

    def value(self, code: str, attribute: int, association: str = "dco") -> Any:
        result = self.get(code, attribute, association)
        assert isinstance(result, Data), result
        return result.value

    def set(
        self,
        code: str,
        attribute: int,
        value: Data,
        association: str = "dco",
        *,
        selection: SelectiveAccess | None = None,
        class_id: int | None = None,
    ) -> DataAccessResult:
        class_id = self.class_of(code) if class_id is None else class_id
        what = AttributeDescriptor(class_id, obis.parse(code), attribute)
        request = SetRequest(INVOKE, what, value, selection)
        response = run(
            self.device.handle(request, self.association(association), self.now), self.execute
        )
        assert isinstance(response, SetResponse)
        assert response.invoke == INVOKE
        return response.result

    def act(
        self,
        code: str,
        method: int,
        parameter: Data | None,
        association: str = "dco",
        *,
        class_id: int | None = None,
    ) -> ActionResult:
        class_id = self.class_of(code) if class_id is None else class_id
        what = MethodDescriptor(class_id, obis.parse(code), method)
        response = self._act(what, parameter, association)
        assert response.returned is None
        return response.result

    def invoke(
        self, code: str, method: int, parameter: Data | None, association: str = "dco"
    ) -> ActionResponse:
        """A method that may return something."""
        what = MethodDescriptor(self.class_of(code), obis.parse(code), method)
        return self._act(what, parameter, association)

    def _act(
        self, what: MethodDescriptor, parameter: Data | None, association: str
    ) -> ActionResponse:
        response = run(
            self.device.handle(
                ActionRequest(INVOKE, what, parameter), self.association(association), self.now
            ),
            self.execute,
        )
        assert isinstance(response, ActionResponse)
        assert response.invoke == INVOKE
        return response

    def handle(
        self,
        request: Answerable,
        association: str = "dco",
        protection: Protection = Protection.NONE,
        user: int | None = None,
    ) -> Any:
        """The response to any request."""
        row = self.association(association)
        return run(self.device.handle(request, row, self.now, protection, user), self.execute)

    def digest(self) -> bytes:
        return self.device.state.digest()

    def token(self, pence: int, counter: int) -> str:
        key = self.device.key("prepayment", KeyKind.TOKEN)
        return run(make_token(pence, counter, key, self.device.title), self.module.execute)

    def wrapped(self, scope: str, key: bytes, kek: bytes | None = None) -> bytes:
        """``key`` under the master key of a scope, or under ``kek``."""
        return aes_key_wrap(kek or self.ring.get(self.device.key(scope, KeyKind.KEK)), key)

    def transfer(self, scope: str, *keys: tuple[int, bytes]) -> Data:
        """The parameter of global_key_transfer: key ids with the keys in the clear."""
        return array(
            *(structure(enum(n), octet_string(self.wrapped(scope, key))) for n, key in keys)
        )


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., Bench]:
    """Give a fresh meter: of a profile of the package, or of one extended by TOML text."""
    profiles: dict[tuple[str, str], Profile] = {}

    def make(
        name: str = "secure",
        extra: str = "",
        *,
        serial: int = 7,
        client_titles: dict[str, bytes] | None = None,
    ) -> Bench:
        if (name, extra) not in profiles:
            text = f'extends = "{name}"\nname = "test"\n{extra}'
            profiles[name, extra] = load_text(text, "test.toml") if extra else load(name)
        return Bench(profiles[name, extra], serial, client_titles)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def fleet() -> Fleet:
    """The authorities of the meters on the bench."""
    return Fleet(FLEET_SECRET)


@pytest.fixture(scope="session")
def provisioned(make_bench: Callable[..., Bench], fleet: Fleet) -> dict[str, Any]:
    """What the laboratory meter on the bench leaves the factory with."""
    bench = make_bench("laboratory")
    return provision(bench.profile, bench.device.serial, bench.ring, fleet, {}, NOON)


@pytest.fixture
def laboratory(
    make_bench: Callable[..., Bench], provisioned: dict[str, Any], fleet: Fleet
) -> Bench:
    """The laboratory meter as a sandbox has it, with certificates."""
    bench = make_bench("laboratory")
    bench.device.anchors = anchors(bench.profile, fleet, NOON)
    bench.device.state.certificates.update(provisioned)
    return bench
