"""What Kafka's brokers log, and what each message means: the tables to extend.

A new message is one row in `agent.kafka.rules` and one line in
``fixtures/kafka/messages.jsonl``; ``fixtures/kafka/catalogue`` lists the log statements
of Kafka and what each of them must get. A message is judged by

1. the first row of `EXCEPTIONS` that fits the exceptions behind it,
2. the first row of `RULES` that fits its class (``at=``) and its own words,
3. the first row of `CLASSES` that fits its class, with the urgency that its first words
   have in `OPENINGS`,
4. its thread, by `THREADS`; it is ``unknown`` last.

Names and wording are those of Kafka 2.8 and 3.7, and of the ZooKeeper clients in them;
both stand in a row where they differ. Urgency never comes from the level: Kafka's own
fatal lines arrive as ERROR (``kafka.utils.Logging.fatal``), and most WARN lines are those
of a restart.
"""

from agent.kafka.categories import Category, Urgency
from agent.kafka.rule import (
    CONTROLLER,
    COORDINATOR,
    INFO,
    ISR,
    ISR_MANAGER,
    LIFECYCLE,
    MEMORY,
    NETWORK,
    NOISE,
    REPLICATION,
    REQUEST,
    SECURITY,
    STORAGE,
    WARNING,
    ZOOKEEPER,
    ClassDefault,
    Rule,
)  # fmt: skip
from agent.kafka.rules.controller import CONTROLLER_RULES
from agent.kafka.rules.exceptions import EXCEPTIONS
from agent.kafka.rules.lifecycle import LIFECYCLE_RULES
from agent.kafka.rules.network import NETWORK_RULES
from agent.kafka.rules.replication import REPLICATION_RULES
from agent.kafka.rules.requests import REQUEST_RULES
from agent.kafka.rules.storage import STORAGE_RULES
from agent.kafka.rules.zookeeper import ZOOKEEPER_RULES

__all__ = ["CLASSES", "EXCEPTIONS", "OPENINGS", "RULES", "RULE_BY_ID", "THREADS"]

RULES: tuple[Rule, ...] = (
    *STORAGE_RULES,
    *REPLICATION_RULES,
    *CONTROLLER_RULES,
    *ZOOKEEPER_RULES,
    *NETWORK_RULES,
    *REQUEST_RULES,
    *LIFECYCLE_RULES,
)
"""Rules for statements; the first one that fits decides."""

RULE_BY_ID: dict[str, Rule] = {rule.id: rule for rule in (*EXCEPTIONS, *RULES)}

