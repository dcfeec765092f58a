"""The stream of a container's log -> its newest lines. Pure.

Source: Docker Engine API, "Attach to a container", stream format: frames of 8 bytes (stream, 0, 0, 0, length as big
endian) and a payload; without frames when the container has a terminal. What is written without a line's end comes in
pieces of 16 KiB.
"""

import collections
from collections.abc import Iterable, Iterator

_HEADER_BYTES = 8
_STREAMS = (b"\0\0\0\0", b"\1\0\0\0", b"\2\0\0\0", b"\3\0\0\0")
#: Engines make them of 16 KiB; they are held in memory.
_LONGEST_FRAME = 1 << 20
_CUT = b" [the rest of this line was cut]\n"


def newest_lines(chunks: Iterable[bytes], most_bytes: int) -> bytes:
    """The last ``most_bytes`` of ``chunks``, from a line's start on. Raises ValueError when the frames are broken."""
    kept: collections.deque[bytes] = collections.deque()
    length, is_cut = 0, False
    for piece in _payloads(chunks):
        kept.append(piece)
        length += len(piece)
        while length - len(kept[0]) > most_bytes:
            length -= len(kept.popleft())
            is_cut = True
    tail = b"".join(kept)
    return from_line_start(tail, most_bytes, is_cut=is_cut)


def from_line_start(tail: bytes, most_bytes: int, *, is_cut: bool) -> bytes:
    """The last ``most_bytes`` of ``tail``; not the rest of a line whose beginning is not there.

    What a rest means (whether it is a secret, for one) is said by its beginning.
    """
    if len(tail) <= most_bytes and not is_cut:
        return tail
    return tail[-most_bytes - 1 :].partition(b"\n")[2]


def _payloads(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What was written, without frames. Of a line in pieces the first."""
    buffer = bytearray()
    is_framed: bool | None = None
    rest_of: set[bytes] = set()
    for chunk in chunks:
        buffer += chunk
        if is_framed is None and len(buffer) >= len(_STREAMS[0]):
            # With times asked for, a log without frames begins with a digit.
            is_framed = bytes(buffer[:4]) in _STREAMS
        if is_framed:
            for stream, payload in _frames(buffer):
                yield from _first_pieces(stream, payload, rest_of)
        elif is_framed is False:
            yield bytes(buffer)
            buffer.clear()
    if not is_framed:
        yield bytes(buffer)


def _frames(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """(stream, payload) of the frames that are complete, which are taken out of ``buffer``."""
    while len(buffer) >= _HEADER_BYTES:
        stream = bytes(buffer[:4])
        if stream not in _STREAMS:
            raise ValueError("the log is no stream of frames")
        end = _HEADER_BYTES + int.from_bytes(buffer[4:_HEADER_BYTES], "big")
        if end > _LONGEST_FRAME:
            raise ValueError(f"a frame of the log has {end} bytes")
        if len(buffer) < end:
            return
        payload = bytes(buffer[_HEADER_BYTES:end])
        del buffer[:end]
        yield stream, payload


def _first_pieces(stream: bytes, payload: bytes, rest_of: set[bytes]) -> Iterator[bytes]:
    if stream in rest_of:
        if payload.endswith(b"\n"):
            rest_of.discard(stream)
        return
    if not payload.endswith(b"\n"):
        rest_of.add(stream)
        payload += _CUT
    yield payload
