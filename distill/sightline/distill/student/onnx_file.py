"""The student as one ONNX file, made from the text of its formula, and checked against NumPy.

Knows packed numbers and ONNX operators; torch takes no part, so the file says exactly what
``arrays.py`` computes. Inputs ``head`` and ``rel``, int64 ``(B,)``; output ``scores``, float32
``(B, N)``. A runtime folds what unpacks int8 and makes features of entities when it loads.
"""

from __future__ import annotations

import numpy as np

from sightline.distill.student.arrays import GAIN, NORM_EPSILON, SHIFTS, WIDTH
from sightline.distill.student.quantise import SCALE, Packed, unpack
from sightline.graph.arrays import Floats, Ids
from sightline.graph.errors import MissingExtra
from sightline.models.errors import LearningError
from sightline.models.ranking import Scorer

FILE = "student.onnx"
#: Largest difference between ONNX and NumPy scores, relative to the scores' size.
TOLERANCE = 1e-4
#: Both of 2023; runtimes of the last years, those of browsers too, read them.
OPSET, IR_VERSION = 19, 9


def onnx_file(packed: Packed) -> bytes:
    """The content of the file; its scores have been compared with NumPy's on 64 questions.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
        LearningError: the two disagree.
    """
    content = _content(packed)
    arrays = unpack(packed)
    rng = np.random.default_rng(0)
    heads = rng.integers(len(arrays.entity), size=64, dtype=np.int32)
    rels = rng.integers(len(arrays.rel), size=64, dtype=np.int32)
    found = onnx_scorer(content)(heads, rels)
    wanted = arrays.scores(heads, rels)
    gap = float(np.abs(found - wanted).max() / max(1.0, float(np.abs(wanted).max())))
    if not gap <= TOLERANCE:
        raise LearningError(f"the ONNX student differs from the NumPy student by {gap:.1e}")
    return content


def onnx_scorer(content: bytes) -> Scorer:
    """Scores as ONNX Runtime gives them for the content of a file."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(error.name or "onnxruntime", "train") from error
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def scores(heads: Ids, rels: Ids) -> Floats:
        feed = {"head": heads.astype(np.int64), "rel": rels.astype(np.int64)}
        found: list[Floats] = session.run(["scores"], feed)
        return found[0]

    return scores


def _content(packed: Packed) -> bytes:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(error.name or "onnx", "train") from error
    model = onnx.parser.parse_model(_formula(packed))
    for name, array in packed.items():
        stored = name.upper() + ("_INT8" if name + SCALE in packed else "")
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, stored))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _formula(packed: Packed) -> str:
    """The formula of ``arrays.py`` as ONNX text; arrays are in capitals."""
    half, size = WIDTH // 2, len(packed["out_bias"])
    tables, features = [], ["ENTITY"]
    for table in (name.upper() for name in packed if name + SCALE in packed):
        # One operator would do, but runtimes unpack that anew for every question.
        tables.append(f"{table}_REAL = Cast <to = 1> ({table}_INT8)")
        tables.append(f"{table} = Mul ({table}_REAL, {table}{SCALE.upper()})")
    if size > WIDTH:
        tables.append(f"gain = Constant <value_float = {GAIN}> ()")
    for shift in SHIFTS if size > WIDTH else ():
        before = np.roll(np.arange(WIDTH), shift).tolist()
        features.append(f"FEATURES_{shift}")
        tables.append(f"BEFORE_{shift} = Constant <value_ints = {before}> ()")
        tables.append(f"ROLLED_{shift} = Gather <axis = 1> (ENTITY, BEFORE_{shift})")
        tables.append(f"PRODUCTS_{shift} = Mul (ENTITY, ROLLED_{shift})")
        tables.append(f"FEATURES_{shift} = Mul (PRODUCTS_{shift}, gain)")
    newline = "\n"
    return f"""
        <ir_version: {IR_VERSION}, opset_import: ["": {OPSET}], producer_name: "sightline">
        student (int64[batch] head, int64[batch] rel)
            => (float[batch, {len(packed["entity"])}] scores) {{
        halves = Constant <value_ints = [{half}, {half}]> ()
        rel_parts = Constant <value_ints = [{half}, {half}, {packed["rel"].shape[1] - WIDTH}]> ()
        padding = Constant <value_ints = [0, 0, 0, {size - WIDTH}]> ()
        one = Constant <value_float = 1.0> ()
        {newline.join(tables)}
        FEATURES = Concat <axis = 1> ({", ".join(features)})
        x = Gather <axis = 0> (ENTITY, head)
        s = Gather <axis = 0> (REL, rel)
        real, imaginary = Split <axis = 1> (x, halves)
        a, b, context = Split <axis = 1> (s, rel_parts)
        real_a = Mul (real, a)
        real_b = Mul (real, b)
        imaginary_a = Mul (imaginary, a)
        imaginary_b = Mul (imaginary, b)
        product_real = Sub (real_a, imaginary_b)
        product_imaginary = Add (real_b, imaginary_a)
        product = Concat <axis = 1> (product_real, product_imaginary)
        read = Gemm (x, HIDDEN_WEIGHT, HIDDEN_BIAS)
        gate = Gemm (s, GATE_WEIGHT, GATE_BIAS)
        gate_of_rel = Add (gate, one)
        shift = MatMul (s, SHIFT_WEIGHT)
        gated = Mul (read, gate_of_rel)
        shifted = Add (gated, shift)
        hidden = LayerNormalization <axis = -1, epsilon = {NORM_EPSILON}>
            (shifted, NORM_WEIGHT, NORM_BIAS)
        open = Sigmoid (hidden)
        active = Mul (hidden, open)
        mixed = Gemm (active, OUT_WEIGHT, OUT_BIAS)
        product_padded = Pad (product, padding)
        query = Add (product_padded, mixed)
        scores = Gemm <transB = 1> (query, FEATURES)
        }}"""
