"""What is read from a broker's line: contexts, topic, partition, brokers, exception."""

import pytest

from parsers import BrokerLog, Budget, Context, Header, parse_line
from parsers.families.kafka.contexts import maybe_split_contexts
from parsers.families.kafka.grammar import parse_contexts
from tests.frames import read_log

RENEGOTIATION = (
    "[SslTransportLayer channelId=10.1.44.10:9096-203.0.113.7:51234-5 "
    "key=channel=java.nio.channels.SocketChannel[connected local=/10.1.44.10:9096 "
    "remote=/203.0.113.7:51234], selector=sun.nio.ch.EPollSelectorImpl@1, "
    "interestOps=1, readyOps=1] Renegotiation requested"
)


def context(name: str, **fields: str) -> Context:
    return Context(name, fields)


@pytest.mark.parametrize(
    ("text", "contexts", "message"),
    [
        ("plain", (), "plain"),
        ("[ReplicaManager broker=2] x", (context("ReplicaManager", broker="2"),), "x"),
        (
            "[ReplicaFetcher replicaId=1, leaderId=2, fetcherId=0] x",
            (context("ReplicaFetcher", replicaId="1", leaderId="2", fetcherId="0"),),
            "x",
        ),
        (
            "[Controller id=0 epoch=12] x",
            (context("Controller", id="0", epoch="12"),),
            "x",
        ),
        (
            "[LogLoader partition=a-1, dir=/data/kafka] x",
            (context("LogLoader", partition="a-1", dir="/data/kafka"),),
            "x",
        ),
        (
            "[Admin Manager on Broker 1]: x",
            (context("Admin Manager on Broker 1"),),
            "x",
        ),
        ("[cleaner-thread-0], x", (context("cleaner-thread-0"),), "x"),
        ("[SenderThread-1]x", (context("SenderThread-1"),), "x"),
        ("[/config/changes-thread]: x", (context("/config/changes-thread"),), "x"),
        (
            "[Controller id=0] [Partition a-1 broker=0] x",
            (context("Controller", id="0"), context("Partition a-1", broker="0")),
            "x",
        ),
        ("[A a=1][B]", (context("A", a="1"), context("B")), ""),
        ("[a] [b] [c] [d] [e] x", tuple(map(context, "abcd")), "[e] x"),
        ("[1, 2] are gone", (), "[1, 2] are gone"),
        ("[a, b] are gone", (), "[a, b] are gone"),
        ("[2] is low", (), "[2] is low"),
        ("[] x", (), "[] x"),
        ("[never closed x", (), "[never closed x"),
        ("x [A b=c]", (), "x [A b=c]"),
    ],
)
def test_contexts_are_taken_off_the_front(
    text: str, contexts: tuple[Context, ...], message: str
) -> None:
    assert maybe_split_contexts(text) == (contexts, message)
    assert parse_contexts(text) == (contexts, message)


def test_nested_contexts_are_read_by_the_grammar() -> None:
    line = read_log(f"pri=ERROR t=x at=SslTransportLayer {RENEGOTIATION}")

    (one,) = line.contexts
    assert maybe_split_contexts(RENEGOTIATION) is None
    assert one.name == "SslTransportLayer"
    assert one.fields["key"] == (
        "channel=java.nio.channels.SocketChannel"
        "[connected local=/10.1.44.10:9096 remote=/203.0.113.7:51234]"
    )
    assert one.fields["readyOps"] == "1"
    assert line.text == "Renegotiation requested"


def test_without_a_budget_for_the_grammar_nothing_is_lost_but_the_split() -> None:
    header = Header(b"kafka", b"kafka-a.0", 1_780_872_391.0)
    message = f"pri=ERROR t=x at=SslTransportLayer {RENEGOTIATION}".encode()
    _, (line,) = parse_line(header, message, Budget(0))

    assert isinstance(line, BrokerLog)
    assert line.contexts == ()
    assert line.text == RENEGOTIATION


