"""The HDLC data link (IEC 62056-46; GB Ed. 8, clause 8): frames of type 3, unbalanced, normal mode.

A meter is a :class:`~dlms.framing.hdlc.station.Station`, a client has one
:class:`~dlms.framing.hdlc.primary.PrimaryLink` per logical device. Time is an argument, in seconds
of any steady clock.
"""
