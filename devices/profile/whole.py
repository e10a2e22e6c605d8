"""What only the whole profile shows: rows that are right each by itself but not together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from devices.profile import words
from devices.profile.model import ROLES, AssociationRow, ObjectRow, Profile
from devices.profile.place import Place, Problems
from devices.profile.table import near
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import enum
from dlms.cosem import classes, obis

_MAX_NAME = 16
"""Octets of a logical device name (Blue Book 4.1.8.2)."""

_TOKEN_CREDIT = enum(0)
_WITH_SINGLE_KEYS = 2
_VALUES = (classes.DATA.class_id, classes.REGISTER.class_id)
"""Whose value the role of a plug-in computes."""
_SN = classes.ASSOCIATION_SN.class_id
_WITH_BITS = ((_SN, 4), (classes.ASSOCIATION_LN.class_id, 3))
"""Class and version of association objects that show rights as bits."""
_BLOCK_SIZES = range(16, 4097)
"""Octets of a block: smaller ones are all overhead, larger ones fit no PDU of ours."""
_MAX_BLOCKS = 1 << 16
"""Blocks of an image, and bits of a bit-string that clients ask for again and again."""
_OF_GAS = ("gas-volume", "gas-converted-volume", "gas-energy")
_MAX_STEP = 10**6
_MAX_FACTOR = 2**20 - 1
"""Of a factor of gas: sums of a hundred years fit 64 bits."""
_NEEDS_CREDIT = (classes.ACCOUNT, classes.TOKEN_GATEWAY)


def check(profile: Profile, place: Place) -> None:
    """:class:`ProfileError` if rows contradict each other, or one needs another that is not."""
    problems = Problems()
    with problems.collected():
        _check_name(profile, place.at("identity").at("ldn"))
    rows = profile.associations.values()
    where = place.at("associations")
    with problems.collected():
        _distinct(((row, row.config.client_sap) for row in rows), "client_sap", where)
    with problems.collected():
        setups = ((row, row.security_setup) for row in rows if row.security_setup is not None)
        _distinct(setups, "security_setup", where)
    for association in rows:
        with problems.collected():
            _check_single_key(association, profile, where)
    for row in profile.objects.values():
        with problems.collected():
            _check_object(row, profile, place.at("objects").at(obis.text(row.instance)))
    for association in rows:
        with problems.collected():
            _check_codes(association, profile, place)
    problems.settle()


def _check_name(profile: Profile, place: Place) -> None:
    try:
        name = profile.logical_device_name(1)
    except (ValueError, LookupError, AttributeError) as error:
        raise place.error(f"is not a format of flag and serial: {error!r}") from None
    if len(name) > _MAX_NAME:
        raise place.error(f"{len(name)} octets; a logical device name has {_MAX_NAME} at most")


def _distinct(rows: Iterable[tuple[AssociationRow, Hashable]], key: str, place: Place) -> None:
    seen: dict[Hashable, str] = {}
    for row, value in rows:
        if value in seen:
            raise place.at(row.name).at(key).error(f"{value} is that of {seen[value]}")
        seen[value] = row.name


def _check_single_key(row: AssociationRow, profile: Profile, where: Place) -> None:
    """Keys for a single association are what excepts Category 2 alone (letter, 7 (c)(iii))."""
    if row.single_key and profile.category != _WITH_SINGLE_KEYS:
        raise (
            where.at(row.name)
            .at("authentication_key")
            .error("keys for a single association are for meters of Category 2")
        )


def _check_object(row: ObjectRow, profile: Profile, place: Place) -> None:
    role, _, scope = row.role.partition(" ")
    known = ROLES.keys() | words.ROLES.keys()
    if role and role not in known:
        hint = near(role, known)
        names = ", ".join(sorted(known))
        raise place.at("role").error(f"{role!r} is unknown{hint}; known are {names}")
    of = ROLES.get(role, _VALUES)
    if role and row.interface_class.class_id not in of:
        names = " or ".join(classes.BY_ID[number].name for number in of)
        raise place.at("role").error(f"{role!r} is for {names}, not {row.interface_class.name}")
    if role == "invocation-counter" and scope not in profile.associations:
        raise place.at("role").error(f"there is no association {scope!r}")
    if role == "import-energy-rate" and not (scope.isdecimal() and int(scope) < 256):
        raise place.at("role").error("needs the number of its rate, as in 'import-energy-rate 1'")
    if role in _OF_GAS:
        _check_gas(row, profile, place)
    if row.interface_class.class_id == classes.SECURITY_SETUP.class_id:
        number = row.instance[4]
        if all(found.security_setup != number for found in profile.associations.values()):
            raise place.error(f"no association has security_setup {number}")
    if row.interface_class is classes.IMAGE_TRANSFER:
        _check_image_transfer(row, profile, place)
    if row.interface_class in _NEEDS_CREDIT and not _has_token_credit(profile):
        raise place.error("needs a Credit of type 0, the token credit")


def _check_gas(row: ObjectRow, profile: Profile, place: Place) -> None:
    """Steps of a register, and the factors that it is computed from."""
    role, _, scope = row.role.partition(" ")
    if scope and not (scope.isdecimal() and 0 < int(scope) <= _MAX_STEP):
        raise place.at("role").error("needs how many dm3 or Wh it counts in, as in 'gas-volume 10'")
    if role == "gas-volume":
        return
    for wanted in ("conversion-factor", "calorific-value"):
        found = [one for one in profile.objects.values() if one.role == wanted]
        if len(found) != 1:
            raise place.at("role").error(f"needs one object with the role {wanted!r}")
        value = found[0].values.get(2)
        if value is None or not isinstance(value.value, int) or not 0 < value.value <= _MAX_FACTOR:
            raise place.at("role").error(f"{wanted}: value is from 1 to {_MAX_FACTOR}")


def _check_image_transfer(row: ObjectRow, profile: Profile, place: Place) -> None:
    """A meter has one place for an image, whose blocks are counted in a bit-string."""
    others = (one.interface_class is row.interface_class for one in profile.objects.values())
    if sum(others) > 1:
        raise place.error("there is one Image transfer at the most")
    size = row.values.get(2)
    if size is None or not isinstance(size.value, int) or size.value not in _BLOCK_SIZES:
        low, high = _BLOCK_SIZES.start, _BLOCK_SIZES.stop - 1
        raise place.at("values").at("2").error(f"image_block_size is from {low} to {high}")
    if profile.habits.image_max_size > size.value * _MAX_BLOCKS:
        raise place.at("values").at("2").error(f"an image has {_MAX_BLOCKS} blocks at the most")


def _check_codes(association: AssociationRow, profile: Profile, place: Place) -> None:
    """Rights that the association object cannot show would not be what it says (X_ACL)."""
    objects = profile.objects_of(association)
    own = objects.get(CURRENT_ASSOCIATION)
    if association.config.short_names and (own is None or own.interface_class.class_id != _SN):
        raise place.at("short_name_objects").error("the current association is missing")
    if own is None or own.interface_class[:2] in _WITH_BITS:
        return
    for row in objects.values():
        rights = row.rights.get(association.name)
        if rights is None:
            continue
        every = (*rights.attributes.values(), *rights.invocable.values())
        if not all(access.simple for access in every):
            where = place.at("objects").at(obis.text(row.instance)).at("rights")
            version = own.interface_class.version
            raise where.at(association.name).error(
                f"{own.interface_class.name} version {version} has no code for this"
            )


def _has_token_credit(profile: Profile) -> bool:
    return any(
        row.interface_class is classes.CREDIT and row.values.get(3) == _TOKEN_CREDIT
        for row in profile.objects.values()
    )
