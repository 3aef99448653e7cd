#!/bin/bash
# Sets up, builds, and shows the whole thing at work: a scheduler, a worker
# whose device memory is smaller than the model, text streamed over gRPC, a
# batch job, and what crossed the link meanwhile.
#
#   tools/demo.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

MODEL_DIR=models/demo
# Of some 17 MB of float32 weights; the rest stays in host memory and is
# streamed, behind a link paced to 2 GB/s. By itself a worker would choose
# bfloat16 where the cpu has instructions for it, and the model would fit.
DTYPE=float32
DEVICE_MEMORY=14MB
LINK_BANDWIDTH=2GB/s
PROMPTS=(
  "In the beginning"
  "And the king said unto"
  "The love of"
)

say() { printf '\n== %s\n' "$*"; }

scratch="$(mktemp -d)"
pids=()
cleanup() {
  if (( ${#pids[@]} > 0 )); then kill "${pids[@]}" 2> /dev/null || true; fi
  wait
  rm -rf "$scratch"
  stop_bazel_in_ci
}
trap cleanup EXIT

# wait_for_line FILE PATTERN PID: the line, once the process has printed it.
wait_for_line() {
  local line
  while true; do
    line="$(grep -s -m 1 -E "$2" "$1" || true)"
    if [[ -n "$line" ]]; then
      echo "$line"
      return
    fi
    if ! kill -0 "$3" 2> /dev/null; then
      echo "demo: a program ended early; its log:" >&2
      cat "$1.log" >&2
      exit 1
    fi
    sleep 0.1
  done
}

say "Setting up and building (the first time takes minutes)"
tools/setup.sh --build
run_bazel build --config=opt --show_result=0 \
  //scheduler:scheduler //worker:worker //client:hybridserve

say "Starting a scheduler, and a worker with $DEVICE_MEMORY of device memory"
bazel-bin/scheduler/scheduler --listen=127.0.0.1:0 \
  > "$scratch/scheduler" 2> "$scratch/scheduler.log" &
pids+=($!)
server="$(wait_for_line "$scratch/scheduler" '^listening ' "${pids[0]}")"
server="${server#listening }"
bazel-bin/worker/worker --scheduler="$server" --model_dir="$MODEL_DIR" \
  --dtype="$DTYPE" --device_memory="$DEVICE_MEMORY" \
  --link_bandwidth="$LINK_BANDWIDTH" \
  > "$scratch/worker" 2> "$scratch/worker.log" &
pids+=($!)
wait_for_line "$scratch/worker" '^ready$' "${pids[1]}" > /dev/null
wait_for_line "$scratch/scheduler" '^ready$' "${pids[0]}" > /dev/null
echo "serving $MODEL_DIR ($(du -bh "$MODEL_DIR/model.safetensors" | cut -f1)" \
  "on disk) at $server"

hybridserve() { bazel-bin/client/hybridserve "$@"; }

for prompt in "${PROMPTS[@]}"; do
  say "generate --prompt=\"$prompt\""
  printf '%s' "$prompt"
  hybridserve generate --server="$server" --prompt="$prompt" \
    --max_tokens=64 --temperature=0.7 --top_p=0.9 --seed=7
done

say "batch: 48 requests from a file"
for i in $(seq 1 48); do
  printf '{"id": %d, "prompt": "%s", "max_tokens": 96, "ignore_eos": true}\n' \
    "$i" "${PROMPTS[$((i % ${#PROMPTS[@]}))]}"
done > "$scratch/in.jsonl"
hybridserve batch --server="$server" --input="$scratch/in.jsonl" \
  --output_file="$scratch/out.jsonl" --window=32 --temperature=0.7 --seed=1

say "What the worker did"
hybridserve status --server="$server" --show_profile

say "The same in one process, without a server"
echo "bazel-bin/client/hybridserve generate --model_dir=$MODEL_DIR" \
  "--prompt=\"${PROMPTS[0]}\""
printf '%s' "${PROMPTS[0]}"
hybridserve generate --model_dir="$MODEL_DIR" --prompt="${PROMPTS[0]}" \
  --max_tokens=48 --temperature=0.7 --top_p=0.9 --seed=7 \
  2> "$scratch/embedded.log"
