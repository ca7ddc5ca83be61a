"""The flow model's network: how it is trained and written as ONNX.

The idea: a small perceptron beside a straight path that starts as "what was learnt in the stream is right" (the
correction is a feature). It finds what that leaves over, and how far reality may lie on either side. Several are
trained, each from a seed of its own, and their mean is what the file says (Breiman 1996, "Bagging predictors"): what
one has read into chance the others have not. Quantiles are a median and distances that are never negative, so they
cannot cross.
"""

import jax
import jax.numpy as jnp
import numpy as np

from export import Graph, _finish, folded
from flow_rows import CORRECTION, FARTHEST, HIDDEN, HORIZONS, QUANTILES, WIDTH, Rows
from network import BATCH, Plan, fit

# So many networks, each of so many neurons: what the validation part asked for within the cost of a pane
# (docs/lab/FORECAST.md, "The flow model itself").
MEMBERS = 2
# Two dozen passes over the rows, within these numbers of steps.
PASSES, FEWEST_STEPS, MOST_STEPS = 24, 4_000, 12_000
LAYERS = (128, 64)
STRAIGHT = tuple((CORRECTION + horizon, 3 * horizon + 1) for horizon in range(HORIZONS))


def quantiles_of(raw: jnp.ndarray) -> jnp.ndarray:
    """[n, 15] to [n, 5, 3] that cannot cross."""
    parts = raw.reshape(-1, HORIZONS, 3)
    middle = parts[..., 1]
    below, above = (jax.nn.softplus(parts[..., side]) for side in (0, 2))
    return jnp.stack([middle - below, middle, middle + above], axis=-1)


def pinball(raw: jnp.ndarray, target: jnp.ndarray, importance: jnp.ndarray) -> jnp.ndarray:
    """Quantile loss over the known targets, weighted by horizon and row; the median counts threefold, for it is what is
    published first."""
    known = ~jnp.isnan(target)
    miss = jnp.where(known, target, 0.0)[..., None] - quantiles_of(raw)
    levels = jnp.asarray(QUANTILES)
    loss = (jnp.maximum(levels * miss, (levels - 1.0) * miss) * jnp.asarray((1.0, 3.0, 1.0))).sum(axis=-1)
    return (loss * known * importance).sum() / jnp.maximum((known * importance).sum(), 1.0)


def training_steps(rows: int, fewest: int = FEWEST_STEPS) -> int:
    """How many steps a network is trained on so many rows."""
    return min(max(PASSES * rows // BATCH, fewest), MOST_STEPS)


def train(rows: Rows, steps: int, seed: int, members: int = MEMBERS) -> list:
    """Weights of the forecast, one network after the other."""
    return [_trained(rows, steps, seed + member) for member in range(members)]


def _trained(rows: Rows, steps: int, seed: int) -> dict:
    plan = Plan(hidden=LAYERS, outputs=3 * HORIZONS, steps=steps, peak_rate=2e-3, seed=seed, straight_ones=STRAIGHT)
    weights = fit(plan, pinball, rows.features, rows.target, rows.weight)
    # What the model was not shown must not move it.
    weights["layers"][0] = {**weights["layers"][0], "weight": np.array(weights["layers"][0]["weight"])}
    weights["straight"] = np.array(weights["straight"])
    for column in HIDDEN:
        weights["layers"][0]["weight"][column] = 0.0
        weights["straight"][column] = 0.0
    return weights


def _mean(graph: Graph, members: list) -> str:
    """The mean of the members' raw outputs: their last layers read all hidden values side by side, the straight paths
    are one."""
    several = [folded(weights) for weights in members]
    hidden = []
    for member, network in enumerate(several):
        flowing = "features"
        for place, layer in enumerate(network["layers"][:-1]):
            constants = [graph.constant(f"{part}_{member}_{place}", layer[part]) for part in ("weight", "bias")]
            layered = graph.add("Gemm", [flowing, *constants], f"layer_{member}_{place}")
            flowing = graph.add("Relu", [layered], f"hidden_{member}_{place}")
        hidden.append(flowing)
    last = [network["layers"][-1] for network in several]
    weight = graph.constant("weight_last", np.concatenate([layer["weight"] for layer in last]) / len(last))
    bias = graph.constant("bias_last", np.mean([layer["bias"] for layer in last], axis=0))
    paths = graph.constant("straight", np.mean([network["straight"] for network in several], axis=0))
    straight = graph.add("MatMul", ["features", paths], "straight_path")
    bent = graph.add("Gemm", [graph.add("Concat", hidden, "hidden", axis=1), weight, bias], "bent_path")
    return graph.add("Add", [bent, straight], "raw")


def onnx_bytes(members: list) -> bytes:
    """`features` [N, 105] to `quantiles` [N, 15], horizon by horizon, q10 q50 q90."""
    graph = Graph()
    raw = _mean(graph, members)
    size = 3 * HORIZONS
    middle, distance = np.zeros((size, size)), np.zeros((size, size))
    for first in range(0, size, 3):
        middle[first + 1, first : first + 3] = 1.0
        distance[first, first] = -1.0
        distance[first + 2, first + 2] = 1.0
    medians = graph.add("MatMul", [raw, graph.constant("median_to_all", middle)], "medians")
    positive = graph.add("Softplus", [raw], "positive")
    distances = graph.add("MatMul", [positive, graph.constant("distance_signs", distance)], "distances")
    free = graph.add("Add", [medians, distances], "unbounded")
    limits = [graph.constant("lowest", np.array(-FARTHEST)), graph.constant("highest", np.array(FARTHEST))]
    graph.add("Clip", [free, *limits], "quantiles")
    return _finish(graph, "crowd-flow", "quantiles", size, WIDTH)
