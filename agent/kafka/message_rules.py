"""What Kafka's brokers say, and what each of it means: the table to extend.

A new message is one row here and one line in ``fixtures/kafka/messages.jsonl``. The
first row that fits decides, top to bottom: first the class (``at=``), then the pattern,
which is searched in what the line says, its exceptions included. A line that fits no row
gets its category from `CLASSES`, then from `THREADS`, and is ``unknown`` last.

Classes are separated by blanks; ``*`` in front or behind stands for any text, and an
empty field for any class. Inner classes count as their outer one (``LogCleaner`` for
``LogCleaner$CleanerThread``). Names and wording are those of Kafka 2.8 and 3.7, and of
the ZooKeeper clients in them; both stand in a row where they differ.

Urgency never comes from the level: Kafka's own fatal lines arrive as ERROR
(``kafka.utils.Logging.fatal``), and most WARN lines are a restart's.
"""

from typing import NamedTuple

from agent.kafka.categories import Category, Urgency


class Rule(NamedTuple):
    """One row.

    Attributes:
        category: What the line is about.
        urgency: What it asks for.
        classes: Names of classes, see the head of this file.
        text: What the line holds, see there; empty for anything.
        meaning: One sentence: what it means.
        first_step: One sentence: what to look at first.
    """

    category: Category
    urgency: Urgency
    classes: str
    text: str
    meaning: str
    first_step: str


REPLICATION, ISR, CONTROLLER, ZOOKEEPER, STORAGE, MEMORY, NETWORK, SECURITY, REQUEST, \
    COORDINATOR, LIFECYCLE, UNKNOWN = Category  # fmt: skip
CRITICAL, WARNING, INFO, NOISE = Urgency

_PEER = "Whether the broker it names still sends samples; a restart ends in minutes."
_HEALTH = (
    "heroku kafka:info; if it does not show maintenance, open a ticket with Heroku."
)
_SUPPORT = "Open a ticket with Heroku with this line: brokers are theirs to repair."
_DISK = "Data size against the plan's capacity (heroku kafka:info); shorten retention or upgrade."
_CLIENT = "The client that sent it: its version, configuration and own log."
_TOPIC = "heroku kafka:topics:info of the topic: status, replication, retention."
_REPEATS = "Whether it comes again: once is a restart's, repeated it is a fault."
_NOTHING = "Nothing, unless it keeps coming."

_LOG = "Log UnifiedLog LocalLog LogLoader LogLoader$"
_ISR_MANAGER = "DefaultAlterPartitionManager DefaultAlterIsrManager"
_FETCHER = "ReplicaFetcherThread ReplicaAlterLogDirsThread RemoteLeaderEndPoint"
_CONTROLLER_CHANNEL = "NodeToControllerRequestThread BrokerToControllerRequestThread"

