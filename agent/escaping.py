"""Making untrusted text harmless where people read it."""


def escape_controls(text: str) -> str:
    r"""Escape what a terminal or a browser would act upon instead of showing it.

    Control characters, and those that change the direction of what follows, become
    ``\x1b`` and the like. HTML is the business of whoever writes HTML.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else repr(character)[1:-1]
        for character in text
    )
