"""From trained weights to an ONNX file.

The idea: the graph is written node by node, so that it holds nothing but what inference needs and the same weights give
the same bytes. Input scaling is folded into the weights.
"""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from anomaly_rows import WIDTH

OPSET = 17
IR_VERSION = 9


def folded(weights: dict) -> dict:
    """Weights that take the raw features: the scaling goes into everything that reads the input."""
    centre, spread = weights["centre"], weights["spread"]
    first, *others = weights["layers"]
    raw = first["weight"].astype(np.float64) / spread[:, None]
    straight = weights["straight"].astype(np.float64) / spread[:, None]
    layers = [{"weight": raw, "bias": first["bias"] - centre @ raw}, *[dict(layer) for layer in others]]
    layers[-1] = {**layers[-1], "bias": layers[-1]["bias"] - centre @ straight}
    return {"layers": layers, "straight": straight}


class Graph:
    """Collects nodes and constants in order."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name: str, values: np.ndarray) -> str:
        """A float32 constant."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name

    def add(self, operator: str, inputs: list, output: str, **settings) -> str:
        """One node; returns the name of what it makes."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{operator}_{output}", **settings))
        return output


def _perceptron(graph: Graph, weights: dict) -> str:
    layers = folded(weights)
    flowing = "features"
    for place, layer in enumerate(layers["layers"]):
        matrix = graph.constant(f"weight_{place}", layer["weight"])
        bias = graph.constant(f"bias_{place}", layer["bias"])
        flowing = graph.add("Gemm", [flowing, matrix, bias], f"layer_{place}")
        if place + 1 < len(layers["layers"]):
            flowing = graph.add("Relu", [flowing], f"hidden_{place}")
    straight = graph.add("MatMul", ["features", graph.constant("straight", layers["straight"])], "straight_path")
    return graph.add("Add", [flowing, straight], "raw")


def anomaly_model(weights: dict) -> bytes:
    """The anomaly score: `features` [N, 30] → `score` [N, 1] in 0..1."""
    graph = Graph()
    graph.add("Sigmoid", [_perceptron(graph, weights)], "score")
    return _finish(graph, "crowd-anomaly", "score", 1)


def _finish(graph: Graph, name: str, output: str, width: int, inputs: int = WIDTH) -> bytes:
    taken = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", inputs])]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", width])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, name, taken, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="midan",
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def digest(content: bytes) -> str:
    """The SHA-256 by which a model file is known."""
    return hashlib.sha256(content).hexdigest()
