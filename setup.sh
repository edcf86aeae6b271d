#!/usr/bin/env bash
# setup.sh: installs what building and testing gcompile needs on Debian 12 and is not there yet. Prints nothing when
# nothing is missing; needs root or sudo only when something is.
set -euo pipefail

packages=(
  g++ binutils cmake ninja-build mold ccache git python3
  llvm-19-dev                   # the JIT and code generators, as static archives
  llvm-19-tools                 # FileCheck and lit, for the text tests
  libzstd-dev zlib1g-dev        # used by LLVM; zlib also by checkpoints
  nlohmann-json3-dev            # the header of checkpoints (safetensors)
  libxxhash-dev                 # keys and checksums of the compile cache
  libeigen3-dev                 # the interpreter's arrays, and the bridge to users
  libboost-program-options-dev  # the tool's command line
  libgtest-dev libgmock-dev     # tests
  libbenchmark-dev              # benchmarks
  libdnnl-dev                   # oneDNN, a reference in the benchmarks
  clang-format                  # the format test
  gdb                           # the test of what debuggers are told
)

if [[ ${1:-} == --list ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
elif [[ $# -gt 0 ]]; then
  echo "usage: ./setup.sh [--list]" >&2
  exit 2
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: this is not a Debian system. Install what these packages of Debian 12 provide, then build with CMake:" >&2
  echo "  ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $(id -u) -eq 0 ]]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  echo "setup.sh: packages are missing, and installing them needs root or sudo. As root, run:" >&2
  echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "setup.sh: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
}
if ! install update || ! install install -y --no-install-recommends "${missing[@]}"; then
  tail -n 30 "$log" >&2
  echo "setup.sh: apt-get failed (its last lines are above)" >&2
  exit 1
fi
