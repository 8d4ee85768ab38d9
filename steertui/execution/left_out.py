"""Models that a run leaves out, as its first events."""

from steertui.execution.events import ModelLeftOut
from steertui.planning.left_out import LeftOut


def left_out_models(*models: LeftOut) -> list[ModelLeftOut]:
    """Return the events of models that cannot be planned."""
    return [ModelLeftOut(model.name, model.reason) for model in models]
