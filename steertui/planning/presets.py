"""Named experiments."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from steertui.assets.paper_texts import BENCHMARK, PAPER, SUBSET
from steertui.core.experiment import DEMO_EXPERIMENT, Experiment

MODELS_4B = ("Qwen3-4B-Base", "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507")
MODELS_30B = ("Qwen3-30B-A3B-Base", "Qwen3-30B-A3B-Instruct-2507", "Qwen3-30B-A3B-Thinking-2507")

PAPER_JUDGE = "openai:gpt-5.2"
QUICK_MODEL = "Qwen3-1.7B"
CONTEST_MODEL = "Qwen3-4B-Instruct-2507"


def _as_in_the_paper(*models: str) -> Experiment:
    """Return the paper's experiment with the settings of its code (arXiv 2601.01584).

    The only difference: weights are quantised, and the paper's had 16 bits.
    """
    return Experiment(
        models=list(models),
        scenarios=[SUBSET],
        conditions=["baseline", "pro", "anti"],
        conditions_file=PAPER,
        judges=[PAPER_JUDGE],
        rubric=PAPER,
        reasons=True,
        temperatures=[0.0],
        max_tokens=1024,
        max_tokens_thinking=8096,
        stop_tokens="eos",
        thinking="force",
    )


def _contest(conditions_file: str, contest: str) -> Experiment:
    """Return the contest of a shipped conditions file; its answers are labelled by --judge."""
    return Experiment(
        models=[CONTEST_MODEL],
        conditions=[contest],
        conditions_file=conditions_file,
        max_tokens=512,
        thinking="off",
    )


_DEMO_STEERING = replace(DEMO_EXPERIMENT, max_tokens=64, limit=12, reasons=False)


PRESETS: Mapping[str, Experiment] = MappingProxyType(
    {
        "demo": DEMO_EXPERIMENT,
        "demo-steering": replace(
            _DEMO_STEERING,
            conditions=["baseline", "pro", "anti", "vector-pro", "vector-anti", "ablated"],
            conditions_file="demo-steering",
        ),
        "demo-dose": replace(
            _DEMO_STEERING,
            conditions=["pro", "vector", "lines"],
            conditions_file="demo-dose",
            limit=24,
        ),
        "demo-contest": replace(
            _DEMO_STEERING, conditions=["methods"], conditions_file="demo-contest", limit=24
        ),
        "contest-prompts": _contest("contest-prompts", "prompts"),
        "contest-methods": _contest("contest-methods", "methods"),
        "quick": Experiment(
            models=[QUICK_MODEL],
            scenarios=[BENCHMARK],
            conditions_file=PAPER,
            judges=[f"local:{QUICK_MODEL}"],
            max_tokens=512,
            thinking="off",
            limit=12,
        ),
        "paper-4b": _as_in_the_paper(*MODELS_4B),
        "paper": _as_in_the_paper(*MODELS_4B, *MODELS_30B),
    }
)
"""`demo`: the shipped demo model. `demo-steering`: the same under suffixes, a vector that the run
trains, and its ablation. `demo-dose`: strengths of that vector. `demo-contest`: suffixes and
vectors against each other. `contest-prompts` and `contest-methods`: contests on a real model.
`quick`: a small model that judges its own answers, for a first look; its labels are not evidence.
`paper-4b` and `paper`: the paper's experiments."""
