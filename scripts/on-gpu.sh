#!/bin/sh
# Everything that needs a GPU, on a machine that may have neither Node nor a network: unpacks what
# scripts/pack-carry.mjs packed, where it is needed, and runs scripts/on-gpu.mjs with its arguments.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/local/cuda/bin" # where nvcc and its tools are if nobody said so

if [ ! -d node_modules ] || [ -L node_modules ]; then # not a checkout of its own
  if ! command -v node >/dev/null; then
    mkdir -p carry/bin
    [ -x carry/bin/node ] || xz -dc carry/node.xz >carry/bin/node
    chmod +x carry/bin/node
    PATH=$PWD/carry/bin:$PATH
  fi
  [ -e node_modules ] || ln -s carry/node_modules node_modules
  # Compiled TypeScript, always that of this carry: a machine may keep that of an earlier one.
  mkdir -p out
  rm -rf dist out/test out/scripts
  cp -r carry/dist dist
  cp -r carry/out/test carry/out/scripts out
else
  node_modules/.bin/tsc --build
fi

exec node scripts/on-gpu.mjs "$@"
