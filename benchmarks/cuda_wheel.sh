#!/bin/sh
# Builds a wheel of llama-cpp-python for one CUDA architecture, on a machine with the CUDA toolkit
# (no card is needed), so that a machine with a card has nothing to compile:
#
#     benchmarks/cuda_wheel.sh [ARCHITECTURE [FOLDER]]
#
# ARCHITECTURE is 80 for A100, 86 or 89 for GeForce 30 and 40, 90 for H100 and H200 [default: 90].
set -eu
architecture=${1:-90}
folder=${2:-wheels}
version=$(python -c 'from importlib.metadata import version; print(version("llama-cpp-python"))')
command -v nvcc > /dev/null || { echo "nvcc: not found; install the CUDA toolkit" >&2; exit 1; }
# Kernels for one architecture, without all combinations of quantised KV caches, keep it small.
CMAKE_ARGS="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=${architecture} -DGGML_CUDA_FA_ALL_QUANTS=off \
-DGGML_NATIVE=off -DGGML_AVX2=on -DGGML_FMA=on -DGGML_F16C=on -DLLAVA_BUILD=off" \
    python -m pip wheel --no-deps --no-binary llama-cpp-python --wheel-dir "$folder" \
    "llama-cpp-python==${version}"
ls -l "$folder"
