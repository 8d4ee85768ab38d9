"""Failures of requests to a server: rejected by it, or no response received."""

from steertui.server.error_body import ErrorBody

_UNKNOWN_MODEL = ("does not exist", "not found", "not exist", "unknown model", "invalid model")
_UNKNOWN_MODEL_CODES = frozenset({"model_not_found", "DeploymentNotFound"})


class RequestRejected(Exception):
    """The server responded with an error status.

    Attributes:
        status: HTTP status.
        message: the server's error message in one line, without keys.
        code: the server's error code; "" if there is none.
        parameter: the setting that the error names in a field of its own; "" if none.
        is_filtered: whether a content filter refused the prompt.
        retry_after: seconds after which the server wants to be asked again; None if not given.
    """

    def __init__(
        self, status: int, message: str, error: ErrorBody, retry_after: float | None = None
    ) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message
        self.code = error.code
        self.parameter = error.parameter
        self.is_filtered = error.is_filtered
        self.retry_after = retry_after

    @property
    def is_key_rejected(self) -> bool:
        """Whether the server does not accept the API key."""
        return self.status in (401, 403) and not self.is_filtered

    @property
    def is_unknown_model(self) -> bool:
        """Whether the server does not know the model."""
        if self.code in _UNKNOWN_MODEL_CODES:
            return True
        is_about_model = self.status in (400, 404) and "model" in self.message
        return is_about_model and any(p in self.message.lower() for p in _UNKNOWN_MODEL)

    @property
    def is_quota_exceeded(self) -> bool:
        """Whether the account's quota is used up."""
        return self.status == 402 or self.code == "insufficient_quota"


class ConnectionFailed(Exception):
    """No response was received.

    Attributes:
        cause: why, in a few words.
        was_sent: whether the request may have reached the server.
        timed_out: whether the response took too long.
    """

    def __init__(self, cause: str, *, was_sent: bool, timed_out: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.was_sent = was_sent
        self.timed_out = timed_out
