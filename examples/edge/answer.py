"""Answer from an exported student, where there is no Sightline.

    python answer.py model/student-int8.onnx --head Kenya --relation "member of"
    python answer.py model/student-int8.npz --tail Nairobi --relation capital --known Kenya

Needs NumPy, and ONNX Runtime for an ONNX file. Prints probability, label and IRI of the ten best.
"""

import argparse
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np

WIDTH = 64


def main():
    """Ask one question."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("model", type=Path, help=".onnx or .npz of an export")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--head", help="IRI or label: asks for tails")
    given.add_argument("--tail", help="IRI or label: asks for heads")
    parser.add_argument("--relation", required=True, help="IRI or label")
    parser.add_argument("--known", nargs="*", default=[], help="answers that are no news")
    asked = parser.parse_args()

    names, score = open_student(asked.model)
    entity = find(names["entity"], asked.head or asked.tail)
    rel = find(names["relation"], asked.relation)
    if asked.tail:
        rel += len(names["relation"]["iri"])
    scores = score(entity, rel)
    scores[[find(names["entity"], name) for name in asked.known]] = -np.inf
    curve = names["calibration"]
    best = np.argsort(-scores, kind="stable")[:10]
    for row, probability in zip(best, probabilities(scores, best, rel, curve)):
        if np.isfinite(scores[row]):
            guess = " (a guess)" if probability < curve["abstain_below"] else ""
            label, iri = names["entity"]["label"][row], names["entity"]["iri"][row]
            print(f"{probability:.4f}\t{plain(label)}{guess}\t{plain(iri)}")


def open_student(path):
    """Vocabulary, and a function from (row, directed relation) to the scores of all entities."""
    content = checked(path)
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

        def ask(entity, rel):
            feed = {"head": np.array([entity]), "rel": np.array([rel])}
            return session.run(["scores"], feed)[0][0]

        return json.loads(checked(path.with_name("vocabulary.json"))), ask
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        a = dict(file)
    names = json.loads(bytes(a.pop("vocabulary")))
    for name in [name for name in a if name + "_scale" in a]:
        a[name] = a[name] * a[name + "_scale"]
    return names, lambda entity, rel: compare(a, query(a, a["entity"][entity], a["rel"][rel]))


def compare(a, asked):
    """A question with every entity: its numbers, then their products with those before them."""
    entity, (first, *others) = a["entity"], asked.reshape(-1, WIDTH)
    scores = entity @ first
    for places, weight in enumerate(others):
        scores += 10 * (entity * np.roll(entity, places, axis=1)) @ weight
    return scores


def query(a, x, s):
    """What a question compares every entity with: a complex product plus a small network."""
    half = WIDTH // 2
    product = (x[:half] + 1j * x[half:]) * (s[:half] + 1j * s[half:WIDTH])
    gate = 1 + s @ a["gate_weight"] + a["gate_bias"]
    hidden = (x @ a["hidden_weight"] + a["hidden_bias"]) * gate + s @ a["shift_weight"]
    hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
    hidden = hidden * a["norm_weight"] + a["norm_bias"]
    hidden = hidden / (1 + np.exp(-np.clip(hidden, -80, 80)))
    asked = hidden @ a["out_weight"] + a["out_bias"]
    asked[:WIDTH] += np.concatenate([product.real, product.imag])
    return asked


def probabilities(scores, rows, rel, curve):
    """Chance that each answer is a true fact, if what is known is at minus infinity."""
    top = scores.max()
    log_probability = scores[rows] - top - np.log(np.exp(scores - top).sum())
    rank = 1 + (scores[None, :] > scores[rows, None]).sum(axis=1)
    logit = curve["slope"] * log_probability - curve["rank_slope"] * np.log(rank)
    return 1 / (1 + np.exp(-(logit + curve["intercept"] + curve["rel_offset"][rel])))


def checked(path):
    """The bytes of a file, if they are those that were exported."""
    content = path.read_bytes()
    wanted = json.loads(path.with_name("manifest.json").read_bytes())["files"][path.name]["sha256"]
    if hashlib.sha256(content).hexdigest() != wanted:
        sys.exit(f"{path} is not what was exported: its checksum differs from manifest.json")
    return content


def find(names, wanted):
    """The row with this IRI, or the only one with this label."""
    for column in ("iri", "label"):
        rows = [row for row, name in enumerate(names[column]) if name == wanted]
        if len(rows) == 1:
            return rows[0]
    sys.exit(f"{wanted!r} is the name of {len(rows)}; give the IRI of one")


def plain(text):
    """Without control characters: a label must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


if __name__ == "__main__":
    main()
