"""Which behaviour each interface class has."""

from __future__ import annotations

from devices.objects import (
    account,
    activity_calendar,
    association_ln,
    association_sn,
    charge,
    clock,
    demand_register,
    disconnect_control,
    image_transfer,
    profile_generic,
    push_setup,
    roles,
    security_setup,
    tariffs,
    token_gateway,
)
from devices.objects.behaviour import Behaviour
from dlms.cosem import classes

# A class without a behaviour of its own shows what is stored and has no method to invoke.
BEHAVIOURS: dict[int, Behaviour] = {row.class_id: Behaviour() for row in classes.ALL} | {
    classes.DATA.class_id: roles.DATA,
    classes.REGISTER.class_id: roles.REGISTER,
    classes.EXTENDED_REGISTER.class_id: demand_register.EXTENDED_REGISTER,
    classes.DEMAND_REGISTER.class_id: demand_register.DEMAND_REGISTER,
    classes.PROFILE_GENERIC.class_id: profile_generic.BEHAVIOUR,
    classes.CLOCK.class_id: clock.BEHAVIOUR,
    classes.ASSOCIATION_SN.class_id: association_sn.BEHAVIOUR,
    classes.ASSOCIATION_LN.class_id: association_ln.BEHAVIOUR,
    classes.SAP_ASSIGNMENT.class_id: association_ln.SAP_ASSIGNMENT,
    classes.IMAGE_TRANSFER.class_id: image_transfer.BEHAVIOUR,
    classes.PUSH_SETUP.class_id: push_setup.BEHAVIOUR,
    classes.SECURITY_SETUP.class_id: security_setup.BEHAVIOUR,
    classes.DISCONNECT_CONTROL.class_id: disconnect_control.BEHAVIOUR,
    classes.ACCOUNT.class_id: account.ACCOUNT,
    classes.CREDIT.class_id: account.CREDIT,
    classes.CHARGE.class_id: charge.BEHAVIOUR,
    classes.ACTIVITY_CALENDAR.class_id: activity_calendar.CALENDAR,
    classes.SPECIAL_DAYS_TABLE.class_id: activity_calendar.SPECIAL,
    classes.REGISTER_ACTIVATION.class_id: tariffs.REGISTER_ACTIVATION,
    classes.SCRIPT_TABLE.class_id: tariffs.SCRIPT_TABLE,
    classes.TOKEN_GATEWAY.class_id: token_gateway.BEHAVIOUR,
}
