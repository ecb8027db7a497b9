"""Every recorded or constructed body gives what the golden file beside it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from parsers import (
    Batch,
    BrokerContinuation,
    BrokerLog,
    DrainDecoder,
    DrainLoss,
    FrameKind,
    MetricLine,
    ParserFault,
    Unparsed,
)

FOLDER = Path(__file__).parents[2] / "fixtures" / "drain"
BODIES = sorted(FOLDER.glob("*.body"))
IDS = """
A01 A02 A03 A04 A05 A06 A07 A08 A10 A11 A13 A14 A16 A17 A19 A20 A22 A23 A24 A25 A26 A28
A29 A31 A32 A34 A35 A37 A38 A39 A40 A41 A43 A44 B01 B02 B03 B04 B05 B07 B08 B09 B10 B11
B13 B14 B16 B17 B19 B20 B22 B23 B24 B25 B26 B28 B29 B31 B32 C01 C02 C03 C04 C05 C07 C08
C10 C11 C12 C13 C14 C16 C17 C18 C19 C20 C22 C23 C25 C26 C28 C29 C31 C32 C34 C35 C37 C38
C39 C40 D01 D02 D04 D05 D07 D08 D10 D11 D13 D14 D16 D17 D19 E01 E02 E03 E04 E05 E06 E07
E08 E10 E11 E13 E14 E16
"""

cases = pytest.mark.parametrize("body", BODIES, ids=lambda path: path.stem)


def golden(body: Path) -> dict[str, Any]:
    text = body.with_suffix(".json").read_text(encoding="utf-8")
    wanted: dict[str, Any] = json.loads(text)
    for about in ("case", "fact", "policy", "origin"):
        wanted.pop(about, None)
    return wanted


def summary(batch: Batch) -> dict[str, Any]:  # noqa: C901 (one case for each record)
    """Say of a batch what the golden files say, leaving out what is empty."""
    found: dict[str, Any] = {
        "frames": {
            kind.value: getattr(batch, kind.value)
            for kind in FrameKind
            if getattr(batch, kind.value)
        }
    }
    for event in batch.records:
        match event:
            case MetricLine():
                name = f"{event.addon}/{event.broker or ''}"
                line = found.setdefault("samples", {}).setdefault(name, {"values": {}})
                line |= {"timestamp": event.timestamp, "source": event.source}
                for (sample, unit), value in event.samples.items():
                    line["values"][f"{sample}:{unit}".rstrip(":")] = value
            case BrokerLog():
                found.setdefault("broker_logs", []).append(facts(event))
            case BrokerContinuation():
                found.setdefault("continuations", []).append(facts(event))
            case DrainLoss():
                loss = {
                    name: getattr(event, name) for name in ("code", "count", "drain")
                }
                found.setdefault("losses", []).append(loss)
            case Unparsed():
                found.setdefault("reasons", []).append(event.reason.value)
            case ParserFault():
                raise event.error
    found.get("reasons", []).sort()
    return found


def facts(line: BrokerLog | BrokerContinuation) -> dict[str, Any]:
    """Say of a broker's line what is not empty, without its raw message."""
    found = line._asdict()
    if isinstance(line, BrokerLog):
        found["level"] = line.level.value
        found["contexts"] = [context._asdict() for context in line.contexts]
        found["partitions"] = [list(one) for one in line.partitions]
    if len(line.text) >= 200:
        found["text"] = f"{len(line.text)} characters"
    return {
        name: value
        for name, value in found.items()
        if name not in ("message", "timestamp") and value not in ("", [], None)
    }


def in_pieces(decoder: DrainDecoder, body: bytes, size: int) -> Batch:
    whole = Batch()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    for part in (*map(decoder.receive_data, pieces), decoder.receive_eof()):
        whole.records += part.records
        for kind in FrameKind:
            total = getattr(whole, kind.value) + getattr(part, kind.value)
            setattr(whole, kind.value, total)
    return whole


@cases
def test_a_whole_body_gives_what_its_golden_file_says(body: Path) -> None:
    assert summary(DrainDecoder().decode(body.read_bytes())) == golden(body)


@cases
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_pieces_of_any_size_give_the_same(body: Path, size: int) -> None:
    content = body.read_bytes()
    if size == 1 and len(content) > 12_000:
        size = 997
    decoder = DrainDecoder(frame_limit_bytes=12_000)

    assert summary(in_pieces(decoder, content, size)) == golden(body)


def test_what_a_decoder_has_learned_changes_no_result() -> None:
    decoder = DrainDecoder()
    for _ in range(2):
        for body in BODIES:
            assert summary(decoder.decode(body.read_bytes())) == golden(body)


def test_every_case_has_its_fixture() -> None:
    assert [path.stem[:3] for path in BODIES] == IDS.split()
