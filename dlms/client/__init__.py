"""What a client says to a meter, as dialogues that know no transport.

- :mod:`dlms.client.effects`  what a dialogue asks of whoever carries it out
- :mod:`dlms.client.conversation`  one APDU out, the event that answers it in
- :mod:`dlms.client.notices`  what a meter has said unasked
- :mod:`dlms.client.dialogue`  open, get, set, action, release
- :mod:`dlms.client.refusals`  the ways a meter says no
"""
