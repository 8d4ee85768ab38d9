"""A local judge at work: the labels' likelihoods of every answer it has not read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from steertui.engine.demand import demand
from steertui.engine.events import Failed, Scored, Written
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import Score, Write
from steertui.engine.sizing import Overrides, fit
from steertui.generation import SamplingParams
from steertui.judge.local import LABEL_TEXTS, LocalJudge, read_reason, reason_prompt
from steertui.panel import case_of, chat_format
from steertui.run.drive import drive, vocabulary
from steertui.run.events import Event, Judged, Loaded
from steertui.store import Store, Unjudged
from steertui.verdict import Label, Verdict

REASON = SamplingParams(max_tokens=80)


def score(
    store: Store, judge: LocalJudge, waiting: Sequence[Unjudged], wish: Overrides, *, reasons: bool
) -> Iterator[Event]:
    """Judge the waiting answers; every verdict is stored before its event."""
    with vocabulary(judge.model) as llama:
        asked = _Asked(judge, llama, waiting)
        for key, reason in asked.too_long.items():
            yield _fail(store, judge, key, reason)
        if not asked.requests:
            return
        shapes = fit(llama, judge.model.size, demand(asked.requests, REASON.max_tokens), wish)
        with Pool(judge.model.path, shapes) as engine:
            yield Loaded("judge", judge.name, shapes, len(asked.requests))
            found: dict[str, Verdict] = {}
            for event in drive(engine, "judge", asked.requests):
                if isinstance(event, Scored):
                    verdict = judge.verdict(event.logliks, event.seconds)
                    if reasons and verdict.label:
                        found[event.id] = verdict
                        engine.add(asked.for_reason(event.id, verdict.label))
                        continue
                elif isinstance(event, Written):
                    verdict = found.pop(event.id)
                    verdict = replace(verdict, reason=read_reason(event.generation.text))
                elif isinstance(event, Failed) and event.id in found:
                    verdict = found.pop(event.id)  # the label stands, only its reason was lost
                elif isinstance(event, Failed):
                    yield _fail(store, judge, event.id, event.reason)
                    continue
                else:
                    yield event
                    continue
                store.add_verdict(event.id, verdict)
                yield Judged(event.id, verdict)


class _Asked:
    """What a local judge is asked about the waiting answers: a Score each, or why not."""

    def __init__(self, judge: LocalJudge, llama: LlamaModel, waiting: Sequence[Unjudged]) -> None:
        chat = chat_format(llama, judge.model.name)
        labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
        after = max(map(len, labels)) + REASON.max_tokens
        self._llama = llama
        self._prompts: dict[str, str] = {}
        self.requests: list[Score] = []
        self.too_long: dict[str, str] = {}
        for u in waiting:
            text = judge.prompt(chat, case_of(u, blind=judge.blind))
            tokens = llama.tokenize(text)
            if len(tokens) + after > llama.context_trained:
                self.too_long[u.key] = f"prompt of {len(tokens)} tokens does not fit"
                continue
            self._prompts[u.key] = text
            self.requests.append(Score(u.key, tokens, labels))

    def for_reason(self, key: str, label: Label) -> Write:
        """Return the request for the reason of a label that was decided."""
        return Write(key, self._llama.tokenize(reason_prompt(self._prompts[key], label)), REASON)


def _fail(store: Store, judge: LocalJudge, key: str, reason: str) -> Judged:
    verdict = Verdict(judge.id, None, failure=reason)
    store.add_verdict(key, verdict)
    return Judged(key, verdict)
