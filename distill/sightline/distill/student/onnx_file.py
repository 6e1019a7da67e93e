"""The student as one ONNX file, built node by node from its numbers, and checked against NumPy.

Knows packed numbers and ONNX operators; torch takes no part, so the file says exactly what
``arrays.py`` computes. Inputs ``head`` and ``rel``, int64 ``(B,)``; output ``scores``, float32
``(B, N)``. What is packed as int8 is unpacked by two nodes that a runtime folds when it loads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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

Step = tuple[str, list[str], list[str], dict[str, Any]]


def onnx_file(packed: Packed) -> bytes:
    """The content of the file; its scores have been compared with NumPy's on 64 questions.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
        LearningError: the two disagree.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(error.name or "onnx", "train") from error
    content: bytes = _model(packed, onnx).SerializeToString()
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


def _constants(packed: Packed) -> tuple[dict[str, npt.NDArray[Any]], list[Step]]:
    """Initial values, and the steps that make float32 tables of the int8 ones."""
    half = WIDTH // 2
    constants: dict[str, npt.NDArray[Any]] = {
        "halves": np.array([half, half], np.int64),
        "rel_parts": np.array([half, half, packed["rel"].shape[1] - WIDTH], np.int64),
        "gate_table": 1.0 + packed["gate_bias"],
        "padding": np.array([0, 0, 0, len(packed["out_bias"]) - WIDTH], np.int64),
        "gain": np.array(GAIN, np.float32),
    }
    for shift in SHIFTS:
        constants[f"before_{shift}"] = np.roll(np.arange(WIDTH), shift)
    steps: list[Step] = []
    for name, array in packed.items():
        scale = name + SCALE
        if scale in packed:
            constants |= {f"{name}_int8": array, scale: packed[scale]}
            # One operator would do, but runtimes unpack that anew for every question.
            steps.append(("Cast", [f"{name}_int8"], [f"{name}_real"], {"to": 1}))
            steps.append(("Mul", [f"{name}_real", scale], [f"{name}_table"], {}))
        elif not name.endswith(SCALE) and name != "gate_bias":
            constants[f"{name}_table"] = array
    return constants, steps


def _features(packed: Packed) -> tuple[list[Step], str]:
    """The steps to what questions compare with, and its name; a runtime folds these, too."""
    names: list[str] = ["entity_table"]
    steps: list[Step] = []
    if len(packed["out_bias"]) == WIDTH:
        return steps, names[0]
    for shift in SHIFTS:
        rolled, product, name = f"rolled_{shift}", f"products_{shift}", f"features_{shift}"
        steps += [
            ("Gather", ["entity_table", f"before_{shift}"], [rolled], {"axis": 1}),
            ("Mul", ["entity_table", rolled], [product], {}),
            ("Mul", [product, "gain"], [name], {}),
        ]
        names.append(name)
    return [*steps, ("Concat", names, ["features"], {"axis": 1})], "features"


def _model(packed: Packed, onnx: Any) -> Any:
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    constants, unpacking = _constants(packed)
    products, features = _features(packed)
    steps: list[Step] = [
        *unpacking,
        ("Gather", ["entity_table", "head"], ["x"], {"axis": 0}),
        ("Gather", ["rel_table", "rel"], ["s"], {"axis": 0}),
        ("Split", ["x", "halves"], ["real", "imaginary"], {"axis": 1}),
        ("Split", ["s", "rel_parts"], ["a", "b", "context"], {"axis": 1}),
        ("Mul", ["real", "a"], ["real_a"], {}),
        ("Mul", ["imaginary", "b"], ["imaginary_b"], {}),
        ("Mul", ["real", "b"], ["real_b"], {}),
        ("Mul", ["imaginary", "a"], ["imaginary_a"], {}),
        ("Sub", ["real_a", "imaginary_b"], ["product_real"], {}),
        ("Add", ["real_b", "imaginary_a"], ["product_imaginary"], {}),
        ("Concat", ["product_real", "product_imaginary"], ["product"], {"axis": 1}),
        ("Pad", ["product", "padding"], ["product_padded"], {}),
        ("Gemm", ["x", "hidden_weight_table", "hidden_bias_table"], ["read"], {}),
        ("Gemm", ["s", "gate_weight_table", "gate_table"], ["gate_of_rel"], {}),
        ("MatMul", ["s", "shift_weight_table"], ["shift"], {}),
        ("Mul", ["read", "gate_of_rel"], ["gated"], {}),
        ("Add", ["gated", "shift"], ["shifted"], {}),
        (
            "LayerNormalization",
            ["shifted", "norm_weight_table", "norm_bias_table"],
            ["hidden"],
            {"axis": -1, "epsilon": NORM_EPSILON},
        ),
        ("Sigmoid", ["hidden"], ["gate"], {}),
        ("Mul", ["hidden", "gate"], ["active"], {}),
        ("Gemm", ["active", "out_weight_table", "out_bias_table"], ["mixed"], {}),
        ("Add", ["product_padded", "mixed"], ["query"], {}),
        *products,
        ("Gemm", ["query", features], ["scores"], {"transB": 1}),
    ]
    integer, real = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, outputs, **more) for kind, inputs, outputs, more in steps],
        "student",
        [helper.make_tensor_value_info(name, integer, ["batch"]) for name in ("head", "rel")],
        [helper.make_tensor_value_info("scores", real, ["batch", len(packed["entity"])])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="sightline",
    )
    onnx.checker.check_model(model)
    return model
