"""Teacher, student and control of a large data set on one GPU: 25 minutes, in calls of at most 10.

    export PYTHONPATH=graph:models:distill
    python benchmarks/gpu.py all DATA/fb15k-237 --out workspaces/fb15k-237
    python benchmarks/gpu.py all DATA/wn18rr --out workspaces/wn18rr

Each line three times, until it prints "done". The folder holds ``train.txt``, ``valid.txt`` and
``test.txt``, a tab between the three columns. A bare image will do: numpy, scipy, torch,
torch-geometric; nothing is installed or fetched. One step alone is its name in the place of
``all``:

- partner: ComplEx, once for each weight of its penalty; the best on ``select`` stays.
- path: as many questions as its minutes allow, by the time that the first ones take.
- teach: the blend of both answers the training questions, for as many minutes as it has; the
  partner alone answers those that are left.
- distil: student and control, for as many epochs as its minutes allow.
- evaluate: filtered, realistic ranks of the test triples, read here and nowhere else.

A call ends after ``--call`` minutes, and the next one goes on from there; a call that is killed
loses a minute or two. ``metrics.json`` and ``student.npz`` in OUT are the results, a few MB;
everything else in it can be thrown away then. Prints a line of JSON per step.

Without a GPU it does the same on the CPU, which is for tests. Not run on a GPU.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from inductive import read

from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.quantise import pack, unpack
from sightline.distill.training.targets import SoftTargets, ask, joined, question_groups
from sightline.distill.training.train import TRIAL_SHARE, choose, settings_of
from sightline.distill.training.trainer import StudentTrainer
from sightline.graph.storage.artifact import write_json_atomic
from sightline.models.data.dataset import LearningData, in_select
from sightline.models.data.questions import Questions
from sightline.models.members.member import Training
from sightline.models.members.network import NetworkTrainer
from sightline.models.members.path.trainer import (
    ASK_SHARE,
    RANKED,
    ROUNDS,
    PathTrainer,
    question_cost,
)
from sightline.models.members.table import MEMBERS
from sightline.models.ranking import RankingMetrics, Scorer, filtered_ranks
from sightline.models.teacher import Teacher, blend_weights
from sightline.models.training.checkpoint import FILE, load_checkpoint, save_checkpoint
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.presets import NetworkConfig, PathConfig, StudentConfig
from sightline.models.training.trainer import scorer_of

#: How the minutes are divided, and what share of them a call must have: some work is in one piece.
SHARES = {"partner": 0.24, "path": 0.40, "teach": 0.16, "distil": 0.12, "evaluate": 0.08}
PIECE = 0.1
#: Time is what limits the work here.
ANY = 10**18
PARTNER = NetworkConfig(dim=1024, layers=0, epochs=300, work=ANY, candidates=ANY, patience=8)
PENALTIES = (0.01, 0.05, 0.1)
PATH = PathConfig(limit=16384, batch=64, passes=ANY)
STUDENT = StudentConfig(epochs=300, work=ANY, candidates=ANY)
SETTINGS = settings_of(STUDENT)
Metrics = dict[str, Any]


class Pause(Exception):
    """The call's time is over; the next call goes on."""


