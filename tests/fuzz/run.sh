#!/bin/bash
# Runs the fuzz targets (tools/fuzz.bzl) so often in all: in turns of a minute
# each, from the seeds beside them and what they have found, until there were so
# many runs. Prints how often each ran, and exits 1 if one crashed; the input is
# then kept and named, and that target runs no more.
#
#   tests/fuzz/run.sh [--runs=N] [TARGET...]    10,000,000 runs of all targets
#
# tools/test.sh --suite=fuzz runs each for one minute.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/environment.sh"

TURN_SECONDS=60
runs=10000000
if [[ "${1:-}" == --runs=* ]]; then
  runs="${1#--runs=}"
  shift
fi
targets=("$@")
if (( ${#targets[@]} == 0 )); then
  mapfile -t targets < <(
    run_bazel query 'attr(tags, "\bfuzz\b", kind("cc_binary rule", //...))' \
      2> /dev/null
  )
fi
if (( ${#targets[@]} == 0 )); then
  echo "no fuzz targets" >&2
  exit 1
fi
run_bazel build --config=fuzz --show_result=0 -- "${targets[@]}"

scratch="$(mktemp -d)"
total=0
crashes=0
declare -A runs_of crashed

# turn TARGET: adds its runs to `total`.
turn() {
  local target="$1" program="${1#//}" name="${1##*:}" corpus seeds status=0 count
  seeds="${program%:*}/testdata/$name"
  corpus="$scratch/$name"
  if [[ ! -d "$corpus" ]]; then
    mkdir "$corpus"
    if [[ -d "$seeds" ]]; then cp "$seeds"/* "$corpus"; fi
  fi
  "bazel-bin/${program/://}" -max_total_time="$TURN_SECONDS" \
    -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$scratch/$name-" "$corpus" > "$scratch/log" 2>&1 ||
    status=$?
  count="$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")"
  runs_of[$target]=$(( ${runs_of[$target]:-0} + ${count:-0} ))
  total=$(( total + ${count:-0} ))
  if (( status != 0 )); then
    crashed[$target]=1
    crashes=$(( crashes + 1 ))
    tail -n 40 "$scratch/log"
    ls "$scratch/$name"-* || true
  fi
}

while (( total < runs && crashes < ${#targets[@]} )); do
  for target in "${targets[@]}"; do
    if [[ -z "${crashed[$target]:-}" ]]; then turn "$target"; fi
  done
  echo "$total runs so far, $SECONDS s"
done
for target in "${targets[@]}"; do
  printf '%-45s %10d runs  %s\n' "$target" "${runs_of[$target]:-0}" \
    "${crashed[$target]:+CRASHED}"
done
echo "$total runs of ${#targets[@]} targets, $crashes crashed"
if (( crashes > 0 )); then exit 1; fi
rm -rf "$scratch"