# fmt: off
RULES: tuple[Rule, ...] = (
    # Whoever says it: the exception tells more than the class.
    Rule(MEMORY, CRITICAL, "", "OutOfMemoryError|Java heap space|GC overhead limit|direct buffer memory|unable to create native thread|unable to create new native thread|Map failed",
         "The broker has run out of heap, direct memory, threads or maps; it seldom recovers without a restart.",
         "Memory gauges of the broker, the number of partitions; then a ticket with Heroku."),
    Rule(STORAGE, CRITICAL, "", "No space left on device|Disk quota exceeded",
         "The disk is full: the log directory goes offline next and the broker halts.", _DISK),
    Rule(STORAGE, CRITICAL, "", "Input/output error|Read-only file system|Structure needs cleaning",
         "The disk is failing: the log directory goes offline next and the broker halts.", _SUPPORT),
    Rule(STORAGE, CRITICAL, "", "fault occurred in a recent unsafe memory access operation",
         "A file mapped into memory could not be written: on a full disk a broker says it so.", _DISK),
    Rule(STORAGE, CRITICAL, "", "KafkaStorageException",
         "A log directory is offline and requests that need it fail.", _DISK),
    Rule(ISR, CRITICAL, "", "NotEnoughReplicas",
         "Under min.insync.replicas: writes with acks=all to the partition are refused now.",
         "How many brokers send samples; two of three must. Producers retry until their timeout."),
    Rule(NETWORK, CRITICAL, "*Acceptor", "Too many open files",
         "The broker has no file descriptor left for connections.",
         "Clients that connect and never close; then a ticket with Heroku."),
    Rule(SECURITY, CRITICAL, f"RequestSendThread {_FETCHER}", "SslAuthenticationException|SaslAuthenticationException",
         "Brokers cannot authenticate each other: a certificate has expired or was rotated badly.", _SUPPORT),

    # Log directories: the way to a halt
    Rule(STORAGE, CRITICAL, "LogManager", "Shutdown broker because",
         "No log directory is left: the broker halts now.", _DISK),
    Rule(STORAGE, CRITICAL, "ReplicaManager", "Halting broker because dir … is offline",
         "The log directory is offline: the broker halts now.", _DISK),
    Rule(STORAGE, CRITICAL, "ReplicaManager", "serving replicas in dir|serving logs in dir|in the failed log directory",
         "A log directory was taken out of service with all its replicas.", _DISK),
    Rule(STORAGE, CRITICAL, "LogManager", "are offline … due to failure on log directory|serving logs in dir",
         "Replicas are offline with their log directory.", _DISK),
    Rule(STORAGE, CRITICAL, "LogDirFailureChannel", "",
         "Writing, flushing or deleting failed in a log directory; it goes offline next.", _DISK),
    Rule(STORAGE, CRITICAL, "LogManager", "Disk error while|Failed to create or validate data directory|Error while loading log dir|error in one of the threads during logs loading",
         "A log directory cannot be read or written: the broker may not start.", _SUPPORT),
    Rule(STORAGE, CRITICAL, "ReplicaManager", "highwatermark file",
         "The high watermark cannot be written: the disk fails.", _SUPPORT),
    Rule(STORAGE, CRITICAL, "LogCleaner", "Failed to access checkpoint file",
         "The cleaner's checkpoint cannot be read or written: the disk fails.", _SUPPORT),

    # Compaction: silent until the disk is full
    Rule(STORAGE, WARNING, "LogCleaner", "as uncleanable",
         "Compaction of the partition is off until the broker restarts; its disk use grows.", _SUPPORT),
    Rule(STORAGE, WARNING, "LogCleaner", "Error due to",
         "A cleaner thread ended: nothing is compacted on this broker until it restarts.", _SUPPORT),
    Rule(STORAGE, NOISE, "LogCleanerManager LogCleaner", "Resetting first dirty offset|The last checkpoint dirty offset",
         "The cleaner starts again at the log's start; it heals itself.", _NOTHING),

    # Start, recovery, segments
    Rule(STORAGE, CRITICAL, "LogManager", "recovery-point-offset-checkpoint|log-start-offset-checkpoint",
         "A checkpoint cannot be read: the log directory goes offline next.", _SUPPORT),
    Rule(STORAGE, INFO, _LOG, "index file corresponding to log file|rebuilding index files",
         "The broker stopped uncleanly and rebuilds an index.", _NOTHING),
    Rule(STORAGE, WARNING, _LOG, "Corruption found in segment",
         "The end of a segment was lost with a crash; a follower fetches it again.",
         "Whether the broker led the partition when it stopped: then messages may be lost."),
    Rule(STORAGE, WARNING, _LOG, "Found invalid offset during recovery",
         "A corrupt segment was replaced by an empty one; a follower fetches it again.",
         "Whether the broker led the partition when it stopped: then messages may be lost."),
    Rule(STORAGE, WARNING, _LOG, "Deleting all segments because",
         "The whole replica was dropped and is fetched again.", _TOPIC),
    Rule(STORAGE, INFO, _LOG, "Non-monotonic update of high watermark",
         "The high watermark went back: the trace of a truncation.", _TOPIC),
    Rule(STORAGE, NOISE, _LOG, "Newly rolled segment file … already exists",
         "A left-over file was replaced.", _NOTHING),
    Rule(STORAGE, NOISE, "Utils", "Failed atomic move",
         "A file or directory is moved in the plain way instead.", _NOTHING),
    Rule(STORAGE, INFO, "LogSegment", "Found invalid messages in log segment",
         "A torn write after a crash was cut off.", _NOTHING),
    Rule(STORAGE, NOISE, "ProducerStateManager", "producer snapshot",
         "A producer snapshot is rebuilt.", _NOTHING),
    Rule(STORAGE, INFO, "LogManager ReplicaManager", "tray log|tray partition",
         "A replica that belongs here no longer still takes disk.", _TOPIC),
    Rule(STORAGE, WARNING, "LogManager", "Exception while deleting|Failed to delete",
         "The space of a deleted topic was not freed.", _SUPPORT),
    Rule(STORAGE, NOISE, "BrokerMetadataCheckpoint", "No meta.properties file",
         "An empty data directory: a new or replaced broker.", _PEER),
    Rule(LIFECYCLE, INFO, "LogManager", "during LogManager shutdown",
         "The logs were not closed cleanly; the next start takes longer.", _PEER),

    # In-sync replicas and leaders
    Rule(ISR, CRITICAL, "", "Failed to elect leader for partition",
         "The partition is offline: no replica in sync is left to lead it.", _HEALTH),
    Rule(ISR, CRITICAL, "logger", "failed to change state for partition … to OnlinePartition",
         "The partition is offline: no leader could be made.", _HEALTH),
    Rule(ISR, WARNING, "Partition", "Failed to update ISR|Failed to alter ISR|Failed to alter partition",
         "The controller did not take a change of the in-sync replicas; it is tried again.", _REPEATS),
    Rule(ISR, NOISE, _ISR_MANAGER, "stale broker epoch",
         "The broker has just registered again.", _NOTHING),
    Rule(SECURITY, CRITICAL, _ISR_MANAGER, "not authorized",
         "The broker may not change in-sync replicas: they are frozen.", _SUPPORT),
    Rule(ISR, WARNING, _ISR_MANAGER, "unexpected top-level error",
         "The controller refuses changes of the in-sync replicas.", _REPEATS),
    Rule(ISR, INFO, "KafkaController", "preferred replica leader election",
         "Leadership did not go back to a recovered broker; load is uneven.",
         "Load and bytes of the brokers side by side."),

    # Followers
    Rule(REPLICATION, INFO, _FETCHER, "marked as failed",
         "A follower stopped fetching a partition: usual and short while leaders move, serious after an ERROR about the same partition.",
         "Whether an ERROR names the same partition, or it keeps coming without a restart."),
    Rule(REPLICATION, INFO, _FETCHER, "Error in response for fetch request",
         "The leader went away or is too slow: the first sign of a broker that stops.", _PEER),
    Rule(REPLICATION, NOISE, _FETCHER, "UNKNOWN_TOPIC_OR_PARTITION|UNKNOWN_TOPIC_ID|INCONSISTENT_TOPIC_ID",
         "A topic is being created, deleted or moved.", _NOTHING),
    Rule(REPLICATION, WARNING, _FETCHER, "Found invalid messages during fetch",
         "A corrupt batch at the leader or on the wire; it is fetched again.", _REPEATS),
    Rule(REPLICATION, WARNING, _FETCHER, "Unexpected error occurred while processing data|Error while processing data|Unexpected error occurred during truncation",
         "The replica stops and stays behind until its broker restarts.", _SUPPORT),
    Rule(REPLICATION, INFO, _FETCHER, "Error for partition",
         "The leader answered a follower with an unexpected error.", _REPEATS),
    Rule(REPLICATION, WARNING, _FETCHER, "Error getting offset for partition",
         "A follower is out of range and could not learn the leader's offsets.", _REPEATS),
    Rule(REPLICATION, WARNING, _FETCHER, "current leader's latest offset",
         "A follower was ahead of the new leader: messages may be lost.",
         "Whether unclean leader election is on, and what producers with acks below all wrote."),
    Rule(REPLICATION, INFO, _FETCHER, "current leader's start offset",
         "A follower was too far behind and fetches the whole partition again, as a replaced broker does.", _PEER),
    Rule(REPLICATION, WARNING, _FETCHER, "below high watermark",
         "Committed messages were cut off on a follower: data may be lost.", _TOPIC),
    Rule(REPLICATION, NOISE, _FETCHER, "replied with an unknown offset",
         "A gap in the leader epochs; it heals itself.", _NOTHING),
    Rule(REPLICATION, WARNING, _FETCHER, "greater than replica.fetch.max.bytes",
         "A message is too large for replication: the replica cannot go on.",
         "max.message.bytes of the topic."),
    Rule(REPLICATION, NOISE, _FETCHER, "Failed to initiate shutdown",
         "A race while the broker stops.", _NOTHING),
    Rule(REPLICATION, INFO, _FETCHER, "leader epoch request",
         "The leader could not be reached while a follower truncated.", _PEER),
    Rule(REPLICATION, NOISE, "ReplicaManager", "failed to record follower|fetcher",
         "Partitions are being moved.", _NOTHING),
    Rule(REPLICATION, NOISE, "Partition", "replica state of replica ID",
         "A topic was deleted while its followers still fetched.", _NOTHING),
    Rule(REPLICATION, NOISE, "LeaderEpochFileCache", "caused truncation of conflicting entries",
         "The leader changed.", _NOTHING),

    # Controller
    Rule(CONTROLLER, INFO, "RequestSendThread", "fails to send request … to broker",
         "The controller lost a broker: it stops, restarts or has crashed.", _PEER),
    Rule(CONTROLLER, INFO, "RequestSendThread", "connection to broker … was unsuccessful",
         "The controller cannot reach a broker.", _PEER),
    Rule(CONTROLLER, WARNING, "RequestSendThread", "fails to send a request",
         "The controller dropped a request to a broker.", _PEER),
    Rule(CONTROLLER, INFO, "ControllerChannelManager", "since it is offline",
         "The controller has something for a broker that is out of the cluster.", _PEER),
    Rule(CONTROLLER, WARNING, "KafkaController", "Error while electing or becoming controller",
         "A change of the controller failed; another follows.", _REPEATS),
    Rule(CONTROLLER, INFO, "KafkaController", "elected but just resigned",
         "The controller is moving.", _REPEATS),
    Rule(CONTROLLER, NOISE, "KafkaController", "Controller has already moved",
         "A race while the controller moves.", _NOTHING),
    Rule(CONTROLLER, WARNING, "KafkaController", "Forcing the controller to resign",
         "The controller could not talk to ZooKeeper or to itself.", _REPEATS),
    Rule(CONTROLLER, WARNING, "KafkaController ControllerEventManager", "rror processing event",
         "The controller lost an event; what brokers know of the cluster may be old.", _HEALTH),
    Rule(CONTROLLER, WARNING, "KafkaController", "Error completing reassignment",
         "Moving a partition failed.", _TOPIC),
    Rule(CONTROLLER, INFO, "ZkPartitionStateMachine ZkReplicaStateMachine PartitionStateMachine ReplicaStateMachine", "Controller moved to another broker",
         "The controller moved in the middle of its work.", _REPEATS),
    Rule(CONTROLLER, WARNING, "logger", "Received error … in LeaderAndIsr response|Received error … in UpdateMetadata response|Received error … in StopReplica response",
         "A broker refused what the controller told it.", _HEALTH),
    Rule(CONTROLLER, WARNING, "logger", "cannot become follower since the new leader … is unavailable",
         "The new leader is gone already: two brokers are in trouble.", _HEALTH),
    Rule(CONTROLLER, WARNING, "logger", "initiated state change of replica … failed",
         "A replica could not be moved to another state.", _REPEATS),
    Rule(CONTROLLER, NOISE, "logger", "Ignoring LeaderAndIsr request|Ignoring StopReplica request",
         "A late request after the controller moved.", _NOTHING),

    # ZooKeeper
    Rule(ZOOKEEPER, INFO, "ClientCnxn", "Client session timed out|has not heard from server",
         "The broker lost ZooKeeper: the network, a ZooKeeper node, or a long pause of the broker itself.", _REPEATS),
    Rule(ZOOKEEPER, WARNING, "ClientCnxn", "has expired",
         "The broker dropped out of the cluster: leaders move, and it registers again.", _HEALTH),
    Rule(ZOOKEEPER, NOISE, "ClientCnxn", "losing socket connection|ttempting reconnect",
         "A ZooKeeper node restarted or a connection was cut.", _REPEATS),
    Rule(ZOOKEEPER, WARNING, "KafkaZkClient", "Error while creating ephemeral",
         "The broker came back before its old session had ended: it may not start.", _PEER),
    Rule(ZOOKEEPER, WARNING, "ZooKeeperClient", "Auth failed",
         "ZooKeeper refused the broker.", _SUPPORT),
    Rule(ZOOKEEPER, INFO, "ZooKeeperClient", "Uncaught error in handler",
         "A handler of ZooKeeper's events failed.", _REPEATS),
    Rule(ZOOKEEPER, WARNING, "ZkNodeChangeNotificationListener", "processing notification change",
         "A change of configuration was not applied on this broker.", _HEALTH),

    # TLS, authentication, authorisation
    Rule(SECURITY, CRITICAL, "NetworkClient", "failed authentication due to",
         "Brokers cannot authenticate each other: a certificate has expired or was rotated badly.", _SUPPORT),
    Rule(SECURITY, INFO, "NetworkClient", "terminated during authentication",
         "The other side closed in the middle of the TLS handshake, as a restart does.", _PEER),
    Rule(SECURITY, CRITICAL, _CONTROLLER_CHANNEL, "authentication error with controller",
         "The broker cannot authenticate to the controller.", _SUPPORT),
    Rule(SECURITY, INFO, "KafkaApis RequestHandlerHelper", "AuthorizationException|not authorized",
         "A client asks for something that it may not do.", _CLIENT),
    Rule(SECURITY, INFO, "SslTransportLayer", "Renegotiation requested",
         "An old TLS client asks for what Kafka does not do.", _CLIENT),

    # Connections
    Rule(NETWORK, INFO, "NetworkClient", "could not be established",
         "The broker it names is down or restarting.", _PEER),
    Rule(NETWORK, WARNING, "NetworkClient", "Error connecting to node",
         "The name of a broker cannot be resolved or reached: it may have been replaced.", _PEER),
    Rule(NETWORK, NOISE, "NetworkClient", "Bootstrap broker … disconnected",
         "A client inside the broker connects anew.", _NOTHING),
    Rule(NETWORK, INFO, "NetworkClient", "Uncaught error in request completion",
         "A client inside the broker failed.", _REPEATS),
    Rule(NETWORK, INFO, "Selector", "Unexpected error from|InvalidReceiveException",
         "Something that is no Kafka client connected, or a request was too large.", _CLIENT),
    Rule(NETWORK, NOISE, "Processor", "no open connection",
         "A client left before its answer; many at once mean a slow broker.",
         "Load of the broker, if they come in bursts."),
    Rule(NETWORK, INFO, "Processor", "Closing socket for",
         "A client sent a request that the broker cannot read.", _CLIENT),
    Rule(NETWORK, INFO, "Processor", "Exception while processing request from",
         "A client sent a request that the broker cannot read.", _CLIENT),
    Rule(NETWORK, WARNING, "Processor", "Processor got uncaught exception|poll failed",
         "A network thread is in trouble.", _REPEATS),
    Rule(NETWORK, INFO, "MetadataCache ZkMetadataCache", "Listeners are not identical",
         "Brokers differ in their listeners, as during a rolling change.", _HEALTH),
    Rule(MEMORY, INFO, "GarbageCollectedMemoryPool", "not properly release",
         "A request's memory was not given back.", _REPEATS),

    # Requests
    Rule(REQUEST, INFO, "ReplicaManager", "Error processing append operation",
         "A producer's batch was refused, mostly for a fault of its own.", _CLIENT),
    Rule(REQUEST, WARNING, "ReplicaManager", "Error processing fetch",
         "Reading a partition failed.", _TOPIC),
    Rule(REQUEST, WARNING, "KafkaApis", "Unexpected error handling request",
         "A request failed in the broker.", _CLIENT),
    Rule(REQUEST, WARNING, "RequestHandlerHelper KafkaApis", "Error when handling request",
         "A request failed in the broker.", _CLIENT),
    Rule(REQUEST, WARNING, "KafkaRequestHandler", "Exception when handling request",
         "A request failed in the broker; its thread goes on.", _CLIENT),
    Rule(REQUEST, INFO, "KafkaApis", "responding to offset request",
         "A request for offsets failed.", _CLIENT),
    Rule(REQUEST, INFO, "ZkAdminManager AdminManager", "Error processing",
         "Creating, changing or deleting a topic failed.", _CLIENT),

    # Groups and transactions
    Rule(COORDINATOR, WARNING, "GroupCoordinator", "Failed to persist metadata",
         "A group's state was not written: __consumer_offsets has too few replicas, or its leader moved.", _HEALTH),
    Rule(COORDINATOR, INFO, "GroupCoordinator", "Failed to write empty metadata",
         "The end of a group was not written; it is written again.", _REPEATS),
    Rule(COORDINATOR, WARNING, "GroupMetadataManager", "Appending metadata message",
         "A group's state was not written.", _HEALTH),
    Rule(COORDINATOR, INFO, "GroupMetadataManager", "Failed to append … tombstones",
         "Expired offsets were not removed.", _REPEATS),
    Rule(COORDINATOR, CRITICAL, "GroupMetadataManager", "Error loading offsets",
         "Offsets of the groups of that partition are missing: consumers start anew.", _HEALTH),
    Rule(COORDINATOR, INFO, "GroupCoordinator", "no members rejoined",
         "A consumer group died while it rebalanced.", _CLIENT),
    Rule(COORDINATOR, NOISE, "GroupCoordinator", "Setting empty assignments",
         "A client's assignor left members without partitions.", _CLIENT),
    Rule(COORDINATOR, NOISE, "GroupMetadataManager", "as well as transactional producers",
         "A group is written by consumers and transactions at once.", _CLIENT),
    Rule(COORDINATOR, INFO, "TransactionStateManager", "Failed to remove expired transactionalId",
         "An expired transactional id was not removed.", _REPEATS),
    Rule(COORDINATOR, CRITICAL, "TransactionStateManager", "Error loading transactions",
         "The state of the transactions of that partition is missing.", _HEALTH),
    Rule(COORDINATOR, INFO, "TransactionCoordinator", "Rollback of ongoing transaction",
         "A transaction stays open longer.", _CLIENT),
    Rule(COORDINATOR, WARNING, "TransactionCoordinator", "This is illegal",
         "A transaction is in a state that cannot be: a fault of Kafka.", _SUPPORT),
    Rule(COORDINATOR, WARNING, "*ProducerIdManager", "AllocateProducerIds|producer id",
         "New idempotent producers wait for their ids.", _HEALTH),
    Rule(COORDINATOR, NOISE, "AddPartitionsToTxnManager", "network exception",
         "A broker that a transaction needs is restarting.", _PEER),

    # Start and stop
    Rule(LIFECYCLE, CRITICAL, "", "Fatal error during KafkaServer startup",
         "The broker does not start.", _SUPPORT),
    Rule(LIFECYCLE, CRITICAL, "Kafka", "Exiting Kafka|Halting Kafka",
         "The broker's process ends.", _HEALTH),
    Rule(LIFECYCLE, WARNING, "KafkaServer", "Fatal error during KafkaServer shutdown|unclean shutdown",
         "The broker stopped uncleanly: its next start takes longer.", _PEER),
    Rule(LIFECYCLE, INFO, "KafkaServer", "controlled shutdown",
         "The broker takes long to hand over its partitions while it stops.", _PEER),
    Rule(LIFECYCLE, WARNING, "KafkaScheduler", "Uncaught exception in scheduled task",
         "A background job failed once; if it is kafka-log-retention, the disk fills.", _REPEATS),
    Rule(LIFECYCLE, WARNING, "", "Error due to|Uncaught exception in thread",
         "A thread of the broker ended for good.", _SUPPORT),
    Rule(LIFECYCLE, INFO, "DynamicBrokerConfig", "could not be applied|Failed to update broker configuration",
         "A change of configuration was not applied.", _HEALTH),
    Rule(LIFECYCLE, INFO, "BrokerFeatures FinalizedFeatureChangeListener", "eature",
         "Brokers of different versions, as during an upgrade.", _HEALTH),
    Rule(LIFECYCLE, NOISE, "KafkaConfig", "deprecated|ignored",
         "A setting is out of date; it also marks a start.", _NOTHING),
    Rule(LIFECYCLE, NOISE, "AppInfoParser", "Error registering AppInfo mbean",
         "Two clients inside the broker have the same id.", _NOTHING),
)
# fmt: on

