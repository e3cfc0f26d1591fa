#!/usr/bin/env bash
# Makes the pictures of docs/img: what the docs show, and below docs/img/all
# (not kept) every page in every language, scheme and width, to be looked at.
set -euo pipefail
cd "$(dirname "$0")/.."

"${GO:-go}" test ./internal/web -count 1 -run '^TestScreenshots$' -screenshots "$PWD/docs/img"
echo "pictures: docs/img, all of them: docs/img/all"
