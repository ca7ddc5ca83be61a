#!/usr/bin/env bash
# Rebuilds both models, their manifests and cards:  models/train/train.sh --data DIR [--seed N] [--out DIR] [--work DIR]
# Both learn from what the engine itself would show them: `midan features`, by the binary that MIDAN names (target/release/midan by default).
# A flow model of one's own archive:  models/train/train.sh --table FILE --map FILE --out DIR
# Everything that it needs is installed by setup/training.sh, pinned by hash.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
midan="${MIDAN:-$root/target/release/midan}"
if ! [ -x "$midan" ]; then
  echo "no binary at $midan: build it with 'cargo build --release', or name another with MIDAN=…" >&2
  exit 1
fi
"$root/setup/training.sh"

# One thread: sums are added in one order, so the same seed gives the same bytes.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 JAX_PLATFORMS=cpu PYTHONHASHSEED=0
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

python="$root/.tools/training/bin/python"
case " $* " in
  *" --data "*) "$python" "$here/train.py" --midan "$midan" "$@" ;;
esac
exec "$python" "$here/flow.py" --midan "$midan" "$@"
