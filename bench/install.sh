#!/usr/bin/env bash
# Installs what `bench/race.py` races forge against: programs from Debian, BuildStream from PyPI into
# a virtual environment of its own (default: target/peers, where race.py looks for it).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-target/peers}
root=(env)
[ "$(id -u)" = 0 ] || root=(sudo)

"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  bubblewrap buildah busybox-static debian-archive-keyring docker-registry fuse3 graphviz hyperfine mmdebstrap \
  ninja-build nix-bin python3-venv skopeo zstd

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check BuildStream==2.8.1
"$venv/bin/bst" --version
