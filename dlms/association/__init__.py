"""The Application Association, both ends over one table of states.

- :mod:`dlms.association.state`      the table
- :mod:`dlms.association.config`     what is agreed beforehand
- :mod:`dlms.association.events`     what happens
- :mod:`dlms.association.server`     the server's end; :mod:`~dlms.association.admission` and
  :mod:`~dlms.association.admit` judge an AARQ, :mod:`~dlms.association.incoming` opens requests
- :mod:`dlms.association.client`     the client's end; :mod:`~dlms.association.proposal` makes
  an AARQ
"""