class Job:
    """One data set on one device, and what earlier calls left in ``out``.

    Attributes:
        state: what a later call must know; ``state["metrics"]`` has the finished steps.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._end = time.monotonic() + 60 * options.call
        self.out, self.seed, self.minutes = options.out, options.seed, options.minutes
        self.out.mkdir(parents=True, exist_ok=True)
        self.device = choose_device("auto")
        on = torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu"
        told = {"data": options.data.name, "seed": self.seed, "minutes": self.minutes, "device": on}
        self.state: dict[str, Any] = {"run": told, "seconds": {}, "metrics": {}}
        if (self.out / "state.json").exists():
            self.state = json.loads((self.out / "state.json").read_text(encoding="utf-8"))
        if self.state["run"] != told:
            raise SystemExit(f"{self.out} holds another run, {self.state['run']}: change --out")
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        data = read(options.data, {})
        chosen = in_select(data.select, data.entity_iris)
        self.data = replace(data, select=data.select[chosen], calibrate=data.select[~chosen])
        self.questions = Questions(self.data, self.device)

    def keep(self, **said: Any) -> None:
        """Remember something for the next call."""
        self.state |= said
        write_json_atomic(self.out / "state.json", self.state)

    def begin(self, step: str) -> None:
        """Start to count the time of a step."""
        self._step, self._last = step, time.monotonic()
        self.budget = 60 * self.minutes * SHARES[step]
        self.needs(0)

    def spent(self) -> float:
        """Seconds that the step took up to now, in all calls."""
        before: float = self.state["seconds"].get(self._step, 0.0)
        return before + time.monotonic() - self._last

    def needs(self, seconds: float) -> None:
        """Raise ``Pause`` where so many seconds would outlast the call."""
        if time.monotonic() + seconds > self._end:
            raise Pause

    def count(self) -> None:
        """Remember the time that the step took."""
        seconds, self._last = self.spent(), time.monotonic()
        self.keep(seconds=self.state["seconds"] | {self._step: seconds})

    def tick(self, *_: object) -> None:
        """Something is done: raise ``Pause`` where the like of it would outlast the call."""
        lap = time.monotonic() - self._last
        self.count()
        self.needs(lap)

    def folder(self, name: str) -> Path:
        """A folder in ``out``."""
        (self.out / name).mkdir(parents=True, exist_ok=True)
        return self.out / name


def partner(job: Job) -> Metrics:
    """Train ComplEx once per penalty."""
    trainers = {
        penalty: one_partner(job, penalty, job.budget * number / len(PENALTIES))
        for number, penalty in enumerate(PENALTIES, start=1)
    }
    found = {penalty: trainer.best_mrr or 0.0 for penalty, trainer in trainers.items()}
    best = max(found, key=found.__getitem__)
    save_checkpoint(job.folder("partner"), trainers[best].model.state_dict(), {})
    for penalty in PENALTIES:
        shutil.rmtree(job.out / f"partner-{penalty}")
    return {"penalty": best, "select_mrr": found, "best_epoch": trainers[best].best_epoch}


def one_partner(job: Job, penalty: float, end: float) -> NetworkTrainer:
    """Train up to the first evaluation, and on until the step has taken ``end`` seconds."""
    trainer = NetworkTrainer(job.questions, replace(PARTNER, penalty=penalty), job.seed)
    folder = job.folder(f"partner-{penalty}")
    trainer.run(folder, job.tick, over=lambda: job.spent() >= end)
    return trainer


def path(job: Job) -> Metrics:
    """Fine-tune the path member on as many questions as there is time for."""
    if "path" not in job.state:
        pace = seconds_per_question(job)
        questions = (job.budget - job.spent()) / pace - ROUNDS * evaluation_cost(job.data)
        job.keep(path={"questions": int(max(questions, 0)), "seconds_per_question": pace})
    chosen = job.state["path"]
    trainer = path_trainer(job, chosen["questions"])
    trainer.run(job.folder("path-run"), job.tick)
    save_checkpoint(job.folder("path"), trainer.model.state_dict(), {})
    return {**chosen, "select_mrr": trainer.best_mrr}


def path_trainer(job: Job, questions: int) -> PathTrainer:
    """A trainer for so many questions, whatever they cost."""
    config = replace(PATH, learn=questions * question_cost(job.data, PATH))
    return PathTrainer(job.questions, config, job.seed)


def seconds_per_question(job: Job) -> float:
    """What learning from a question takes here, by the second of two short rounds."""
    questions = 2 * PATH.batch
    trainer = path_trainer(job, ROUNDS * questions)
    laps = first_laps(2, lambda progress, scratch: trainer.run(scratch, progress))
    return laps[1] / (questions + evaluation_cost(job.data))


def evaluation_cost(data: LearningData) -> float:
    """What an evaluation of the path member costs, in questions to learn from."""
    return ASK_SHARE * 2 * min(RANKED, len(data.select))


def first_laps(count: int, work: Callable[[Any, Path], object]) -> list[float]:
    """Seconds between the first calls of ``progress``, after which the work is dropped."""
    times = [time.monotonic()]

    def progress(*_: object) -> None:
        times.append(time.monotonic())
        if len(times) > count:
            raise Pause

    with tempfile.TemporaryDirectory() as scratch, suppress(Pause):
        work(progress, Path(scratch))
    laps: list[float] = np.diff(times).tolist()
    return laps


def teacher_of(job: Job) -> Teacher:
    """The trained members, with their weights once these are chosen."""
    build = {member.name: member.build for member in MEMBERS}
    members = [build["partner"](job.data, PARTNER), build["path"](job.data, PATH)]
    for member, name in zip(members, ("partner", "path")):
        member.load_state_dict(loaded(job.out / name)[0])
    teacher = Teacher(members, job.data.num_relations)
    if (job.out / "blend" / FILE).exists():
        teacher.weight.copy_(loaded(job.out / "blend")[0]["weight"])
    return teacher.to(job.device).eval()


def loaded(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What ``save_checkpoint`` wrote."""
    found = load_checkpoint(folder)
    if found is None:
        raise SystemExit(f"{folder} cannot be read: run it all again with another --out")
    return found


