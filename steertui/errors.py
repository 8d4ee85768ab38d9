"""Errors with a remedy. A message is one sentence: what is wrong, where, what to do."""

MAX_MESSAGE = 2_000
"""Characters of a message; of a longer one the start and the end, with the remedy, are kept."""


def shorten(text: str, most: int = 120) -> str:
    """Return a text in one line of at most `most` characters, for use in a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


class WithRemedy(str):
    """Text that ends with a remedy in the program's own words.

    The screens name keys for the commands in the remedy. The rest of the text, in which names and
    texts of the user can be, is shown as it is.

    Attributes:
        remedy: the end of the text; commands are in it as "`steertui models`".
    """

    __slots__ = ("remedy",)
    remedy: str

    def __new__(cls, fact: str, remedy: str) -> "WithRemedy":
        """Return "fact; remedy"; without a fact, the remedy."""
        text = super().__new__(cls, f"{fact}; {remedy}" if fact else remedy)
        text.remedy = remedy
        return text


def prefixed(prefix: str, text: str) -> str:
    """Return a text after a prefix, with its remedy if it has one."""
    if isinstance(text, WithRemedy):
        return WithRemedy(f"{prefix}{text[: -len(text.remedy)]}".removesuffix("; "), text.remedy)
    return f"{prefix}{text}"


class SteertuiError(Exception):
    """An error that the user can fix; shown as one line. Any other exception is a bug."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message; names of any length may be in it, so its middle is left out."""
        message = self.args[0] if self.args else ""
        text = message if isinstance(message, WithRemedy) else super().__str__()
        return text if len(text) <= MAX_MESSAGE else f"{text[:1000]} … {text[-500:]}"


class ScenarioError(SteertuiError):
    """A scenario pack or a conditions file is missing or malformed."""


class ExperimentError(SteertuiError):
    """An experiment names something that does not exist, or its settings are inconsistent."""


class ConsentError(SteertuiError):
    """The user has not agreed to what a received experiment would contact, fetch or read."""

    exit_code = 2


class BudgetError(SteertuiError):
    """The budget of a run is spent; the same command resumes it."""

    exit_code = 3


class TerminalError(SteertuiError):
    """The screens cannot be shown: a standard stream is no terminal, or it cannot be controlled."""

    exit_code = 2


class ModelError(SteertuiError):
    """A model's name, file or chat template cannot be used."""


class EngineError(SteertuiError):
    """llama.cpp rejected a request, ran out of memory or crashed."""


class JudgeError(SteertuiError):
    """A judge cannot be set up. (A single failed verdict is stored as data.)"""


class SourceError(SteertuiError):
    """A pinned source file, or a log of another program, is missing or not the expected one."""


class FetchError(SteertuiError):
    """A file cannot be downloaded, or its bytes are not the expected ones."""


class OtherFileError(FetchError):
    """A file on the hub is missing, or has other bytes than the hub listed."""


class MissingRepositoryError(FetchError):
    """The hub has no such repository, or it is private."""


class MissingRevisionError(FetchError):
    """A repository on the hub has no such revision."""


class GatedRepositoryError(FetchError):
    """A repository on the hub gives access only after its terms are accepted."""


class HubUnreachableError(FetchError):
    """The hub does not answer, or may not be asked."""


class StoreError(SteertuiError):
    """The database cannot be opened, read or written."""


class ServerError(SteertuiError):
    """A server cannot be reached, does not have the model, or rejects the request."""


class BundleError(SteertuiError):
    """A bundle cannot be read, or its parts do not agree."""


class OutputError(SteertuiError):
    """A file or stream cannot be written, or would replace a file that must be kept."""


class ClosedPipeError(OutputError):
    """The program that read standard output has ended, such as `head`."""

    exit_code = 141  # as the shell reports a program that SIGPIPE ended
