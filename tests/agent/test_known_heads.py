"""Requests with a known head are answered as the parser would have them answered."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.http.known_heads import KnownHead, maybe_learn_head

LINE = b"POST /logs HTTP/1.1\r\n"
FIELDS = (
    (b"Host", b"agent.example.com:443"),
    (b"Content-Length", b"5"),
    (b"Logplex-Frame-Id", b"09C557EAFCFB6CF2740EE62F62971098"),
    (b"Logplex-Msg-Count", b"1"),
    (b"Authorization", b"Basic dXNlcjpwYXNzd29yZA=="),
)
HARMLESS = (b"X-Request-Id", b"1")
FRAMING = [
    (b"Transfer-Encoding", b"chunked"),
    (b"Content-Length", b"5"),
    (b"content-length", b"6"),
    (b"Connection", b"close"),
    (b"Connection", b"keep-alive"),
    (b"Proxy-Connection", b"close"),
    (b"Upgrade", b"websocket"),
    (b"Expect", b"100-continue"),
    (b"Host", b"twice"),
]


def build_head(*more: tuple[bytes, bytes], line: bytes = LINE) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in FIELDS + more)
    return line + fields + b"\r\n"


class Reader:
    """What httptools finds in some bytes."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.url = b""
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        assert not self.is_complete, "two requests in one"
        self.is_complete = True


def read(data: bytes) -> Reader:
    found = Reader()
    parser = httptools.HttpRequestParser(found)
    parser.feed_data(data)
    assert parser.get_method() == b"POST"
    assert parser.should_keep_alive()
    assert not parser.should_upgrade()
    return found


def learn(head: bytes) -> KnownHead | None:
    found = Reader()
    httptools.HttpRequestParser(found).feed_data(head)
    return maybe_learn_head(head, found.headers)


def known() -> KnownHead:
    found = learn(build_head(HARMLESS))
    assert found is not None
    return found


def test_a_known_head_is_read_with_other_values() -> None:
    head = build_head(HARMLESS).replace(b"Length: 5", b"Length: 12")

    found = known().maybe_match(head + b"twelve bytes")

    assert found is not None
    assert found == (read(head + b"twelve bytes").headers, len(head))


@pytest.mark.parametrize("field", FRAMING)
def test_headers_that_frame_or_close_are_not_learned(
    field: tuple[bytes, bytes],
) -> None:
    found = {name.lower(): value for name, value in (*FIELDS, field)}

    assert maybe_learn_head(build_head(field), found) is None


@pytest.mark.parametrize(
    "line",
    [
        b"GET /logs HTTP/1.1\r\n",
        b"POST /logs HTTP/1.0\r\n",
        b"POST /logs\tHTTP/1.1\r\n",
        b"POST http://host/logs HTTP/1.1\r\n",
        b"POST /logs HTTP/1.1\n",
    ],
)
def test_other_request_lines_are_not_learned(line: bytes) -> None:
    headers = {name.lower(): value for name, value in FIELDS}

    assert maybe_learn_head(build_head(line=line), headers) is None


def test_a_head_without_content_length_is_not_learned() -> None:
    assert learn(LINE + b"Host: agent.example.com\r\n\r\n") is None


@pytest.mark.parametrize("body", [b"", b"1234", b"123456", b"12345POST /logs"])
def test_data_that_is_not_one_whole_request_is_left_to_the_parser(body: bytes) -> None:
    assert known().maybe_match(build_head(HARMLESS) + body) is None


SNIPPETS = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"0", b"-", b"+", b"\x80"),
        *(b"\r\n\r\n", b"\r\n folded", b"5, 6", b"Transfer-Encoding: chunked\r\n"),
        *(b"Content-Length: 4\r\n", b"Connection: close\r\n", b"X", b"\x7f", b"\x0b"),
    ]
)


@given(st.data())
def test_a_damaged_head_is_read_as_the_parser_reads_it(data: st.DataObject) -> None:
    request = build_head(HARMLESS) + b"12345"
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(request)))
        end = data.draw(st.integers(start, min(start + 3, len(request))))
        request = request[:start] + data.draw(SNIPPETS) + request[end:]

    found = known().maybe_match(request)

    if found is not None:
        headers, size = found
        expected = read(request)
        assert expected.is_complete
        assert (expected.url, expected.headers) == (b"/logs", headers)
        assert expected.body == request[size:]


@given(
    st.lists(
        st.one_of(st.binary(max_size=12), SNIPPETS, st.from_regex(rb"[!-~ ]*")),
        min_size=len(FIELDS),
        max_size=len(FIELDS),
    ),
    st.binary(max_size=12),
)
def test_any_values_are_read_as_the_parser_reads_them(
    values: list[bytes], body: bytes
) -> None:
    values[1] = b"%d" % len(body)
    head = LINE
    for (name, _), value in zip(FIELDS, values, strict=True):
        head += b"%b: %b\r\n" % (name, value)
    learned = learn(build_head())
    assert learned is not None

    found = learned.maybe_match(head + b"\r\n" + body)

    if found is not None:
        expected = read(head + b"\r\n" + body)
        assert expected.is_complete
        assert (expected.headers, expected.body) == (found[0], body)