CLASSES: tuple[ClassDefault, ...] = (
    ClassDefault(REPLICATION, INFO, "ReplicaFetcher* ReplicaAlterLogDirs* *LeaderEndPoint Partition LeaderEpoch* AbstractFetcher*"),
    ClassDefault(ISR, WARNING, ISR_MANAGER),
    ClassDefault(CONTROLLER, WARNING, "KafkaController RequestSendThread Controller* TopicDeletionManager *StateMachine *LeaderSelector logger"),
    ClassDefault(CONTROLLER, INFO, "*ToControllerRequestThread *ToControllerChannelManager NodeToControllerChannelManagerImpl AssignmentsManager"),
    ClassDefault(CONTROLLER, WARNING, "*ControlManager Quorum* *Publisher MetadataLoader BrokerHeartbeat* BrokerLifecycle* KRaft* KafkaRaft* *RaftServer Raft* Snapshot* *SnapshotReader *SnapshotWriter"),
    ClassDefault(ZOOKEEPER, INFO, "ClientCnxn* ZooKeeper* ZkNodeChange* ZkClient* ZkUtils ZKWatchManager ZKConfig StaticHostProvider CreateMode"),
    ClassDefault(ZOOKEEPER, WARNING, "KafkaZkClient ZkMigrationClient ZKChecked* KafkaHealthcheck"),
    ClassDefault(STORAGE, WARNING, "LogManager LogCleaner* LogDirFailureChannel Log LocalLog UnifiedLog LogLoader LogSegment Checkpoint* *Checkpoint *CheckpointFile MetaProperties* LogDirUtils"),
    ClassDefault(STORAGE, WARNING, "Remote* RLM* TopicBasedRemoteLogMetadataManager ConsumerTask ConsumerManager ProducerManager"),
    ClassDefault(STORAGE, INFO, "ProducerStateManager ProducerAppendInfo *Index *Records *RecordBatch AtomicFileOutputStream"),
    ClassDefault(COORDINATOR, WARNING, "Transaction* Txn* *ProducerIdManager AddPartitionsToTxn* *CoordinatorShard CoordinatorRuntime* CoordinatorLoader* CoordinatorExecutor* CoordinatorOperation* EventBasedCoordinatorTimer EventProcessorThread"),
    ClassDefault(COORDINATOR, INFO, "Group* Coordinator* *Group *Coordinator *AssignmentBuilder *Assignor InternalTopicManager Persister* *Persister"),
    ClassDefault(NETWORK, INFO, "NetworkClient Selector SocketServer Processor RequestChannel ConnectionQuotas *MetadataCache Metadata* Multi* ClientUtils PlaintextChannelBuilder PlaintextTransportLayer"),
    ClassDefault(NETWORK, WARNING, "*Acceptor EndpointReadyFutures"),
    ClassDefault(SECURITY, WARNING, "*Login LoginManager ExpiringCredential* X509Util SSL* *TrustManager FileChangeWatcher"),
    ClassDefault(SECURITY, INFO, "*Authorizer *SslEngineFactory *SslEngineBuilder *SslFactory *JwtRetriever *JwtValidator *TokenRetriever *CallbackHandler *LoginModule Ssl* Sasl* DelegationToken* OAuth* *Jwks HttpAccessTokenRetriever Secur* Jaas* Retry *ChannelBuilder *ChannelBuilders Scram* Kerberos*"),
    ClassDefault(MEMORY, INFO, "GarbageCollectedMemoryPool"),
    ClassDefault(REQUEST, INFO, "KafkaApis RequestHandlerHelper KafkaRequestHandler* *AdminManager ForwardingManager* DelayedOperation* DelayedActionQueue ActionQueue ReplicaManager ConfigHelper *AutoTopicCreationManager ClientQuota* ClientMetricsManager"),
    ClassDefault(LIFECYCLE, WARNING, "KafkaServer* Kafka KafkaBroker BrokerServer KafkaScheduler KafkaThread FinalizedFeature* *FaultHandler ServiceUtils KafkaEventQueue EventQueue"),
    ClassDefault(LIFECYCLE, NOISE, "KafkaConfig *Deserializer *Serializer Mx4jLoader JmxReporter CommonClientConfigs *GaugeSuite"),
    ClassDefault(LIFECYCLE, INFO, "*Features *Config *Configs *ConfigProvider *ConfigHandler AppInfoParser ConfigUtils ConfigSynonym SecretUtils QuotaFactory"),
    ClassDefault(LIFECYCLE, INFO, "Logging* Log4j* Exit VerifiableProperties Utils CoreUtils FutureUtils Errors *Metrics RuntimeLoggerManager"),
    ClassDefault(LIFECYCLE, INFO, "*Utils *Reporter *Factory *Strategy Shell LinuxIoMetricsCollector ShutdownableThread"),
)  # fmt: skip
"""Category and urgency by class, for messages without a rule. The first row decides."""

OPENINGS: tuple[tuple[Urgency, str], ...] = (
    (INFO, "Unexpected error code|Unexpected exception shutting down|Unexpected exception removing metrics"),
    (WARNING, "Unexpected error |Unexpected exception|Unexpected throwable|Unhandled |unhandled |Uncaught "),
    (INFO, "Ignoring |Skipping |Retry|Re-queueing |Retriable |Received retriable |Timed out wait|Timed out when|Too many "),
    (INFO, "Failed to close|Error closing|Error while closing|Error when closing|Error encountered while closing|Exception closing|Exception while closing"),
    (INFO, "Unknown |Unrecognized |Attempting to close"),
    (NOISE, "Interrupted while "),
)  # fmt: skip
"""Urgency by the first words of a message without a rule, above the class's default where
it is a warning, and below it where it is not. These words begin a message, so they are
Kafka's own."""

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
"""Category by thread, for classes that are not known; such messages are ``info``."""
