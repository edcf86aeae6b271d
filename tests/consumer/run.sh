#!/bin/sh
# run.sh CMAKE BUILD COMPILER SANITIZERS: installs BUILD into a temporary prefix, builds this folder's project against
# it, in a tree that knows nothing of the source tree, and runs it.
set -eu
cmake=$1 build=$2 compiler=$3 sanitizers=$4
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
mkdir "$work/src"
cp "$source/CMakeLists.txt" "$source"/*.cpp "$work/src/"
"$cmake" -S "$work/src" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$work/prefix" ${sanitizers:+-DCMAKE_CXX_FLAGS=-fsanitize=$sanitizers}
"$cmake" --build "$work/build"
"$work/build/consumer"
if [ -x "$work/prefix/bin/gcompile" ]; then "$work/prefix/bin/gcompile" --version; fi
