"""The student as one ONNX file, built node by node from its arrays, and checked against NumPy.

Knows arrays and ONNX operators; torch takes no part, so the file says exactly what ``student.py``
computes. Inputs ``head`` and ``slot``, int64 ``(B,)``; output ``scores``, float32 ``(B, N)``.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from sightline.distill.student import NORM_EPSILON, WIDTH, StudentArrays
from sightline.graph.errors import LearningError, MissingExtra

FILE = "student.onnx"
#: Largest difference between ONNX and NumPy scores, relative to the scores' size.
TOLERANCE = 1e-4
#: Released in 2023; runtimes of the last years read it.
OPSET = 19


def write_onnx(arrays: StudentArrays, path: Path) -> None:
    """Write the file and compare its scores with NumPy's on up to 64 questions.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
        LearningError: the two disagree.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(error.name or "onnx", "train") from error
    content = _model(arrays, onnx).SerializeToString()
    path.write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    heads = rng.integers(len(arrays.entity), size=64)
    slots = rng.integers(len(arrays.slot), size=64)
    (found,) = session.run(["scores"], {"head": heads, "slot": slots})
    wanted = arrays.queries(heads.astype(np.int32), slots.astype(np.int32)) @ arrays.entity.T
    gap = float(np.abs(found - wanted).max() / max(1.0, float(np.abs(wanted).max())))
    if not gap <= TOLERANCE:
        raise LearningError(f"the ONNX student differs from the NumPy student by {gap:.1e}")


def _model(arrays: StudentArrays, onnx: Any) -> Any:
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    half = WIDTH // 2
    constants = {f"{f.name}_table": np.asarray(getattr(arrays, f.name)) for f in fields(arrays)}
    constants["gate_table"] = 1.0 + constants.pop("gate_bias_table")
    constants |= {
        "halves": np.array([half, half], np.int64),
        "slot_parts": np.array([half, half, arrays.slot.shape[1] - WIDTH], np.int64),
    }
    steps: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
        ("Gather", ["entity_table", "head"], ["x"], {"axis": 0}),
        ("Gather", ["slot_table", "slot"], ["s"], {"axis": 0}),
        ("Split", ["x", "halves"], ["real", "imaginary"], {"axis": 1}),
        ("Split", ["s", "slot_parts"], ["a", "b", "context"], {"axis": 1}),
        ("Mul", ["real", "a"], ["real_a"], {}),
        ("Mul", ["imaginary", "b"], ["imaginary_b"], {}),
        ("Mul", ["real", "b"], ["real_b"], {}),
        ("Mul", ["imaginary", "a"], ["imaginary_a"], {}),
        ("Sub", ["real_a", "imaginary_b"], ["product_real"], {}),
        ("Add", ["real_b", "imaginary_a"], ["product_imaginary"], {}),
        ("Concat", ["product_real", "product_imaginary"], ["product"], {"axis": 1}),
        ("Gemm", ["x", "hidden_weight_table", "hidden_bias_table"], ["read"], {}),
        ("Gemm", ["s", "gate_weight_table", "gate_table"], ["gate_of_slot"], {}),
        ("MatMul", ["s", "shift_weight_table"], ["shift"], {}),
        ("Mul", ["read", "gate_of_slot"], ["gated"], {}),
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
        ("Add", ["product", "mixed"], ["query"], {}),
        ("Gemm", ["query", "entity_table"], ["scores"], {"transB": 1}),
    ]
    integer, real = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, outputs, **more) for kind, inputs, outputs, more in steps],
        "student",
        [helper.make_tensor_value_info(name, integer, ["batch"]) for name in ("head", "slot")],
        [helper.make_tensor_value_info("scores", real, ["batch", len(arrays.entity)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="sightline"
    )
    onnx.checker.check_model(model)
    return model
