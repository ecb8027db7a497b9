"""What stops a build."""

from collections.abc import Iterator
from contextlib import contextmanager


class BuildError(Exception):
    """A definition is not understood; one sentence that says where."""


@contextmanager
def place(name: str) -> Iterator[None]:
    """Say in whatever fails inside where that was.

    Args:
        name: File, section or panel.

    Raises:
        BuildError: Anything failed: a wrong definition shows in many ways, and all of
            them are the author's to mend.
    """
    try:
        yield
    except BuildError as error:
        # A dashboard and what it is made of are mostly in one file.
        text = str(error)
        message = text if text.startswith(f"{name}: ") else f"{name}: {text}"
        raise BuildError(message) from None
    except Exception as error:
        message = f"{name}: {type(error).__name__}: {error}"
        raise BuildError(message) from error
