"""The life of keys, tried out: what is done to a meter, on which target, and what must come of it.

``actions`` is what can be done, ``target`` who can do it; ``in_process`` is our own meter and
client without sockets, ``scenario`` plays what is written in ``fixtures/scenarios``.
"""
