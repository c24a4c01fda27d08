"""A WebSocket client that sends any bytes, valid or not."""

import http.client
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SECONDS = 60

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

HANDSHAKE = (
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A received frame."""

    opcode: int
    payload: bytes


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A frame (RFC 6455, section 5.2); `length` replaces the true length."""
    size = len(payload) if length is None else length
    head = bytes([fin << 7 | reserved << 4 | opcode])
    if size < 126:
        head += bytes([masked << 7 | size])
    elif size < 2**16:
        head += struct.pack("!BH", masked << 7 | 126, size)
    else:
        head += struct.pack("!BQ", masked << 7 | 127, size)
    if not masked:
        return head + payload
    mask = b"\x12\x34\x56\x78"
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


class RawWebSocket:
    """A connection to a WebSocket server, on which anything can be sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.reader = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def handshake(self, path: str = "/", fields: bytes = b"") -> None:
        """Opens a WebSocket; raises AssertionError if it is not accepted."""
        self.send(HANDSHAKE % (path.encode(), fields))
        status = self.reader.readline()
        assert status == b"HTTP/1.1 101 Switching Protocols\r\n", status
        while self.reader.readline() != b"\r\n":
            pass

    def refusal(self) -> tuple[int, dict[str, str], bytes]:
        """The status, the fields and the body of the response to a handshake."""
        response = http.client.HTTPResponse(self.connection)
        response.begin()
        with response:
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, fields, response.read()

    def receive(self) -> Frame | None:
        """The next frame, or None if the connection has ended.

        Raises TimeoutError if neither happens in time.
        """
        try:
            head = self.reader.read(2)
            if len(head) < 2:
                return None
            size = head[1]
            if size == 126:
                [size] = struct.unpack("!H", self.reader.read(2))
            elif size == 127:
                [size] = struct.unpack("!Q", self.reader.read(8))
            return Frame(head[0] & 0x0F, self.reader.read(size))
        except ConnectionError:
            return None

    def close_code(self) -> int | None:
        """Reads to the end; returns the code of the close frame, 1005 if it has none.

        Returns None if the connection ends without a close frame, as in 1006.
        """
        code = None
        while (received := self.receive()) is not None:
            if received.opcode == CLOSE:
                assert code is None, "There were two close frames."
                code = 1005
                if received.payload:
                    [code] = struct.unpack_from("!H", received.payload)
        return code


@contextmanager
def raw_websocket(
    host: str, port: int, *, receive_buffer: int | None = None
) -> Iterator[RawWebSocket]:
    """A connection before its handshake. A small receive buffer is soon full."""
    with socket.socket() as connection:
        if receive_buffer is not None:
            # Before connecting, because the window is negotiated then.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(SECONDS)
        connection.connect((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = RawWebSocket(connection)
        with client.reader:
            yield client