def teach(job: Job) -> Metrics:
    """Weigh the members, and keep what their blend answers to the training questions."""
    teacher = teacher_of(job)
    if not (job.out / "blend" / FILE).exists():
        scorers = [scorer_of(member, job.questions.messages) for member in teacher.members]
        teacher.weight.copy_(torch.from_numpy(blend_weights(scorers, job.data)))
        save_checkpoint(job.folder("blend"), {"weight": teacher.weight}, {})
    groups = question_groups(job.questions)
    # In any order, or the end of the time would cut a part of the graph off.
    order = np.random.default_rng(job.seed).permutation(len(groups)).tolist()
    places = {number: job.folder(f"targets/{number:05}") for number in order}
    for both in (True, False):
        weight = teacher.weight_of([True, both])
        left = [number for number in order if not (places[number] / FILE).exists()]
        asked = ask(teacher, job.questions, STUDENT, ((groups[n], weight) for n in left))
        for number, (score, entity, rest) in zip(left, asked):
            tensors = {"score": score, "entity": entity.int(), "rest": rest}
            save_checkpoint(places[number], tensors, {"by_both": both * len(score)})
            job.tick()
            if both and job.spent() >= job.budget:
                break
    by_both = sum(loaded(place)[1]["by_both"] for place in places.values())
    return {"questions": len(job.questions), "answered_by_both": by_both}


def distil(job: Job) -> Metrics:
    """Train student and control in full, each at the best of its settings."""
    found = [loaded(place)[0] for place in sorted((job.out / "targets").iterdir())]
    answers = [(one["score"], one["entity"].long(), one["rest"]) for one in found]
    targets = joined(answers, teacher_of(job), job.questions)
    if "epochs" not in job.state:
        job.keep(epochs=affordable_epochs(job, targets, job.budget - job.spent()))
    config = replace(STUDENT, epochs=job.state["epochs"])
    for who, settings in SETTINGS.items():
        if who not in job.state:
            # A call that ends in the middle has lost little: the loop goes on from its checkpoint.
            training = Training(job.questions, job.seed, who, job.folder("distil"), job.tick)
            trainer, tried = choose(training, targets, config, settings, [StudentTrainer])
            packed: Any = pack(trainer.model.arrays(), int8=False)
            np.savez_compressed(job.out / f"{who}.npz", **packed)
            job.keep(**{who: {**tried, "select_mrr": trainer.best_mrr}})
            job.tick()
    return {"epochs": config.epochs} | {who: job.state[who] for who in SETTINGS}


