"""Flow control of a connection."""

from uvicorn.protocols.http.flow_control import FlowControl


class HoldableFlow(FlowControl):
    """uvicorn's flow control, where a connection that holds requests reads no more.

    Attributes:
        is_held: Whether requests wait for the answer to an earlier one.
    """

    is_held = False

    def resume_reading(self) -> None:
        """Read on, unless requests are held."""
        if self.read_paused and not self.is_held:
            super().resume_reading()
