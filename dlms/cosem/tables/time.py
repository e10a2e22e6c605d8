"""Time-bound control (Blue Book 4.5): classes 8 to 11, 20, 22."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BITS,
    BOOLEAN,
    DATE,
    INTEGER,
    LOGICAL_NAME,
    LONG,
    LONG_UNSIGNED,
    MOMENT,
    OCTETS,
    TIME,
    UNSIGNED,
    array,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import ACTION

CLOCK = InterfaceClass(
    8,
    0,
    "Clock",
    (
        Attribute(2, "time", MOMENT, dynamic=True),
        Attribute(3, "time_zone", LONG),
        Attribute(4, "status", UNSIGNED, dynamic=True),
        Attribute(5, "daylight_savings_begin", MOMENT),
        Attribute(6, "daylight_savings_end", MOMENT),
        Attribute(7, "daylight_savings_deviation", INTEGER),
        Attribute(8, "daylight_savings_enabled", BOOLEAN),
        Attribute(
            9,
            "clock_base",
            named_enum(
                "not defined",
                "internal crystal",
                "mains frequency 50 Hz",
                "mains frequency 60 Hz",
                "GPS",
                "radio controlled",
            ),
        ),
    ),
    (
        Method(1, "adjust_to_quarter"),
        Method(2, "adjust_to_measuring_period"),
        Method(3, "adjust_to_minute"),
        Method(4, "adjust_to_preset_time"),
        Method(
            5,
            "preset_adjusting_time",
            structure(
                preset_time=MOMENT, validity_interval_start=MOMENT, validity_interval_end=MOMENT
            ),
        ),
        Method(6, "shift_time", LONG),
    ),
)

SCRIPT_TABLE = InterfaceClass(
    9,
    0,
    "Script table",
    (
        Attribute(
            2,
            "scripts",
            array(
                structure(
                    script_identifier=LONG_UNSIGNED,
                    actions=array(
                        structure(
                            service_id=named_enum("write attribute", "execute method", first=1),
                            class_id=LONG_UNSIGNED,
                            logical_name=LOGICAL_NAME,
                            index=INTEGER,
                            parameter=ANY,
                        )
                    ),
                )
            ),
        ),
    ),
    (Method(1, "execute", LONG_UNSIGNED),),
)

_SCHEDULE_ENTRY = structure(
    index=LONG_UNSIGNED,
    enable=BOOLEAN,
    script_logical_name=LOGICAL_NAME,
    script_selector=LONG_UNSIGNED,
    switch_time=TIME,
    validity_window=LONG_UNSIGNED,
    exec_weekdays=BITS,
    exec_specdays=BITS,
    begin_date=DATE,
    end_date=DATE,
)
SCHEDULE = InterfaceClass(
    10,
    0,
    "Schedule",
    (Attribute(2, "entries", array(_SCHEDULE_ENTRY)),),
    (
        Method(
            1,
            "enable_disable",
            structure(
                firstIndexA=LONG_UNSIGNED,
                lastIndexA=LONG_UNSIGNED,
                firstIndexB=LONG_UNSIGNED,
                lastIndexB=LONG_UNSIGNED,
            ),
        ),
        Method(2, "insert", _SCHEDULE_ENTRY),
        Method(3, "delete", structure(firstIndex=LONG_UNSIGNED, lastIndex=LONG_UNSIGNED)),
    ),
)

_SPECIAL_DAY = structure(index=LONG_UNSIGNED, specialday_date=DATE, day_id=UNSIGNED)
SPECIAL_DAYS_TABLE = InterfaceClass(
    11,
    0,
    "Special days table",
    (Attribute(2, "entries", array(_SPECIAL_DAY)),),
    (Method(1, "insert", _SPECIAL_DAY), Method(2, "delete", LONG_UNSIGNED)),
)

_SEASONS = array(structure(season_profile_name=OCTETS, season_start=MOMENT, week_name=OCTETS))
_WEEKS = array(
    structure(
        week_profile_name=OCTETS,
        monday=UNSIGNED,
        tuesday=UNSIGNED,
        wednesday=UNSIGNED,
        thursday=UNSIGNED,
        friday=UNSIGNED,
        saturday=UNSIGNED,
        sunday=UNSIGNED,
    )
)
_DAYS = array(
    structure(
        day_id=UNSIGNED,
        day_schedule=array(
            structure(
                start_time=TIME, script_logical_name=LOGICAL_NAME, script_selector=LONG_UNSIGNED
            )
        ),
    )
)
ACTIVITY_CALENDAR = InterfaceClass(
    20,
    0,
    "Activity calendar",
    (
        Attribute(2, "calendar_name_active", OCTETS),
        Attribute(3, "season_profile_active", _SEASONS),
        Attribute(4, "week_profile_table_active", _WEEKS),
        Attribute(5, "day_profile_table_active", _DAYS),
        Attribute(6, "calendar_name_passive", OCTETS),
        Attribute(7, "season_profile_passive", _SEASONS),
        Attribute(8, "week_profile_table_passive", _WEEKS),
        Attribute(9, "day_profile_table_passive", _DAYS),
        Attribute(10, "activate_passive_calendar_time", MOMENT),
    ),
    (Method(1, "activate_passive_calendar"),),
)

SINGLE_ACTION_SCHEDULE = InterfaceClass(
    22,
    0,
    "Single action schedule",
    (
        Attribute(2, "executed_script", ACTION),
        Attribute(
            3,
            "type",
            named_enum(
                "one time, wildcard in date allowed",
                "several times, the same time, no wildcard",
                "several times, the same time, wildcards",
                "several times, different times, no wildcard",
                "several times, different times, wildcards",
                first=1,
            ),
        ),
        Attribute(4, "execution_time", array(structure(time=TIME, date=DATE))),
    ),
)


ALL = (
    CLOCK,
    SCRIPT_TABLE,
    SCHEDULE,
    SPECIAL_DAYS_TABLE,
    ACTIVITY_CALENDAR,
    SINGLE_ACTION_SCHEDULE,
)
