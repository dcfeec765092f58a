"""One HTTP/1.1 response, however it is cut into pieces."""

import contextlib
import http.client
import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeostat.probes.http1 import NotHttp, Response

#: Name -> (what is sent until the connection closes, status, body).
GOOD = {
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
    "no body": (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
    "until the end": (b"HTTP/1.0 503 Sorry\r\nServer: x\r\n\r\nhello", 503, b"hello"),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
        200,
        b"hello",
    ),
    "chunks and a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        200,
        b"hello",
    ),
    "an announcement before": (
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
        404,
        b"no",
    ),
    "never a body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    "bare line ends": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, b"ok"),
}
BAD = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "a chunk of letters": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    "endless line": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000,
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "no final answer": b"HTTP/1.1 100 Continue\r\n\r\n",
}


def read(sent: bytes, cuts: list[int]) -> Response:
    response = Response()
    places = sorted({cut % (len(sent) + 1) for cut in cuts} | {0, len(sent)})
    for start, end in itertools.pairwise(places):
        response.feed(sent[start:end])
    response.end()
    return response


@pytest.mark.parametrize("name", GOOD)
@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_a_response_is_the_same_however_it_is_cut(name, cuts):
    sent, status, body = GOOD[name]

    response = read(sent, cuts)

    assert (response.status, bytes(response.body), response.is_complete) == (status, body, True)


@pytest.mark.parametrize("name", BAD)
@settings(deadline=None)  # some are long
@given(cuts=st.lists(st.integers(0, 70_000), max_size=4))
def test_what_is_no_response_is_said(name, cuts):
    with pytest.raises(NotHttp):
        read(BAD[name], cuts)


@pytest.mark.parametrize("name", [name for name in GOOD if name != "until the end"])
def test_its_end_is_known_before_the_connection_closes(name):
    response = Response()
    response.feed(GOOD[name][0])

    assert response.is_complete


def test_without_a_length_the_end_is_that_of_the_connection():
    response = Response()
    response.feed(GOOD["until the end"][0])

    assert not response.is_complete


def test_what_comes_after_it_is_not_its_body():
    response = Response()
    response.feed(GOOD["a length"][0] + b"more")

    assert response.body == b"hello"


class _Socket(io.BytesIO):
    def makefile(self, *_args):
        return self


@given(
    body=st.binary(max_size=300),
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=9),
    cuts=st.lists(st.integers(0, 500), max_size=6),
)
def test_chunks_are_read_as_the_standard_library_reads_them(body, sizes, cuts):
    rest, framed = body, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while rest:
        size, sizes = sizes[0], sizes[1:] + sizes[:1]
        framed += b"%x\r\n%s\r\n" % (len(rest[:size]), rest[:size])
        rest = rest[size:]
    framed += b"0\r\n\r\n"
    expected = http.client.HTTPResponse(_Socket(framed))
    expected.begin()

    assert bytes(read(framed, cuts).body) == expected.read() == body


@given(sent=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_nothing_else_is_ever_raised(sent, cuts):
    for prefix in (b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        with contextlib.suppress(NotHttp):
            read(prefix + sent, cuts)
