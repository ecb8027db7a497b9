"""The encoding of the JSON API: content survives, and terminals are safe."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.state.views import Status
from agent.web.schema import Broker, Error, encode

TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS)
def test_a_text_arrives_as_written_and_travels_in_ascii(text: str) -> None:
    encoded = encode(Error(text))

    assert json.loads(encoded) == {"error": text}
    assert encoded.isascii()
    assert not any(byte < 0x20 for byte in encoded)


def test_a_value_that_is_not_finite_is_null() -> None:
    values = {"load": float("nan"), "in": float("inf"), "out": 1.5}
    broker = Broker(
        broker="0", status=Status.STALE, last_sample=0.0, values=values, history={}
    )

    assert json.loads(encode(broker))["values"] == {
        "load": None,
        "in": None,
        "out": 1.5,
    }
