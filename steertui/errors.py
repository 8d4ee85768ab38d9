"""Errors named by remedy: each is one sentence that says what is wrong, where, and what to do."""


def shorten(text: str, most: int = 120) -> str:
    """Return someone else's words in one line, cut to `most` characters, for such a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


class SteertuiError(Exception):
    """Anything the user can mend; shown as one line. Other exceptions are bugs."""

    exit_code = 1


class ScenarioError(SteertuiError):
    """A scenario pack or a file of conditions is missing or malformed."""


class ExperimentError(SteertuiError):
    """An experiment asks for something that does not exist or does not fit together."""


class ConsentError(SteertuiError):
    """The user has not agreed to what a received experiment would contact, fetch or read."""

    exit_code = 2


class ModelError(SteertuiError):
    """A model's name, file or chat template cannot be used."""


class EngineError(SteertuiError):
    """llama.cpp refused, ran out of memory or died."""


class JudgeError(SteertuiError):
    """A judge cannot be set up at all; one failed verdict is data, not an error."""


class SourceError(SteertuiError):
    """A public file is missing, or its bytes are not the published ones."""


class FetchError(SteertuiError):
    """A file cannot be fetched, or what came is not what was promised."""


class StoreError(SteertuiError):
    """The database cannot be opened, read or written."""


class ServerError(SteertuiError):
    """A model behind a server cannot be reached, does not exist there, or cannot be asked so."""


class OutputError(SteertuiError):
    """A file or stream cannot be written, or would replace a file that has to stay."""
