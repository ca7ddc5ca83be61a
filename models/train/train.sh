#!/usr/bin/env bash
# Trains the models, or judges one anew. Both learn from what the engine itself would show them: `midan features`, by
# the binary that MIDAN names (target/release/midan by default). All that is needed is installed, pinned by hash.
#
#   train.sh --data DIR [--seed N] [--out DIR] [--work DIR]
#       both models that come with Midan, their manifests and cards, from the public tables, into models/ or --out
#   train.sh --data DIR --judge-only FILE [--work DIR]
#       trains nothing: measures the model FILE on the present engine, and writes its card, recorded rows and, of an
#       anomaly model, figures anew beside it
#   train.sh --table FILE --map FILE --out DIR [--name NAME] [--seed N]
#       a flow model of one's own archive: learns from its first four fifths, and is held on the rest against the
#       forecast without any model; it ships only where it is better
#   train.sh --table FILE --map FILE --judge-only FILE
#       such a model, on the very table it was trained on, judged anew on the present engine
#
# `flow.py --help` and `train.py --help` say what else either takes.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

fail() {
  echo "train.sh: $1 (--help says how it is used)" >&2
  exit 2
}

data="" table="" model="" only_flow=""
for ((at = 1; at <= $#; at++)); do
  next=$((at + 1))
  case "${!at}" in
    -h | --help) usage && exit ;;
    --data | --data=*) data=yes ;;
    --table | --table=*) table=yes ;;
    --judge-only) model="${!next:-}" ;;
    --judge-only=*) model="${!at#*=}" ;;
    --reference-only | --without | --without=*) only_flow=yes ;;
  esac
done
[ -n "$data$table" ] || fail "nothing to learn from: name --data DIR, or --table FILE with --map FILE and --out DIR"
[ -z "$data" ] || [ -z "$table" ] || fail "--data is of the models that come with Midan, --table of your own: name one"

midan="${MIDAN:-$root/target/release/midan}"
if ! [ -f "$midan" ] || ! [ -x "$midan" ]; then
  echo "train.sh: no binary at $midan: build it with 'cargo build --release', or name another with MIDAN=…" >&2
  exit 2
fi
"$root/setup/training.sh"
[ -n "${MIDAN_MODELS__LIBRARY:-}" ] || "$root/setup/onnxruntime.sh"

# One thread: sums are added in one order, so the same seed gives the same bytes.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 JAX_PLATFORMS=cpu PYTHONHASHSEED=0
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

python="$root/.tools/training/bin/python"
anomaly() { "$python" "$here/train.py" --midan "$midan" "$@"; }
flow() { "$python" "$here/flow.py" --midan "$midan" "$@"; }

# Which model a file is, its manifest says by the name of its output.
is_anomaly() { grep -qs '^name = "score"' "${1%.onnx}.toml"; }

if [ -n "$model" ]; then
  if [ -z "$table" ] && is_anomaly "$model"; then anomaly "$@"; else flow "$@"; fi
elif [ -n "$table$only_flow" ]; then
  flow "$@"
else
  anomaly "$@"
  flow "$@"
fi
