"""Log statements are read from Scala and Java by their syntax."""

from fixtures.kafka.catalogue.statements import Statement, find_statements

SCALA = """
class ReplicaManager extends Logging {
  this.logIdent = s"[ReplicaManager broker=$localBrokerId] "
  def halt(dir: String, e: Throwable): Unit = {
    val reason = s"because dir $dir is offline"
    info("not read")
    warn(s"Stopping replicas in dir ${dir.name} " +
      s"of $broker", e)
    fatal("Halting " + reason)
    stateChangeLogger.withControllerEpoch(1).error("Failed for %s".format(dir))
    maybeHandleIOException(s"Error while deleting $file") { remove() }
  }
  private class Handler extends ShutdownableThread("x") { error("nested") }
}
object ReplicaManager { def f(): Unit = logger.warn("{} of {}", one, two) }
"""
JAVA = """
public class Selector {
    private static final Logger log = LoggerFactory.getLogger(NetworkClient.class);
    void poll(Exception e) {
        String text = "closing " + id;
        log.debug("not read");
        log.warn("Error from {}; {}", channel.id(), reason, e);
        log.error(String.format("Node %s gone", node));
        log.error(text);
    }
}
"""


def found(name: str, source: str) -> list[tuple[str, str, str, bool]]:
    statements = find_statements(name, source.encode())
    return [(one.logger, one.level, one.text, one.throws) for one in statements]


def test_statements_of_scala_are_read() -> None:
    assert found("ReplicaManager.scala", SCALA) == [
        (
            "ReplicaManager",
            "WARN",
            "Stopping replicas in dir {dir.name} of {broker}",
            True,
        ),
        ("ReplicaManager", "ERROR", "Halting because dir {dir} is offline", False),
        ("logger", "ERROR", "Failed for {dir}", False),
        ("LogDirFailureChannel", "ERROR", "Error while deleting {file}", True),
        ("ReplicaManager$Handler", "ERROR", "nested", False),
        ("ReplicaManager", "WARN", "{one} of {two}", False),
    ]


def test_statements_of_java_are_read() -> None:
    assert found("Selector.java", JAVA) == [
        ("NetworkClient", "WARN", "Error from {channel.id()}; {reason}", True),
        ("NetworkClient", "ERROR", "Node {node} gone", False),
        ("NetworkClient", "ERROR", "closing {id}", False),
    ]


def test_a_statement_has_its_context_and_source() -> None:
    first: Statement = next(find_statements("a/ReplicaManager.scala", SCALA.encode()))

    assert first.context == "[ReplicaManager broker={localBrokerId}]"
    assert first.source == "ReplicaManager.scala:7"
