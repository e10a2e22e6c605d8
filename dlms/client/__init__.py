"""What a client says to a meter, as dialogues that know no transport.

- :mod:`dlms.client.effects`  what a dialogue asks of whoever carries it out
- :mod:`dlms.client.conversation`  one APDU out, the event that answers it in
- :mod:`dlms.client.carried`  one APDU out and one in, in general blocks where it must be
- :mod:`dlms.client.notices`  what a meter has said unasked
- :mod:`dlms.client.associating`  open and release
- :mod:`dlms.client.dialogue`  get, set, action, by logical names
- :mod:`dlms.client.access`  all of them in one request
- :mod:`dlms.client.short_names`  the same, by short names
- :mod:`dlms.client.security_setup`  policy, keys and certificates of an association
- :mod:`dlms.client.new_keys`  the global keys that the client makes for that
- :mod:`dlms.client.refusals`  the ways a meter says no
"""
