#!/bin/sh
# Tests and measures a machine with a card; prints to stdout. Needs the wheel of benchmarks/cuda_wheel.sh:
#
#     benchmarks/on_card.sh WHEEL [MODEL.gguf [LLAMA_SERVER]]
#
# Without a model, one with random weights in the shape of Qwen3-4B is written. LLAMA_SERVER is a program built for the card.
set -eu
wheel=${1:?"usage: benchmarks/on_card.sh WHEEL [MODEL.gguf [LLAMA_SERVER]]"}
model=${2:-qwen3-4b-shape.gguf}
server=${3:-}
python -m pip install --quiet --force-reinstall --no-deps "$wheel"
steertui doctor
ACCELERATOR=1 python -m pytest tests/accelerator
python -m benchmarks.shapes qwen3-4b "$model"
steertui bench --model "$model" --breakdown
python -m benchmarks.rows --model "$model" --slots 128 --rows 1 8 32 64 128 --threads 2 --flash
python -m benchmarks.backend_sampling --model "$model" --slots 128 --wall
python -m benchmarks.throughput --model "$model" --shape qwen3-4b --slots 128 --pools 1x128 2x64 4x32 4x64 8x32 --copies 3 \
    --tokens 128 --threads 4 --rounds 1 --peers ${server:+server --llama-server "$server"} --sampling greedy "no filter" "top-p 0.95"
python -m benchmarks.throughput --model "$model" --shape qwen3-4b --slots 128 --prompts 6 --tokens 128 \
    --threads 4 --rounds 1 --peers loop --log loop.jsonl
