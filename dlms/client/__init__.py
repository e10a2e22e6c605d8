"""What a client says to a meter, as dialogues that know no transport.

- :mod:`dlms.client.dialogue`  open, get, set, action, release
- :mod:`dlms.client.refusals`  the ways a meter says no
"""
