"""The one dial: how much work learning may do. Knows numbers; nothing depends on a data set's name.

Sizes of the work follow the graph's: a step sees a fixed share of the questions, and the number of
epochs falls where one epoch is long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sightline.graph.errors import UsageError


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """How a graph network is built and trained.

    Attributes:
        dim: reals per entity.
        narrow: width of a message.
        layers: message passing steps; 0 is plain ComplEx.
        dropout: share of a hidden message that is dropped.
        rate, rate_network: Adagrad step of the vectors, Adam step of the layers' weights.
        penalty: weight of the N3 penalty that is tried first.
        penalties, trial: those that may be tried, ascending; after one part in ``trial`` of the
            epochs the best on ``select`` goes on alone.
        epochs: at most so many.
        work: question-candidate pairs scored in all; it cuts the epochs of a large graph.
        candidates: tails scored per question; on a larger graph a shared sample of this size.
        patience: evaluations without a better filtered MRR before it stops.
    """

    dim: int = 256
    narrow: int = 128
    layers: int = 1
    dropout: float = 0.5
    rate: float = 0.1
    rate_network: float = 1e-3
    penalty: float = 1e-2
    penalties: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 5e-2, 1e-1)
    trial: int = 6
    epochs: int = 60
    work: float = 8e9
    candidates: int = 4096
    patience: int = 4


@dataclass(frozen=True, slots=True)
class PathConfig:
    """How the path member is fine-tuned and asked.

    Attributes:
        limit: entities that a question looks at; the nearest count.
        batch: questions a step learns from.
        rate: the Adam step at its highest.
        passes: every fact is asked so often at most, in both directions.
        learn: messages that it learns from.
        work: messages in answers to training questions, of which as many as there is work for are
            asked; 0 is no path member.
    """

    limit: int = 4096
    batch: int = 32
    rate: float = 1e-3
    passes: int = 2
    learn: float = 4e9
    work: float = 3e10


@dataclass(frozen=True, slots=True)
class StudentConfig:
    """How the student is built and distilled.

    Attributes:
        hidden: width of its network.
        context: reals of a directed relation that only the network sees, beside those that the
            product uses.
        dropout: share of the hidden units that is dropped.
        soft: weight of the teacher's part of the loss; 1 - soft is the hard labels'.
        temperatures: the grid that one temperature is chosen from.
        epochs, work: as a member's; a trial takes a twelfth of the epochs.
        rate: the Adam step at the start; it falls along a cosine to zero.
        top: teacher's answers kept per question on a graph with more entities than ``dense``.
        candidates: tails scored per question on such a graph: the answers of a step's questions,
            the teacher's ``sure`` best of each, and as many others as there is room for.
        products: entities up to which a question reads products of an entity's numbers.
        steps: of a second student whose rows are made of the edges, at most; 0 is none.
    """

    hidden: int = 512
    context: int = 128
    dropout: float = 0.05
    soft: float = 0.9
    temperatures: tuple[float, ...] = (1.0, 2.0, 4.0)
    epochs: int = 60
    work: float = 4e9
    rate: float = 5e-3
    top: int = 256
    dense: int = 4096
    candidates: int = 2048
    sure: int = 8
    products: int = 1 << 16
    steps: int = 400


@dataclass(frozen=True, slots=True)
class Preset:
    """A name and what it stands for: how the members of the teacher and the student are made."""

    name: str
    network: NetworkConfig
    partner: NetworkConfig
    path: PathConfig
    student: StudentConfig


def _preset(
    name: str,
    epochs: tuple[int, int],
    dim: int,
    work: float,
    path: float,
    network: bool = True,
    steps: int = 400,
) -> Preset:
    teacher, student = epochs
    return Preset(
        name,
        network=NetworkConfig(dim=dim, epochs=teacher, work=work * network),
        partner=NetworkConfig(dim=dim, layers=0, epochs=teacher, work=work),
        path=PathConfig(learn=path / 8, work=path),
        # A pair costs a student of 64 numbers half of what it costs a member, or less.
        student=StudentConfig(epochs=student, work=2 * work, steps=steps),
    )


PRESETS: dict[str, Preset] = {
    "quick": _preset("quick", (30, 40), dim=256, work=1e9, path=5e9, network=False, steps=0),
    "standard": _preset("standard", (60, 300), dim=512, work=8e9, path=3e10),
    "max": _preset("max", (120, 600), dim=1024, work=4e10, path=2e11),
}


def preset_named(name: str, *, tune: bool = False) -> Preset:
    """The preset of this name, or the same with penalties that are told apart at the end only."""
    if name not in PRESETS:
        raise UsageError(f"preset {name[:40]!r} is unknown; choose {', '.join(PRESETS)}")
    preset = PRESETS[name]
    if not tune:
        return preset
    network, partner = (replace(one, trial=1) for one in (preset.network, preset.partner))
    return replace(preset, network=network, partner=partner)


def epochs_for(epochs: int, work: float, pairs_per_epoch: int) -> int:
    """Epochs that keep to ``work`` pairs in all: at least 2, at most ``epochs``."""
    return max(2, min(epochs, int(work / max(pairs_per_epoch, 1))))


def batch_for(questions: int) -> int:
    """Questions per step: about 24 steps an epoch, inside what one step can carry."""
    return max(32, min(1024, -(-questions // 24)))
