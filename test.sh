#!/usr/bin/env bash
# test.sh: sets up, builds everything and runs all tests; the last line says how many passed and failed.
set -uo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
usage: ./test.sh [OPTION]...
  --quick          leave out the tests labelled long
  --graphs=N       check so many random graphs, in place of 20000
  --target=NAME    generate code for NAME (x86-64-v4, x86-64-v3, x86-64) instead of this machine, in all tests
  --preset NAME    build and test this preset of CMakePresets.json: release (default), debug, asan, tsan, ubsan
  --help           print this
Exit code: 0 if all tests passed, 1 if one failed or the build did, 2 for a wrong option.
EOF
}
wrong() {
  echo "test.sh: $1" >&2
  usage >&2
  exit 2
}

quick=no preset=release
while [[ $# -gt 0 ]]; do
  option=$1
  shift
  case $option in
    --quick) quick=yes ;;
    --help | -h) usage; exit 0 ;;
    --target=* | --preset=* | --graphs=*) value=${option#*=} option=${option%%=*} ;;
    --target | --preset | --graphs)
      [[ $# -gt 0 ]] || wrong "$option needs a value"
      value=$1
      shift
      ;;
    *) wrong "unknown option $option" ;;
  esac
  case $option in
    --target)
      [[ -n $value ]] || wrong "--target needs a value"
      export GCOMPILE_TARGET=$value
      ;;
    --preset) preset=$value ;;
    --graphs)
      [[ $value =~ ^[1-9][0-9]*$ ]] || wrong "--graphs needs a number"
      export GCOMPILE_FUZZ_GRAPHS=$value
      ;;
  esac
done
case $preset in
  release) build=build ;;
  debug | asan | tsan | ubsan) build=build-$preset ;;
  *) wrong "unknown preset $preset" ;;
esac

./setup.sh || exit 1
start=$SECONDS
cmake --preset "$preset" || exit 1
cmake --build "$build" || exit 1
echo "Built in $((SECONDS - start)) s."

[[ -z ${GCOMPILE_TARGET:-} ]] || echo "Code is generated for $GCOMPILE_TARGET."
# The whole output of passed tests is wanted: the summary counts the text tests in it.
arguments=(--test-dir "$build" --parallel 2 --output-on-failure --output-junit junit.xml
           --test-output-size-passed 10000000 --test-output-size-failed 10000000)
[[ $quick == no ]] || arguments+=(--label-exclude '^long$')
rm -f "$build/junit.xml"
start=$SECONDS
ctest "${arguments[@]}"
code=$?
echo "Tested in $((SECONDS - start)) s."
python3 tests/summary.py "$build/junit.xml" "$code"