@pytest.mark.parametrize(
    ("text", "topic", "partition"),
    [
        ("Partition my-example-topic-16 marked as failed", "my-example-topic", 16),
        ("Error for partition a.b-c_d-3 at offset 5", "a.b-c_d", 3),
        ("from the leader for partition orders-0. This error", "orders", 0),
        ("from the leader for partition payments.v2-3. This error", "payments.v2", 3),
        ("Truncating x-1-2 to offset 5 below high watermark 9", "x-1", 2),
        ("replied with an unknown offset in a-1. The initial", "a", 1),
        ("Error while appending records to a-1 in dir /data/kafka", "a", 1),
        ("Marking its partition (__consumer_offsets-36) as", "__consumer_offsets", 36),
        ("Log(dir=/d/a-1, topic=a, partition=1). x", "a", 1),
        ("request CreatableTopic(name='orders', numPartitions=3)", "orders", None),
        ("[UnifiedLog partition=a-1, dir=/d] of partition b-2", "a", 1),
        ("[Partition a-1 broker=0] of partition b-2", "a", 1),
        ("[LeaderEpochCache a-1] New epoch entry", "a", 1),
        ("[Partition nonsense broker=0] x", "", None),
        ("fetchData={a-1=PartitionData(fetchOffset=5), b-2=x}", "", None),
        ("for partitions a-1,b-2 are offline", "a", 1),
        ("Topic: orders; Partition: 3", "orders", 3),
        ("is ignored for `orders` because", "orders", None),
        ("Ignoring request to delete non-existing topics Set(orders)", "orders", None),
        ("Failed to delete file /data/kafka-0/a-1/00000000000000000000.log", "a", 1),
        ("Failed to create /data/kafka-0/meta.properties", "", None),
        ("Unexpected error from kafka-1/10.0.0.1 (channelId=1)", "", None),
        ("Error connecting to node kafka-1:9092 (id: 1 rack: null)", "", None),
        ("Moved to kafka-1.example.com", "", None),
        ("This is part of the early access of KIP-848", "", None),
        ("partition a-1x", "", None),
        ("partition a", "", None),
        (f"partition {'t' * 250}-1", "", None),
        ("partition a-9999999999", "", None),
        ("partition ", "", None),
    ],
)
def test_the_topic_and_partition_that_a_line_names_are_found(
    text: str, topic: str, partition: int | None
) -> None:
    line = read_log(f"pri=WARN t=x at=X {text}")

    assert (line.topic, line.partition) == (topic, partition)


@pytest.mark.parametrize(
    ("text", "partitions"),
    [
        ("stopped fetcher for partitions a-1,b-2", [("a", 1), ("b", 2)]),
        ("request for HashMap(a-1 -> x, b-2 -> y)", [("a", 1), ("b", 2)]),
        ("partition a-1 instead of b-2, and again a-1", [("a", 1), ("b", 2)]),
        ("topics Set(a, b.c)", [("a", None), ("b.c", None)]),
        ("[Partition a-1 broker=0] of partition a-1 from b-2", [("a", 1), ("b", 2)]),
        ("offsets from __consumer_offsets-3", [("__consumer_offsets", 3)]),
        ("partitions Set(" + ",".join(f"t-{n}" for n in range(60)), None),
    ],
)
def test_every_partition_of_a_line_is_kept_once_and_in_order(
    text: str, partitions: list[tuple[str, int | None]] | None
) -> None:
    wanted = (
        [("t", number) for number in range(50)] if partitions is None else partitions
    )

    assert list(read_log(f"pri=WARN t=x at=X {text}").partitions) == wanted


@pytest.mark.parametrize(
    "line",
    [
        "at=GroupCoordinator Group partition orders-1 could not complete rebalance",
        "at=GroupCoordinator Setting empty assignments for members x of b-2 for generation",
        "at=TransactionCoordinator Found transactionalId billing-1 with state x",
        "at=KafkaApis Unexpected error handling request RequestHeader(clientId=for a-1)",
    ],
)
def test_a_name_of_a_client_is_no_topic(line: str) -> None:
    assert read_log(f"pri=WARN t=x {line}").partitions == ()


@pytest.mark.parametrize(
    ("text", "broker", "peer"),
    [
        ("[ReplicaFetcher replicaId=1, leaderId=2, fetcherId=0] x", "1", "2"),
        ("[Controller id=0, targetBrokerId=2] Connection to node 2 (h)", "0", "2"),
        ("[RequestSendThread controllerId=1] to broker h:9 (id: 2 rack: a)", "1", "2"),
        ("Connection to 2 was disconnected before the response was read", "", "2"),
        ("Not sending request to broker 4, since it is offline.", "", "4"),
        ("[Transaction State Manager 1]: x", "1", ""),
        ("[Kafka Request Handler 3 on Broker 1], Exception", "1", ""),
        ("[AddPartitionsToTxnSenderThread-1]failed for node 2", "1", ""),
        ("[ReplicaManager broker=-1] x", "", ""),
        ("[Consumer clientId=1, groupId=2] Connection to node -1 (h)", "", ""),
    ],
)
def test_the_writer_and_its_peer_are_told_apart(
    text: str, broker: str, peer: str
) -> None:
    line = read_log(f"pri=WARN t=x at=X {text}")

    assert (line.broker, line.peer) == (broker, peer)


@pytest.mark.parametrize(
    ("text", "exception"),
    [
        ("Error due to java.lang.OutOfMemoryError: Java", "java.lang.OutOfMemoryError"),
        (
            "x kafka.zk.KafkaZkClient$NoSuchException: y",
            "kafka.zk.KafkaZkClient$NoSuchException",
        ),
        ("Error in response java.io.IOException: c", "java.io.IOException"),
        ("x\njava.io.IOException: c\n\tat a.b", "java.io.IOException"),
        ("Error: no Exception here", ""),
        ("java.io.ExceptionHandler is no exception", ""),
    ],
)
def test_the_exception_is_found_in_the_line_or_its_trace(
    text: str, exception: str
) -> None:
    assert read_log(f"pri=ERROR t=x at=X {text}").exception == exception
