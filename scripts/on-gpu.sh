#!/bin/sh
# Everything that needs a GPU, on a machine that may have neither Node nor a network: unpacks what
# scripts/pack-carry.mjs packed, where it is needed, and runs scripts/on-gpu.mjs with its arguments.
set -eu
cd "$(dirname "$0")/.."

if [ -d carry ]; then
  if ! command -v node >/dev/null; then
    mkdir -p carry/bin
    [ -x carry/bin/node ] || xz -dc carry/node.xz >carry/bin/node
    chmod +x carry/bin/node
    PATH=$PWD/carry/bin:$PATH
    export PATH
  fi
  [ -e node_modules ] || ln -s carry/node_modules node_modules
  # Compiled TypeScript, always that of this carry: a machine may keep that of an earlier one.
  mkdir -p out
  rm -rf dist out/test out/scripts
  cp -r carry/dist dist
  cp -r carry/out/test carry/out/scripts out
fi

exec node scripts/on-gpu.mjs "$@"
