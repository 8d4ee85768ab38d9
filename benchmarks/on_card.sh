#!/bin/sh
# Measures a machine with a card; prints to stdout. Needs the wheel of benchmarks/cuda_wheel.sh:
#
#     benchmarks/on_card.sh WHEEL [MODEL.gguf]
#
# Without a model, one with random weights in the shape of Qwen3-4B is written.
set -eu
wheel=${1:?"usage: benchmarks/on_card.sh WHEEL [MODEL.gguf]"}
model=${2:-qwen3-4b-shape.gguf}
python -m pip install --quiet --force-reinstall --no-deps "$wheel"
steertui doctor
python -m benchmarks.shapes qwen3-4b "$model"
for slots in 32 64 128 256; do
    steertui bench --model "$model" --slots "$slots" --breakdown
done
python -m benchmarks.rows --model "$model" --slots 128 --rows 1 8 32 64 128 --threads 2
python -m benchmarks.backend_sampling --model "$model" --slots 128
# With a build of xllamacpp for the card, add llama-server: --peers ceiling server.
python -m benchmarks.throughput --model "$model" --shape qwen3-4b --slots 32 64 128 256 --copies 4 \
    --threads 16 --rounds 1 --peers ceiling --sampling greedy "no filter" "top-p 0.95"
python -m benchmarks.throughput --model "$model" --shape qwen3-4b --slots 32 --prompts 6 \
    --threads 16 --rounds 1 --peers loop --log loop.jsonl
python -m benchmarks.accelerator_model --slots 32 64 128
