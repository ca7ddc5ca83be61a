#!/usr/bin/env bash
# Rebuilds both models, their manifests, cards and the parity fixture:  models/train/train.sh --data DIR [--seed N]
# Everything that it needs is installed by setup/training.sh, pinned by hash.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
"$root/setup/training.sh"

# One thread: sums are added in one order, so the same seed gives the same bytes.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 JAX_PLATFORMS=cpu PYTHONHASHSEED=0
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

exec "$root/.tools/training/bin/python" "$here/train.py" "$@"
