#!/bin/sh
# Installs what is missing, builds forerun and its tests, and runs them all. The first argument names
# another preset of CMakePresets.json than `release`; further ones go to ctest (-L unit, -R sim).
set -eu
cd "$(dirname "$0")"

preset="${1:-release}"
[ $# -eq 0 ] || shift
cmake/install-packages
cmake --preset "$preset"
cmake --build --preset "$preset"
ctest --preset "$preset" "$@"
