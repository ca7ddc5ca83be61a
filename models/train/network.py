"""The network both models share, and its training.

The idea: a small multilayer perceptron with a straight linear path beside it, in JAX, small enough that a thousand
zones cost about a millisecond. Input scaling is learnt from the training rows and folded into the first layer on
export. Everything random comes from one seed; weights are averaged over the end of training, which steadies the result.
"""

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax

BATCH = 2048


@dataclass(frozen=True)
class Plan:
    """How to train one network."""

    hidden: tuple
    outputs: int
    steps: int
    peak_rate: float
    seed: int
    # (input, output) pairs at which the straight path starts from 1: a first guess that the network then corrects.
    straight_ones: tuple = ()


def initial(plan: Plan, inputs: int) -> dict:
    """Weights before training."""
    rng = np.random.default_rng(plan.seed)
    sizes = (inputs, *plan.hidden, plan.outputs)
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layers.append(
            {
                "weight": jnp.asarray(rng.normal(0.0, np.sqrt(2.0 / fan_in), (fan_in, fan_out)), jnp.float32),
                "bias": jnp.zeros(fan_out, jnp.float32),
            }
        )
    layers[-1]["weight"] *= 0.1
    straight = np.zeros((inputs, plan.outputs), np.float32)
    for row, column in plan.straight_ones:
        straight[row, column] = 1.0
    return {"layers": layers, "straight": jnp.asarray(straight)}


def forward(weights: dict, scaled: jnp.ndarray) -> jnp.ndarray:
    """Raw outputs for scaled inputs."""
    hidden = scaled
    for layer in weights["layers"][:-1]:
        hidden = jax.nn.relu(hidden @ layer["weight"] + layer["bias"])
    last = weights["layers"][-1]
    return hidden @ last["weight"] + last["bias"] + scaled @ weights["straight"]


def cross_entropy(raw: jnp.ndarray, label: jnp.ndarray, importance: jnp.ndarray) -> jnp.ndarray:
    """Binary cross-entropy of the score's logit."""
    return (optax.sigmoid_binary_cross_entropy(raw[:, 0], label) * importance).mean()


def scaling(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature."""
    return features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64) + 1e-3


def fit(plan: Plan, loss, features: np.ndarray, target: np.ndarray, importance: np.ndarray) -> dict:
    """Trains and returns numpy weights, the scaling among them."""
    centre, spread = scaling(features)
    scaled = ((features - centre) / spread).astype(np.float32)
    weights = initial(plan, features.shape[1])
    weights["straight"] *= spread[:, None].astype(np.float32)
    rate = optax.cosine_onecycle_schedule(plan.steps, plan.peak_rate, pct_start=0.1)
    descent = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=1e-4))
    state = descent.init(weights)
    averaged = weights

    @jax.jit
    def advance(weights, averaged, state, batch, wanted, weight):
        value, slope = jax.value_and_grad(lambda now: loss(forward(now, batch), wanted, weight))(weights)
        change, state = descent.update(slope, state, weights)
        weights = optax.apply_updates(weights, change)
        averaged = jax.tree.map(lambda slow, now: 0.998 * slow + 0.002 * now, averaged, weights)
        return weights, averaged, state, value

    rng = np.random.default_rng(plan.seed + 1)
    began, running = time.monotonic(), 0.0
    for step in range(plan.steps):
        chosen = rng.integers(0, len(scaled), BATCH)
        weights, averaged, state, value = advance(
            weights, averaged, state, scaled[chosen], target[chosen], importance[chosen]
        )
        if step % 2000 == 0 or step == plan.steps - 1:
            running = float(value)
            print(f"  step {step:6d}  loss {running:.4f}  {time.monotonic() - began:5.0f} s", flush=True)
    trained = jax.tree.map(np.asarray, averaged)
    return {**trained, "centre": centre, "spread": spread}
