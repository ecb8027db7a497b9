"""Exceptions that decide more than the statement that logs them."""

from agent.kafka.rule import (
    CLIENT,
    CONTROLLER_CHANNEL,
    CRITICAL,
    DISK,
    FETCHER,
    HEALTH,
    INFO,
    ISR,
    MEMORY,
    NETWORK,
    PEER,
    REPEATS,
    REQUEST,
    SECURITY,
    STORAGE,
    SUPPORT,
    WARNING,
    ZOOKEEPER,
    Rule,
)  # fmt: skip

_INTER_BROKER = (
    "LEADER_AND_ISR", "STOP_REPLICA", "UPDATE_METADATA", "CONTROLLED_SHUTDOWN", "ALTER_ISR",
    "ALTER_PARTITION", "WRITE_TXN_MARKERS", "ALLOCATE_PRODUCER_IDS",
)  # fmt: skip
"""Requests that only brokers send."""

_IO = "java.io.* java.nio.* java.net.*"
"""Exceptions whose message is the operating system's, never a client's."""

# fmt: off
EXCEPTIONS: tuple[Rule, ...] = (
    Rule("out-of-memory", MEMORY, CRITICAL, "", "",
         "The broker has exhausted heap, direct memory or threads; it seldom recovers without a restart.",
         "Check the memory gauges of the broker and the number of partitions, then open a ticket with Heroku.",
         "java.lang.OutOfMemoryError"),
    Rule("map-failed", MEMORY, CRITICAL, "", "",
         "The broker cannot map another file into memory.",
         "Check the number of partitions of the broker, then open a ticket with Heroku.", _IO, "Map failed"),
    Rule("disk-full", STORAGE, CRITICAL, "", "",
         "The disk is full: the log directory goes offline next and the broker halts.", DISK, _IO, "No space left on device|Disk quota exceeded"),
    Rule("disk-failing", STORAGE, CRITICAL, "", "",
         "The disk is failing: the log directory goes offline next and the broker halts.", SUPPORT, _IO, "Input/output error|Read-only file system|Structure needs cleaning"),
    Rule("mapped-file-fault", STORAGE, CRITICAL, "", "",
         "A memory-mapped file could not be read or written, as on a full or failing disk.", DISK,
         "java.lang.InternalError", "fault occurred in a recent unsafe memory access operation"),
    Rule("file-descriptors-accept", NETWORK, CRITICAL, "*Acceptor", "",
         "The broker has no file descriptors left for connections.",
         "Look for clients that open connections and never close them, then open a ticket with Heroku.", _IO, "Too many open files"),
    Rule("file-descriptors", STORAGE, CRITICAL, "", "",
         "The broker has no file descriptors left and cannot open its log files.",
         "Look for clients that open connections and never close them, then open a ticket with Heroku.", _IO, "Too many open files"),
    Rule("storage-exception", STORAGE, CRITICAL, "", "",
         "A log directory is offline and requests that need it fail.", DISK,
         "org.apache.kafka.common.errors.KafkaStorageException"),
    Rule("not-enough-replicas", ISR, CRITICAL, "", "",
         "The partition is below min.insync.replicas: writes with acks=all are rejected.",
         "Check how many brokers send samples; two of three must. Producers retry until delivery.timeout.ms.",
         "org.apache.kafka.common.errors.NotEnoughReplicasException"
         " org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException"),
    Rule("broker-authentication-failed", SECURITY, CRITICAL,
         f"RequestSendThread {FETCHER} {CONTROLLER_CHANNEL} AddPartitionsToTxnManager TransactionMarkerChannelManager", "",
         "Brokers cannot authenticate each other: a certificate or credential has expired or was rotated badly.", SUPPORT,
         "org.apache.kafka.common.errors.SslAuthenticationException"
         " org.apache.kafka.common.errors.SaslAuthenticationException"),
    Rule("zookeeper-session-expired", ZOOKEEPER, WARNING, "ClientCnxn", "",
         "The broker lost its ZooKeeper session and left the cluster: leaders move, and it registers again.", HEALTH,
         "org.apache.zookeeper.ClientCnxn$SessionExpiredException"),
    Rule("zookeeper-session-timeout", ZOOKEEPER, INFO, "ClientCnxn", "",
         "The broker lost contact with ZooKeeper: the network, a ZooKeeper node, or a long pause of the broker.", REPEATS,
         "org.apache.zookeeper.ClientCnxn$SessionTimeoutException"),
    Rule("inter-broker-request-denied", SECURITY, CRITICAL, "RequestSendThread ReplicaFetcherThread RemoteLeaderEndPoint", "",
         "A broker may not talk to another broker: replication or the controller is cut off.", SUPPORT,
         "org.apache.kafka.common.errors.ClusterAuthorizationException"),
    Rule("invalid-receive", NETWORK, INFO, "Selector", "",
         "A request was larger than socket.request.max.bytes, or something other than a Kafka client connected.", CLIENT,
         "org.apache.kafka.common.network.InvalidReceiveException"),
    Rule("controller-request-denied", SECURITY, CRITICAL, "KafkaApis RequestHandlerHelper",
         "|".join((
             *(f"Unexpected error handling request RequestHeader(apiKey={one}," for one in _INTER_BROKER),
             *(f"Error when handling request: clientId=#, correlationId=#, api={one}," for one in _INTER_BROKER),
         )),
         "A broker rejects requests of another broker or of the controller: an ACL is missing.", SUPPORT,
         "org.apache.kafka.common.errors.ClusterAuthorizationException"),
    Rule("client-request-denied", SECURITY, INFO, "KafkaApis RequestHandlerHelper", "",
         "A client asks for something that it may not do.", CLIENT,
         "*AuthorizationException"),
    Rule("client-request-invalid", REQUEST, INFO, "KafkaApis RequestHandlerHelper", "",
         "A client sent a request that the broker does not accept.", CLIENT,
         "org.apache.kafka.common.errors.InvalidRequestException"
         " org.apache.kafka.common.errors.UnsupportedVersionException"),
    Rule("peer-unknown-host", NETWORK, WARNING, "NetworkClient", "",
         "The host name of a broker cannot be resolved: the broker may have been replaced.", PEER,
         "java.net.UnknownHostException"),
)
# fmt: on
"""First match wins, and it goes before the rule of the statement."""