def affordable_epochs(job: Job, targets: SoftTargets, seconds: float) -> int:
    """Epochs of a run where all trials and runs together take so many seconds."""
    # Of twenty epochs every second one ends with an evaluation, of a long run one in ten.
    config, setting = replace(STUDENT, epochs=20), SETTINGS["student"][0]
    trainer = StudentTrainer(job.questions, targets, config, setting, job.seed)
    laps = first_laps(3, lambda progress, scratch: trainer.run(scratch, progress))
    epoch, look = laps[2], max(laps[1] - laps[2], 0.0)
    looks = 10 * sum(1 + len(settings) for settings in SETTINGS.values())
    runs = sum(1 + len(settings) / TRIAL_SHARE for settings in SETTINGS.values())
    return max(TRIAL_SHARE, min(STUDENT.epochs, int((seconds - looks * look) / (runs * epoch))))


def evaluate(job: Job) -> Metrics:
    """Rank the answers to the test questions."""
    job.needs(job.budget)
    teacher, data = teacher_of(job), job.data
    scorers: dict[str, Scorer] = {
        "partner": scorer_of(teacher.members[0], job.questions.messages),
        "teacher": scorer_of(teacher, job.questions.messages),
        "student": student_of(job, "student").scores,
        "control": student_of(job, "control").scores,
    }
    ranks = {
        name: filtered_ranks(scorer, data.test, data.known) for name, scorer in scorers.items()
    }
    said: Metrics = {name: asdict(RankingMetrics.of(each)) for name, each in ranks.items()}
    gain = 1 / ranks["student"] - 1 / ranks["control"]
    mean, error = gain.mean(), 1.96 * gain.std(ddof=1) / len(gain) ** 0.5
    strongest = max(said["teacher"]["mrr"], said["partner"]["mrr"])
    return said | {
        "student / strongest teacher": said["student"]["mrr"] / strongest,
        "student - control": {"mean": mean, "interval_95": [mean - error, mean + error]},
        "student_bytes": (job.out / "student.npz").stat().st_size,
    }


def student_of(job: Job, who: str) -> StudentArrays:
    """The arrays of student or control."""
    with np.load(job.out / f"{who}.npz", allow_pickle=False) as stored:
        return unpack(dict(stored))


STEPS = {"partner": partner, "path": path, "teach": teach, "distil": distil, "evaluate": evaluate}


def main(arguments: list[str] | None = None) -> None:
    """Do what is left of the steps that were asked for, until the call's time is over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("step", choices=["all", *STEPS])
    parser.add_argument("data", type=Path, help="folder with train.txt, valid.txt and test.txt")
    parser.add_argument("--out", type=Path, required=True, help="keeps everything of this run")
    parser.add_argument("--minutes", type=float, default=25, help="of all steps and calls together")
    parser.add_argument("--call", type=float, default=9, help="minutes of this call at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.call < PIECE * options.minutes:
        parser.error(f"--call must be {PIECE:.0%} of --minutes at least")
    job = Job(options)
    for number, name in enumerate(STEPS):
        if name in job.state["metrics"] or options.step not in ("all", name):
            continue
        if missing := [step for step in list(STEPS)[:number] if step not in job.state["metrics"]]:
            parser.error(f"step {name} comes after {', '.join(missing)}")
        try:
            with memory_guard(job.device):
                finish(job, name)
        except Pause:
            print(json.dumps({"step": name, "to be continued": True}), flush=True)
            return
    print(json.dumps({"done": options.step, **job.state["run"]}), flush=True)


def finish(job: Job, name: str) -> None:
    """Do a step and say what came out."""
    job.begin(name)
    said = STEPS[name](job)
    job.count()
    said = {"seconds": round(job.state["seconds"][name], 1), **said}
    job.keep(metrics=job.state["metrics"] | {name: said})
    told = {**job.state["run"], "torch": str(torch.__version__), **job.state["metrics"]}
    write_json_atomic(job.out / "metrics.json", told)
    print(json.dumps({"step": name, **said}), flush=True)


if __name__ == "__main__":
    main()
