"""The front door re-exports what is documented, sorted, and nothing else."""

import parsers


def test_the_front_door_is_exact() -> None:
    exported = {
        name
        for name, value in vars(parsers).items()
        if not name.startswith("_")
        and getattr(value, "__name__", name) != f"parsers.{name}"
    }

    assert exported == set(parsers.__all__)
