#!/bin/bash
# Checks the CUDA backend on a machine with a GPU and writes one report: the
# tests tagged "gpu", compute-sanitizer over them, the link, hybridserve bench.
#
#   tools/gpu_check.sh [REPORT]   default: docs/results/gpu.md
#
# Exits 1 if anything failed, 2 without a GPU or toolkit; the report is written
# either way once a GPU is there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

report="${1:-docs/results/gpu.md}"
failed=0
nvcc="${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"

if ! nvidia-smi -L > /dev/null 2>&1; then
  echo "gpu_check: no GPU: nvidia-smi finds no device" >&2
  exit 2
fi
if [[ ! -x "$nvcc" ]]; then
  echo "gpu_check: no CUDA toolkit: no $nvcc" >&2
  exit 2
fi

sanitizer="$(dirname "$nvcc")/compute-sanitizer"

say() { echo "[$(date -u +%H:%M:%S)] $*"; }

# section NAME COMMAND...: runs it; its end and exit code go into the report.
section() {
  local name="$1" log status=0
  shift
  say "$name"
  log="$(mktemp)"
  "$@" > "$log" 2>&1 || status=$?
  if (( status != 0 )); then failed=1; fi
  {
    echo
    echo "## $name"
    echo
    echo "\`$*\`: exit $status"
    echo
    echo '```'
    tail -n 60 "$log"
    echo '```'
  } >> "$report"
  say "$name: exit $status"
  rm -f "$log"
}

# The worker's own lines about the link, from a start that generates a token.
link() {
  bazel-bin/client/hybridserve generate --model_dir=models/demo --device=cuda \
    --prompt="In the beginning" --max_tokens=1 --log_level=info 2>&1 |
    tee /dev/stderr | grep -o 'link_[a-z_]*=.*'
}

main() {
  mkdir -p "$(dirname "$report")"
  {
    echo "# The CUDA backend on $(nvidia-smi --query-gpu=name \
      --format=csv,noheader | head -n 1)"
    echo
    echo "\`tools/gpu_check.sh\`, $(date -u +%Y-%m-%d), $(git rev-parse --short \
      HEAD), driver $(nvidia-smi --query-gpu=driver_version \
      --format=csv,noheader | head -n 1), $("$nvcc" --version |
      grep -o 'release [0-9.]*')"
  } > "$report"
  tools/setup.sh
  # A test that skips itself, as without cuBLAS, has failed here.
  export HYBRIDSERVE_GPU_REQUIRED=1
  section "Tests" run_bazel test --config=opt --test_tag_filters=gpu \
    --test_env=HYBRIDSERVE_GPU_REQUIRED --test_output=errors --show_result=0 \
    //...
  local test tool
  for tool in memcheck racecheck synccheck; do
    for test in worker/device/cuda/cuda_device_test \
      worker/offload/engine_gpu_test; do
      section "compute-sanitizer $tool: $test" "$sanitizer" --tool="$tool" \
        --error-exitcode=1 "bazel-bin/$test"
    done
  done
  run_bazel build --config=opt --show_result=0 //client:hybridserve
  section "Link" link
  # So little memory that the demo model is streamed, cache and all.
  section "Bench" bazel-bin/client/hybridserve bench --model_dir=models/demo \
    --device=cuda --device_memory=min \
    --policies=hybrid,kv,act --repeats=3
  say "report: $report"
  return "$failed"
}

main "$@"
