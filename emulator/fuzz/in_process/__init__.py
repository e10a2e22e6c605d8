"""Our own meter and its clients in this process: no sockets, no event loop, virtual time."""
