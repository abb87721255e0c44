#!/bin/sh
# Installs what is missing, builds forerun, and runs it with the given arguments; without any, on
# the published run that the README starts with.
set -eu
cd "$(dirname "$0")"

cmake/install-packages
mkdir -p build
cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
cmake --build --preset release --target forerun >&2
[ $# -gt 0 ] || set -- run scenarios/llama3_405b_16384_h100.json
exec build/release/cli/forerun "$@"
