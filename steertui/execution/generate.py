"""Generation: a local model answers the prompts that have no answer yet."""

import platform
from collections.abc import Generator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version

from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.engine.devices import devices
from steertui.engine.events import Completed, LogitsNotFinite, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sampler import SAMPLER_VERSION
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.errors import EngineError
from steertui.execution.control import RunControl
from steertui.execution.engine_loop import (
    MAX_FAILED_FIRST,
    generate_requests,
    run_until_idle,
)
from steertui.execution.events import (
    Event,
    Generated,
    ModelLoaded,
    ModelLoading,
    ModelStopped,
    RunStage,
)
from steertui.execution.remaining_work import StageWork
from steertui.planning.plan import Plan
from steertui.steering.applied import Applier
from steertui.store import Store

NOT_FINITE = (
    "its logits were NaN or infinite for all its first prompts; the file is damaged, or its "
    "numbers overflow on this device: download it again, or try --gpu-layers 0 or another "
    "quantisation"
)
"""Why a model is stopped whose logits are never finite."""

SAMPLER = {"sampler": SAMPLER_VERSION}
"""Stored with the versions of a run on this machine."""


def generate(
    plan: Plan,
    store: Store,
    model: Model,
    prompts: Sequence[Prompt],
    *,
    overrides: Overrides,
    control: RunControl,
) -> Generator[Event, None, None]:
    """Generate the answers; each answer is stored before its event is yielded.

    A model whose logits are NaN or infinite for every prompt is stopped.
    """
    applier = Applier(model, store.load_vector, plan.design.interventions.adapters)
    applied = applier.steerings(p.trial.interventions for p in prompts)
    with vocabulary(model.path) as gguf:
        requests = generate_requests(gguf, prompts, applied.indices)
        workload = workload_of(requests, share=gguf.can_truncate)
        shapes = choose_shapes(gguf, model.size, workload, overrides)
    with Pool(model.path, shapes, applied.steerings) as engine:
        for _ in engine.load():
            yield ModelLoading(model.name)
        run_id = store.add_run(plan.id, versions() | SAMPLER, device(), [asdict(s) for s in shapes])
        yield ModelLoaded(RunStage.GENERATE, model.name, shapes, len(requests))
        by_key = {p.key: p for p in prompts}
        allowed, not_finite, has_answered = min(MAX_FAILED_FIRST, len(requests)), 0, False
        longest = max(request.sampling.max_tokens for request in requests)
        prefill = workload.prefill_tokens(shapes[0].slots)
        work = StageWork(prefill, len(requests), longest, engine.snapshot())
        for event in run_until_idle(engine, RunStage.GENERATE, requests, control, work=work):
            if isinstance(event, Completed):
                has_answered = True
                prompt = by_key[event.id]
                generation = replace(event.generation, prefill=prompt.prefill)
                store.add_generation(event.id, run_id, generation)
                yield Generated(prompt, generation)
            elif isinstance(event, RequestFailed):
                store.add_failure(event.id, run_id, event.reason)
                yield event
            elif not isinstance(event, Scored):
                yield event
            not_finite += isinstance(event, LogitsNotFinite)
            if not has_answered and not_finite >= allowed:
                yield ModelStopped(model.name, NOT_FINITE, engine.unfinished)
                return


def memory_problem(plan: Plan, model: Model, overrides: Overrides) -> str:
    """Return why a model's weights and its longest prompt do not fit the memory, "" if they do.

    Only the header of its GGUF is read.
    """
    prompts = plan.missing(model)
    if not prompts:
        return ""
    longest = max(prompts, key=lambda prompt: len(prompt.text))
    with vocabulary(model.path) as gguf:
        workload = workload_of(generate_requests(gguf, [longest]), share=gguf.can_truncate)
        try:
            choose_shapes(gguf, model.size, workload, overrides)
        except EngineError as exc:
            return str(exc)
    return ""


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that an answer may depend on."""
    packages = ("steertui", "llama-cpp-python", "numpy", "jinja2")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def device() -> str:
    """Return the devices as text, such as "CPU: AMD EPYC; CUDA0: NVIDIA H200"."""
    return "; ".join(f"{d.name}: {d.description}" for d in devices())