CLASSES: tuple[tuple[Category, str], ...] = (
    (REPLICATION, "ReplicaFetcher* ReplicaAlterLogDirs* *LeaderEndPoint Partition LeaderEpoch*"),
    (ISR, _ISR_MANAGER),
    (CONTROLLER, "KafkaController RequestSendThread Controller* TopicDeletionManager *StateMachine"),
    (CONTROLLER, "*ToControllerRequestThread *ToControllerChannelManager NodeToControllerChannelManagerImpl logger"),
    (ZOOKEEPER, "ClientCnxn* ZooKeeper* KafkaZkClient ZkNodeChange* ZkClient*"),
    (STORAGE, "Log LocalLog UnifiedLog LogLoader LogSegment LogManager LogCleaner* LogDirFailureChannel"),
    (STORAGE, "ProducerStateManager ProducerAppendInfo *Index *Checkpoint* FileRecords"),
    (COORDINATOR, "Group* Transaction* *ProducerIdManager AddPartitionsToTxn* Coordinator*"),
    (NETWORK, "NetworkClient Selector SocketServer Processor *Acceptor RequestChannel ConnectionQuotas *MetadataCache"),
    (SECURITY, "Ssl* Sasl* *Authorizer DelegationToken*"),
    (MEMORY, "GarbageCollectedMemoryPool"),
    (REQUEST, "KafkaApis RequestHandlerHelper KafkaRequestHandler* *AdminManager ForwardingManager DelayedOperation* ReplicaManager"),
    (LIFECYCLE, "KafkaServer Kafka KafkaScheduler KafkaThread DynamicBrokerConfig *Features *Config AppInfoParser"),
    (LIFECYCLE, "LoggingSignalHandler FinalizedFeatureChangeListener Exit VerifiableProperties"),
)  # fmt: skip
"""Category by class, for lines whose message no rule knows."""

THREADS: tuple[tuple[Category, str], ...] = (
    (REPLICATION, r"Replica(Fetcher|AlterLogDirs)Thread"),
    (CONTROLLER, r"Controller-\d+-to-broker|controller-event-thread|to-controller"),
    (ZOOKEEPER, r"-SendThread\(|-EventThread|zk-client"),
    (STORAGE, r"kafka-log-cleaner|log-recovery|log-closing|LogDirFailure"),
    (NETWORK, r"kafka-network-thread|kafka-socket-acceptor"),
    (COORDINATOR, r"group-metadata|transaction-log|TxnMarker|AddPartitionsToTxn|executor-(Heartbeat|Rebalance)"),
    (REQUEST, r"kafka-request-handler"),
    (LIFECYCLE, r"^main$|kafka-shutdown-hook|SIGTERM handler"),
)  # fmt: skip
"""Category by thread, for classes that are not known either."""
