"""An aiomqtt client that leaves nothing behind, and notices that the broker hangs up.

What is different here is what aiomqtt 2.5.1 does not do. It uses its own parts that are not public.
"""

from __future__ import annotations

from typing import Any

import aiomqtt


class Client(aiomqtt.Client):
    """For one connection: it is not to be entered twice. Of a second connection aiomqtt would not
    await the broker's answer.
    """

    def check(self) -> None:
        """:class:`aiomqtt.MqttError` if the broker has hung up right after its answer, which
        aiomqtt forgets when it is entered.
        """
        if self._client.socket() is None:
            raise aiomqtt.MqttError("it hangs up at once")

    def let_go(self) -> None:
        """Close the socket. aiomqtt leaves it, and its callbacks in the event loop, if the broker
        does not answer or writing fails; the next socket of that number would not be read then.
        """
        if self._client.socket() is not None:
            self._client.disconnect()
        sock = self._client.socket()
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """As aiomqtt does, but not for a socket that has been closed meanwhile: its number may be
        that of another one.
        """

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def register() -> None:
            if client.socket() is sock and sock.fileno() >= 0:
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(register)
