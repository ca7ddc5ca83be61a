#!/usr/bin/env bash
# The ONNX Runtime library, taken out of its published Python wheel: the one build that is reachable
# through a package registry, at the version and hash that onnxruntime.txt pins.
#
# The wheel is asked for by platform, so the Python that happens to run pip changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh

home="$tools/onnxruntime"
library="$home/libonnxruntime.so"
machine=$(uname -m)

case "$(uname -s)-$machine" in
    Linux-x86_64 | Linux-aarch64) ;;
    *) fail "no pinned ONNX Runtime for $(uname -s) on $machine" \
        "name a libonnxruntime of your own as models.library, or in MIDAN_MODELS__LIBRARY; without one Midan runs on its rules alone" ;;
esac

fetch() {
    mark_stale onnxruntime
    rm -rf "$home"
    mkdir -p "$home/wheel"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.11 --implementation cp --abi cp311 --platform "manylinux_2_28_$machine" \
        --require-hashes --requirement setup/onnxruntime.txt --dest "$home/wheel"
}

extract() {
    python3 - "$home" <<'PYTHON'
import pathlib, sys, zipfile

home = pathlib.Path(sys.argv[1])
(wheel,) = (home / "wheel").glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    (library,) = [name for name in names if name.startswith("onnxruntime/capi/libonnxruntime.so.")]
    (home / "libonnxruntime.so").write_bytes(archive.read(library))
    for notice in ("LICENSE", "ThirdPartyNotices.txt"):
        (home / notice).write_bytes(archive.read(f"onnxruntime/{notice}"))
wheel.unlink()
(home / "wheel").rmdir()
PYTHON
}

wanted="$machine $(digest setup/onnxruntime.txt setup/onnxruntime.sh)"
if [ -f "$library" ] && is_fresh onnxruntime "$wanted"; then
    exit 0
fi
step "fetching the ONNX Runtime wheel" fetch
step "taking the library out of it" extract
mark_fresh onnxruntime "$wanted"
