"""Running an exported model the way the engine does: one intra-op thread, no spinning."""

from pathlib import Path

import numpy as np
import onnxruntime


def session(path: Path) -> onnxruntime.InferenceSession:
    """A session with the engine's settings."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(model: onnxruntime.InferenceSession, features: np.ndarray) -> np.ndarray:
    """The model's only output."""
    return model.run(None, {"features": features})[0]
