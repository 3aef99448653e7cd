#!/bin/bash
# Sets up, builds and runs every test. The last line is "N passed, N failed";
# exits 0 if nothing failed.
#
#   tools/test.sh [TARGET...]         one optimised build, its tests, format, and
#                                     clang-tidy on what changed
#   tools/test.sh --long [TARGET...]  also: tests tagged "nightly" (that of Ray
#                                     skips without $HYBRIDSERVE_RAY_PYTHON, see
#                                     client/python/README.md), clang-tidy on
#                                     everything, registers of the CUDA kernels,
#                                     all tests under ASan and UBSan, those without
#                                     gRPC under TSan, each fuzz target for a
#                                     minute, and mutations of the CUDA backend
#   tools/test.sh --suite=NAME [TARGET...]
#                                     one of these alone: opt, tidy (everything),
#                                     spills, asan, tsan, fuzz, mutations
#
# TARGET: Bazel patterns to build and test; all by default.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

passed=0
failed=0
failures=()
targets=()
tags=

say() { echo "[$(date -u +%H:%M:%S)] $*"; }

# check NAME COMMAND...: one check that is no Bazel test.
check() {
  local name="$1"
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$name")
  fi
}

# test_suite NAME TARGETS BAZEL_FLAG...: builds the targets in the array TARGETS,
# runs the tests among them, and counts them. A test that can't be built has
# failed.
test_suite() {
  local name="$1" events results counts status=0
  local -n suite="$2"
  shift 2
  say "$name: building and testing"
  events="$(mktemp)"
  results="$(mktemp)"
  run_bazel test --keep_going --show_result=0 --test_summary=short \
    --build_tests_only=false --build_event_json_file="$events" "$@" \
    -- "${suite[@]}" || status=$?
  python3 tools/count_tests.py "$events" "$status" > "$results"
  rm -f "$events"
  read -r -a counts < "$results"
  passed=$((passed + counts[0]))
  failed=$((failed + counts[1]))
  while read -r target; do
    failures+=("$name $target")
  done < <(tail -n +2 "$results")
  rm -f "$results"
  say "$name: ${counts[0]} passed, ${counts[1]} failed"
}

suite_opt() { test_suite "opt" targets --config=opt --test_tag_filters="$tags"; }

suite_tidy() { check "clang-tidy on everything" tools/lint.sh; }

suite_spills() {
  check "no kernel spills" .venv/bin/python tools/kernel_report.py --check
}

suite_asan() {
  test_suite "asan+ubsan" targets --config=asan --config=ubsan \
    --build_tag_filters=-no_sanitizer \
    --test_env=LSAN_OPTIONS="suppressions=$PWD/tools/lsan_suppressions.txt" \
    --test_tag_filters=-manual,-no_sanitizer --test_timeout=300,900,1800,3600
}

suite_fuzz() {
  check "fuzz targets, a minute each" .venv/bin/python tests/fuzz/run.py --once
}

suite_mutations() {
  check "mutations are caught" .venv/bin/python \
    tests/emulation/mutations/mutations.py
}

suite_tsan() {
  local without_rpc
  # gRPC is not instrumented: what it orders would be reported.
  mapfile -t without_rpc < <(
    run_bazel query --keep_going 2> /dev/null \
      "kind('cc_test rule', set(${targets[*]})) \
        except rdeps(//..., @com_github_grpc_grpc//:all)"
  )
  test_suite "tsan" without_rpc --config=tsan \
    --build_tag_filters=-no_sanitizer \
    --test_tag_filters=-manual,-no_sanitizer --test_timeout=300,900,1800,3600
}

usage() {
  echo "usage: tools/test.sh [--long |" \
    "--suite=opt|tidy|spills|asan|tsan|fuzz|mutations] [TARGET...]" >&2
  exit 2
}

main() {
  local suites=(opt) changed=true
  tags=-manual,-nightly
  case "${1:-}" in
    --long) suites=(opt tidy spills asan tsan fuzz mutations) changed=false
      tags=-manual ;;
    --suite=opt | --suite=tidy | --suite=spills | --suite=asan | \
      --suite=tsan | --suite=fuzz | --suite=mutations)
      suites=("${1#--suite=}") changed=false ;;
    -*) usage ;;
  esac
  if [[ "${1:-}" == -* ]]; then shift; fi
  targets=("$@")
  if (( ${#targets[@]} == 0 )); then targets=(//...); fi
  trap stop_bazel_in_ci EXIT

  say "setting up"
  tools/setup.sh
  check "clang-format" tools/format.sh --check
  check "what pages name is there" python3 tools/check_docs.py
  local suite
  for suite in "${suites[@]}"; do "suite_$suite"; done
  if "$changed"; then
    check "clang-tidy on changed files" tools/lint.sh --changed
  fi

  if (( failed > 0 )); then
    printf 'FAILED: %s\n' "${failures[@]}"
  fi
  stop_bazel_in_ci
  echo "$passed passed, $failed failed"
  (( failed == 0 ))
}

main "$@"
