"""Training beside PyKEEN: CPU seconds of an epoch, the median of some after one that warms up.

Both train on the same facts (CoDEx-S where ``SIGHTLINE_DATA`` holds it, made-up facts of its size
elsewhere) with the same questions in both directions, the same batches, vectors of the same length
and Adagrad; nothing is ranked meanwhile. Ours is timed through ``NetworkTrainer.run`` and includes
a checkpoint at the end of every epoch; PyKEEN's is its LCWA loop, which writes none.

The loss of both is cross entropy over all entities, with all answers of a question at once, and an
N3 penalty. Ours is averaged over answers, PyKEEN's over questions; PyKEEN's CompGCN can penalise
its vectors before the layer only.

CompGCN is on both sides one layer of multiplied messages with ReLU and dropout, run once per batch,
and ComplEx as the decoder: PyKEEN's default, DistMult, multiplies out every question with every
tail and is slower. PyKEEN's messages are as wide as its vectors; ours are narrower in every preset,
so both widths are measured. Our layer's weights learn by Adam, and the edges that answer a batch
are taken out of the graph first, which PyKEEN does not do.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

# PyKEEN makes a folder when it is imported, in the home directory if nothing is said.
os.environ.setdefault("PYSTOW_HOME", str(Path(tempfile.gettempdir()) / "pystow"))

import numpy as np
import torch
from measure import Result
from pykeen.losses import CrossEntropyLoss
from pykeen.models import CompGCN, ComplEx, Model
from pykeen.nn.modules import ComplExInteraction
from pykeen.training import LCWATrainingLoop, TrainingCallback
from pykeen.triples import CoreTriplesFactory
from pykeen.version import get_version
from synthetic import scale_free

from sightline.models.data.dataset import LearningData
from sightline.models.data.questions import Questions
from sightline.models.members.network import NetworkTrainer
from sightline.models.training.presets import NetworkConfig, batch_for

ENTITIES, RELATIONS, FACTS = 2034, 42, 32_888
#: Reals per entity of the presets ``quick`` and ``standard``.
DIMS = (256, 512)
EPOCHS = 4
#: As it is shipped, over all entities, for so many epochs.
OURS = NetworkConfig(epochs=EPOCHS, work=1e18, candidates=ENTITIES)


class Halves(ComplExInteraction):
    """ComplEx on vectors of reals, whose second half is the imaginary part."""

    def forward(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """As the decoder of a member."""
        return super().forward(*(torch.complex(*x.chunk(2, dim=-1)) for x in (h, r, t)))


class Clock(TrainingCallback):
    """The CPU time at the end of every epoch, and how many batches there were."""

    def __init__(self) -> None:
        super().__init__()
        self.batches, self.times = 0, []

    def post_batch(self, *_: Any, **__: Any) -> None:
        """Count it."""
        self.batches += 1

    def post_epoch(self, *_: Any, **__: Any) -> None:
        """Look at the clock."""
        self.times.append(time.process_time())


def run(folder: Path, scale: float) -> list[Result]:
    """ComplEx and CompGCN at the sizes of two presets."""
    name, data = _data(scale)
    return [result for dim in DIMS for result in _at(dim, name, data, folder)]


def _at(dim: int, name: str, data: LearningData, folder: Path) -> list[Result]:
    facts = torch.from_numpy(data.train.astype(np.int64))
    factory = CoreTriplesFactory(facts, ENTITIES, RELATIONS, create_inverse_triples=True)
    plain, network = (_peer(model, factory, data, folder) for model in _models(dim, factory))
    narrow, wide = (f"CompGCN, {dim} numbers, {w} a message" for w in (OURS.narrow, dim))
    third = "<= 1/3 of the peer"
    measured = (
        (f"ComplEx, {dim} numbers", replace(OURS, dim=dim, layers=0), plain, "<= the peer"),
        (narrow, replace(OURS, dim=dim), network, third),
        (wide, replace(OURS, dim=dim, narrow=dim), network, third),
    )
    results = []
    for what, config, theirs, wanted in measured:
        own = _own(config, data, folder)
        value, peer_value = float(np.median(own)), float(np.median(theirs))
        times = peer_value / value
        details = {
            "graph": name,
            "facts": len(data.train),
            "questions": len(data.questions),
            "batch": batch_for(len(data.questions)),
            "times as fast": times,
            "epochs": {"own": own, "peer": theirs},
            "torch": torch.__version__,
        }
        peer = f"PyKEEN {get_version()}, {times:.1f} times as long"
        results.append(Result(f"an epoch of {what}", value, "s", wanted, peer, peer_value, details))
    return results


def _models(dim: int, factory: CoreTriplesFactory) -> tuple[Model, Model]:
    penalty = {"p": 3.0, "weight": OURS.penalty}
    n3: dict[str, Any] = {"regularizer": "powersum", "regularizer_kwargs": penalty}
    layer = {"dropout": OURS.dropout, "activation": "relu", "composition": "multiplication"}
    vectors = {"embedding_dim": dim, **n3}
    encoder = {"entity_representations_kwargs": vectors, "layer_kwargs": layer}
    shared: dict[str, Any] = {"triples_factory": factory, "random_seed": 0}
    return (
        ComplEx(embedding_dim=dim // 2, loss=CrossEntropyLoss(), **n3, **shared),
        CompGCN(encoder_kwargs=encoder, interaction=Halves(), loss=CrossEntropyLoss(), **shared),
    )


def _own(config: NetworkConfig, data: LearningData, folder: Path) -> list[float]:
    """CPU seconds of every epoch but the first."""
    times: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        trainer = NetworkTrainer(Questions(data, torch.device("cpu")), config, 0)
        trainer.run(Path(scratch), lambda *_: times.append(time.process_time()))
    return np.diff(times).tolist()


def _peer(
    model: Model, factory: CoreTriplesFactory, data: LearningData, folder: Path
) -> list[float]:
    """CPU seconds of every epoch but the first."""
    clock, batch = Clock(), batch_for(len(data.questions))
    rate = {"lr": OURS.rate}
    loop = LCWATrainingLoop(
        model=model,
        triples_factory=factory,
        optimizer="adagrad",
        optimizer_kwargs=rate,
        automatic_memory_optimization=False,
    )
    loop.train(
        factory,
        num_epochs=EPOCHS,
        batch_size=batch,
        drop_last=False,
        use_tqdm=False,
        pin_memory=False,
        callbacks=clock,
        checkpoint_directory=folder,
    )
    assert clock.batches == EPOCHS * -(-len(data.questions) // batch), "not the same questions"
    return np.diff(clock.times).tolist()


def _data(scale: float) -> tuple[str, LearningData]:
    path = Path(os.environ.get("SIGHTLINE_DATA", ".")) / "codex-s" / "train.txt"
    if path.exists():
        name, lines = "CoDEx-S", path.read_text(encoding="utf-8").splitlines()
        heads, relations, tails = zip(*(line.split("\t") for line in lines))
        entities = {iri: row for row, iri in enumerate(sorted({*heads, *tails}))}
        rels = {iri: row for row, iri in enumerate(sorted({*relations}))}
        columns = [[entities[h] for h in heads], [rels[r] for r in relations]]
        triples = np.array([*columns, [entities[t] for t in tails]]).T
    else:
        name, triples = "made up", scale_free(ENTITIES, RELATIONS, FACTS)
    triples = triples[: int(len(triples) * scale)].astype(np.int32)
    none = np.zeros((0, 3), np.int32)
    iris = [[f"urn:{i}" for i in range(count)] for count in (ENTITIES, RELATIONS)]
    return name, LearningData(*iris, triples, none, none, none, none, none, "given")
