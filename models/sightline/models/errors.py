"""Learning that fails, and questions that a model cannot answer."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotReady, SightlineError


class NoModel(NotReady):
    """The workspace has no trained model."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} has no trained model, so nothing can be predicted; "
            f"`sightline train -w {path}` and `sightline distill -w {path}` first",
            path,
        )


class LearningError(SightlineError):
    """Training or a model cannot do what was asked."""


class CannotTrain(LearningError):
    """The graph has not what training needs; said before the first epoch."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot train on this graph: {reason}")


class Diverged(LearningError):
    """The loss is no longer finite. Nothing is published."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"training diverged at step {step} (the loss is not finite); the last checkpoint is "
            "kept, nothing was published: try another --seed or --preset"
        )


class OutOfDeviceMemory(LearningError):
    """The device is too small for the chosen size."""

    def __init__(self, device: str) -> None:
        super().__init__(
            f"out of memory on {device}: the model and one batch do not fit; use --preset quick or "
            "--device cpu"
        )


class WorseModel(LearningError):
    """The new model answers worse than the one it would replace."""

    status = 409

    def __init__(self, new: str, new_mrr: float, served: str, old_mrr: float) -> None:
        super().__init__(
            f"model {new} is kept but not served: its MRR on validation is {new_mrr:.3f}, that of "
            f"{served}, which goes on answering, is {old_mrr:.3f}; "
            f"`sightline evaluate --model {new} --force` serves it all the same"
        )


class UnknownToModel(LearningError):
    """The entity came after the model was trained."""

    status = 409

    def __init__(self, what: str, ref: str) -> None:
        super().__init__(
            f"the model does not know {what} {ref[:120]!r} (it came after training, or has no "
            "edge); `sightline train` learns it"
        )


class NoVectors(LearningError):
    """The served model has no vectors of entities."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "the served model, the foundation member, has no vectors of entities: nothing can be "
            "said to lie near another, and there is no student to export; one that has comes of "
            "`sightline train`, `sightline distill` and `sightline evaluate`"
        )


class FoundationUnusable(LearningError):
    """The pre-trained weights of this installation cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the foundation file (foundation.npz) of this installation cannot be used: {reason}; "
            "install sightline again. Everything else works without it"
        )
