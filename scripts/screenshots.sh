#!/usr/bin/env bash
# Pictures of every page in three languages, light and dark, on a phone and on
# a desk, to be looked at before a change of the pages is called done: in
# docs/img/all. The few that the documents show lie in docs/img.
set -euo pipefail
cd "$(dirname "$0")/.."

"${GO:-go}" test -count 1 -run '^TestScreenshots$' ./internal/web -screenshots "$PWD/docs/img"
echo "look at docs/img/all"
