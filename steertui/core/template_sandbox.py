"""A Tryout: a chat template's first use, in a process of its own, before it is used here.

A GGUF's chat template is a program of its author's. Jinja's sandbox keeps it from the machine, and
not from running for ever or filling the memory; a process that is given seconds and bytes does.
"""

import json
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache

from steertui.core.prompt import ChatFormat
from steertui.errors import ModelError

SECONDS = 5
"""Of the processor's time; a busy machine may take longer over them."""

PATIENCE = 120
TOO_LONG = -24
"""The exit code of a process ended by SIGXCPU."""

BYTES = 2**30

ASKED = "Which of the two plans would you choose, and why? Answer in a few sentences. " * 20
"""As long as a scenario, since templates look at what they are given."""


@lru_cache(maxsize=64)
def try_out(template: str, bos: str, eos: str, model: str) -> None:
    """Raise ModelError where the template fails, or asks for more than 5 seconds or 1 GiB."""
    command = [sys.executable, "-P", "-m", "steertui.core.template_sandbox"]
    told = json.dumps([SECONDS, template, bos, eos, model])
    try:
        done = subprocess.run(
            command, input=told, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        code, said = done.returncode, done.stdout.strip()
    except subprocess.TimeoutExpired:
        code, said = TOO_LONG, ""
    if code == 1 and said:
        raise ModelError(said)
    if code == TOO_LONG:
        raise ModelError(
            f"{model}: its chat template does not come to an end; do not use this file"
        )
    if code:
        raise ModelError(
            f"{model}: its chat template asks for more memory than any should; do not use this file"
        )


def main() -> None:
    """Write one prompt by the template that stdin tells; the exit code is the answer."""
    seconds, template, bos, eos, model = json.load(sys.stdin)
    with suppress(ImportError, ValueError, OSError):  # not every system can limit itself
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    try:
        chat = ChatFormat(template, bos, eos, model)
        for thinking in (True, False):
            chat.render("You are a helpful assistant.", ASKED, thinking=thinking)
    except ModelError as exc:
        print(exc)
        sys.exit(1)
    except MemoryError:
        sys.exit(2)


if __name__ == "__main__":
    main()
