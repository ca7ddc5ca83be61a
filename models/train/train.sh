#!/usr/bin/env bash
# Rebuilds both models, their manifests, cards and the parity fixture:  models/train/train.sh --data DIR [--seed N]
# Needs Python 3.11 (PYTHON names another); everything else is installed, pinned by hash, into .venv at the root of the repository.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="$(cd "$here/../.." && pwd)/.venv"
python="${PYTHON:-python3.11}"

# The stamp makes the second run start at once and a changed pin install again.
stamp="$venv/.train-requirements"
if ! cmp -s "$here/requirements.txt" "$stamp"; then
  echo "installing the pinned packages into $venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --require-hashes -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$stamp"
fi

# One thread: sums are added in one order, so the same seed gives the same bytes.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 JAX_PLATFORMS=cpu PYTHONHASHSEED=0
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

exec "$venv/bin/python" "$here/train.py" "$@"
