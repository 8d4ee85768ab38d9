"""Judge kinds and model backends are read from ids and origins by one function each."""

import pytest

from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import ModelBackend, parse_model_backend


@pytest.mark.parametrize(
    ("judge", "kind"),
    [
        ("local:demo", JudgeKind.LOCAL),
        ("local:demo/paper#0123456789ab", JudgeKind.LOCAL),
        ("openai:gpt-5.2", JudgeKind.SERVER),
        ("openai:human/model@http://127.0.0.1:8000/v1", JudgeKind.SERVER),
        ("human:ada", JudgeKind.HUMAN),
        ("paper:gpt-5.2", JudgeKind.PAPER),
        ("jury:majority-of-3-0123abcd", JudgeKind.JURY),
        ("control:labels", JudgeKind.CONTROL),
        ("humane", JudgeKind.OTHER),
        ("", JudgeKind.OTHER),
    ],
)
def test_the_kind_of_a_judge_is_its_prefix(judge: str, kind: JudgeKind) -> None:
    assert parse_judge_kind(judge) is kind


def test_people_published_and_known_labels_are_references() -> None:
    references = {kind for kind in JudgeKind if kind.is_reference}
    assert references == {JudgeKind.HUMAN, JudgeKind.PAPER, JudgeKind.CONTROL}


@pytest.mark.parametrize(
    ("identity", "origin", "backend"),
    [
        ("0" * 64, "", ModelBackend.GGUF),
        ("0" * 64, "owner/repo@commit/file.gguf", ModelBackend.GGUF),
        ("0" * 64, "server:qwen3@http://127.0.0.1:8000/v1", ModelBackend.SERVER),
        ("imported:Qwen3-4B-Base#12345678", "", ModelBackend.IMPORTED),
        ("control:" + "0" * 64, "", ModelBackend.CONTROL),
    ],
)
def test_the_backend_of_a_model_is_read_from_identity_and_origin(
    identity: str, origin: str, backend: ModelBackend
) -> None:
    assert parse_model_backend(identity, origin) is backend
