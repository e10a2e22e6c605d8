"""The Application Association, both ends over one table of states.

- :mod:`dlms.association.state`      the table
- :mod:`dlms.association.config`     what is agreed beforehand, and :mod:`~dlms.association.knobs`,
  what the standard leaves open
- :mod:`dlms.association.events`     what happens
- :mod:`dlms.association.server`     the life of the server's end; :mod:`~dlms.association.offer` is
  what it brings, :mod:`~dlms.association.admission` and :mod:`~dlms.association.admit` judge an
  AARQ, :mod:`~dlms.association.releasing` ends it, :mod:`~dlms.association.refusing` says no
- :mod:`dlms.association.services`   what passes through it: :mod:`~dlms.association.incoming` opens
  requests, :mod:`~dlms.association.transfers` has those that come in blocks
- :mod:`dlms.association.client`     the client's end; :mod:`~dlms.association.proposal` makes
  an AARQ and judges the AARE, :mod:`~dlms.association.answered` opens responses
- for both ends: :mod:`~dlms.association.contexts` makes what messages are protected with,
  :mod:`~dlms.association.shapes` says how, :mod:`~dlms.association.carrying` puts general blocks
  below all that,
  :mod:`~dlms.association.authenticating` has passes 3 and 4 of HLS,
  :mod:`~dlms.association.certificates` the peer's public key, :mod:`~dlms.association.naming` what
  logical and short names differ in
"""
