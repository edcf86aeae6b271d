#!/usr/bin/env bash
# demo.sh: sets up, builds what is needed, and trains the diabetes network as one compiled function.
# Its arguments go to the program: ./demo.sh --epochs 50 --seed 3
set -euo pipefail
cd "$(dirname "$0")"

case ${1:-} in
  -h | --help)
    echo "usage: ./demo.sh [OPTION of build/bin/diabetes]..."
    echo "Installs what is missing, builds build/bin/diabetes and runs it: trains a 8-6-4-1 network, writes its loss curve."
    exit 0
    ;;
esac

./setup.sh
log=$(mktemp)
stamp=$(mktemp)
trap 'rm -f "$log" "$stamp"' EXIT
if [[ ! -f examples/diabetes.cpp ]]; then
  echo "demo.sh: examples/diabetes.cpp is not in this tree" >&2
  exit 1
fi
cmake --preset release >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
echo "Building (a few minutes the first time) ..."
if [[ -t 1 ]]; then
  cmake --build build --target diabetes
else
  cmake --build build --target diabetes >"$log" 2>&1 || { tail -n 60 "$log" >&2; exit 1; }
fi

build/bin/diabetes "$@"

curves=$(find . -maxdepth 2 -name '*.svg' -newer "$stamp" | sed 's|^\./||')
if [[ -n $curves ]]; then
  echo
  echo "The loss curve is in $curves (open it in a browser)."
fi
