#!/usr/bin/env bash
# Builds the images hybridserve-scheduler, hybridserve-worker, hybridserve-client
# and hybridserve-openai of what Bazel built: docs/images.md. Needs buildah, no
# container engine, no network, and root or user namespaces.
#
#   k8s/build_image.sh [FLAG...] [PROGRAM...]
#
# PROGRAM: scheduler, worker, client, openai; all by default.
#
#   --archive=DIR   also writes each image to DIR/NAME.tar, which docker, podman,
#                   ctr and kind load
#   --cuda          builds hybridserve-worker-cuda instead: the worker with
#                   cuBLAS, from $CUDA_HOME (/usr/local/cuda)
#   --rootfs=DIR    only fills DIR/PROGRAM with what each image would hold
#   --storage=DIR   keeps images in DIR instead of where the user's are
#   --tag=TAG       the programs' version by default
#
# $HYBRIDSERVE_BIN names a folder of built programs instead of bazel-bin, which
# is built first. The same programs on the same Debian give the same image:
# times are $SOURCE_DATE_EPOCH, by default the last commit's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

declare -A BINARIES=(
  [scheduler]=scheduler/scheduler
  [worker]=worker/worker
  [client]=client/hybridserve
  [openai]=client/openai/hybridserve-openai
)
archive="" cuda=false rootfs="" tag="" bin="${HYBRIDSERVE_BIN:-}"
buildah=(buildah --storage-driver=vfs)
programs=()

usage() {
  sed -n '/^#   k8s/,/^set/p' "${BASH_SOURCE[0]}" | sed -n 's/^# \{0,1\}//p' >&2
  exit 2
}

parse() {
  local argument
  for argument in "$@"; do
    case "$argument" in
      --archive=?*) archive="$(realpath -m "${argument#*=}")" ;;
      --cuda) cuda=true ;;
      --rootfs=?*) rootfs="$(realpath -m "${argument#*=}")" ;;
      --storage=?*)
        buildah+=("--root=${argument#*=}/images" "--runroot=${argument#*=}/run")
        ;;
      --tag=?*) tag="${argument#*=}" ;;
      scheduler | worker | client | openai) programs+=("$argument") ;;
      *)
        echo "build_image: unknown argument: $argument" >&2
        usage
        ;;
    esac
  done
  if "$cuda"; then
    if (( ${#programs[@]} == 0 )); then programs=(worker); fi
    if [[ "${programs[*]}" != worker ]]; then
      echo "build_image: --cuda: there is only a worker with cuBLAS" >&2
      exit 2
    fi
  fi
  if (( ${#programs[@]} == 0 )); then
    programs=(scheduler worker client openai)
  fi
}

# fill PROGRAM FOLDER: with the image's files.
fill() {
  local flags=()
  if "$cuda"; then flags=(--cublas); fi
  python3 -B k8s/image/make_root.py "$1" "$bin/${BINARIES[$1]}" "$2" \
    "${flags[@]}"
}

# commit PROGRAM FOLDER: makes the image of the folder.
commit() {
  local name="hybridserve-$1" version="$tag" container path id
  path="/opt/hybridserve/bin/$(basename "${BINARIES[$1]}")"
  if "$cuda"; then name+=-cuda; fi
  if [[ -z "$version" ]]; then
    version="$("$bin/${BINARIES[$1]}" --version |
      grep -o '[0-9]\+\.[0-9]\+\.[0-9]\+' | head -n 1)"
  fi
  container="$("${buildah[@]}" from scratch)"
  "${buildah[@]}" copy --quiet --chown=0:0 "$container" "$2" / > /dev/null
  "${buildah[@]}" config \
    --user=10001:10001 \
    --workingdir=/opt/hybridserve \
    --entrypoint="[\"$path\"]" \
    --label="org.opencontainers.image.title=$name" \
    --label="org.opencontainers.image.version=$version" \
    --label=org.opencontainers.image.licenses=Apache-2.0 \
    "$container"
  if "$cuda"; then
    # Where cuBLAS is, and where NVIDIA's container toolkit puts the driver.
    "${buildah[@]}" config --env=LD_LIBRARY_PATH=/usr/lib64 \
      --env=NVIDIA_VISIBLE_DEVICES=all \
      --env=NVIDIA_DRIVER_CAPABILITIES=compute,utility "$container"
  fi
  id="$("${buildah[@]}" commit --quiet --rm --timestamp="$SOURCE_DATE_EPOCH" \
    "$container" "localhost/$name:$version")"
  if [[ -n "$archive" ]]; then
    mkdir -p "$archive"
    rm -f "$archive/$name.tar"
    "${buildah[@]}" push --quiet "$id" \
      "docker-archive:$archive/$name.tar:$name:$version"
  fi
  echo "built localhost/$name:$version $id"
}

main() {
  local program
  parse "$@"
  if [[ -z "$bin" ]]; then
    (
      source tools/environment.sh
      run_bazel build --config=opt //scheduler //worker //client:hybridserve \
        //client/openai:hybridserve-openai
    )
    bin=bazel-bin
  fi
  : "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2> /dev/null || echo 0)}"

  if [[ -n "$rootfs" ]]; then
    for program in "${programs[@]}"; do
      fill "$program" "$rootfs/$program"
      echo "filled $rootfs/$program"
    done
    return
  fi
  scratch="$(mktemp -d)"
  trap 'rm -rf "$scratch"' EXIT
  for program in "${programs[@]}"; do
    fill "$program" "$scratch/$program"
    commit "$program" "$scratch/$program"
    rm -rf "${scratch:?}/$program"
  done
}

main "$@"
