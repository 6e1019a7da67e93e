"""The root of every error that a user may see, and the errors that any component raises.

Every message names the condition, the value and the way out. Knows status codes and exit codes, so
that every portal translates an error in the same way; knows no route, no command and no component.
Each component, and each room of this one, has an ``errors`` module of its own on these.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

#: What a portal makes of a sentence for its users. Ways out are written as on the command line,
#: ``--option`` and ``sightline COMMAND`` between backticks; a portal that has others says those.
in_words: ContextVar[Callable[[str], str]] = ContextVar("in_words", default=str)


class SightlineError(Exception):
    """Base of every error that a user may see. ``str(error)`` is one plain sentence.

    Args:
        paths: files and folders of this machine that the sentence names.
    """

    #: HTTP status of the condition.
    status = 500
    #: Process exit code: 1 failed, 2 wrong usage.
    exit_code = 1

    def __init__(self, sentence: str = "", *paths: str | Path) -> None:
        super().__init__(sentence)
        self.paths = [Path(path) for path in paths if path]

    @property
    def public(self) -> str:
        """The sentence for someone elsewhere: of paths it says the last name only, and ways out in
        the words of the portal."""
        said = str(self)
        for path in self.paths:
            for text in (str(path), repr(str(path))[1:-1]):
                said = said.replace(text, path.name)
        return in_words.get()(said)

    @property
    def kind(self) -> str:
        """The problem type: the class name in kebab case."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")

    @property
    def extra(self) -> dict[str, object]:
        """Members that a machine-readable problem report carries besides the sentence."""
        return {}


class UsageError(SightlineError):
    """The request cannot be answered as it stands."""

    status = 422
    exit_code = 2


class OutOfRange(UsageError):
    """A numeric limit outside its allowed range."""

    def __init__(self, name: str, value: object, low: float, high: float) -> None:
        super().__init__(f"{name} is {value!s:.40}; allowed are {low:.9g} to {high:.9g}")
        self.allowed = (low, high)

    @property
    def extra(self) -> dict[str, object]:
        return {"allowed": list(self.allowed)}


def require_range(name: str, value: float, low: float, high: float) -> None:
    """Check a limit that a caller sets.

    Raises:
        OutOfRange: below ``low``, above ``high``, or NaN.
    """
    if not low <= value <= high:
        raise OutOfRange(name, value, low, high)


class NotFound(SightlineError):
    """Something that was asked for by name does not exist."""

    status = 404


class NotReady(SightlineError):
    """A stage that this answer needs has not run yet."""

    status = 409


class Unavailable(SightlineError):
    """Something outside Sightline is missing or taken."""

    status = 503


class MissingExtra(Unavailable):
    """An optional dependency is not installed."""

    status = 501

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs {package}, which the base install leaves out; "
            f'install it with: pip install "sightline[{extra}]"'
        )


class Busy(Unavailable):
    """A bounded queue is full."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is full; try again in a few seconds")
