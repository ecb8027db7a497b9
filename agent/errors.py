"""What stops the agent: mistakes of whoever started it, said in plain sentences."""


class AgentError(Exception):
    """The root of the agent's own errors; abstract.

    Attributes:
        exit_code: What the process ends with.
    """

    exit_code = 1


class SettingsError(AgentError):
    """Settings that cannot work; one sentence for each, naming option and fix.

    Attributes:
        problems: The sentences.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
