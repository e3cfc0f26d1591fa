#!/usr/bin/env bash
# Pictures of every page, to be looked at before a change of the pages is called
# done.
#
#   docs/img/sheets   one contact sheet for each page that a link leads to, as
#                     each kind of person in the demo meets it: three languages
#                     below each other, light and dark, phone and desk beside
#                     each other; findings.txt says what a machine could see
#   docs/img/all      the buyer's check and what the tests walk, one by one
#   docs/img          the few that the documents show
#
# scripts/screenshots.sh receipts makes the sheets of pages with that in their
# name, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

"${GO:-go}" test -count 1 -timeout 30m -tags pictures -run '^TestPictures$' ./cmd/ofd \
	-sheets "$PWD/docs/img/sheets" -only "${1:-}"
if [ -z "${1:-}" ]; then
	"${GO:-go}" test -count 1 -run '^TestScreenshots$' ./internal/web -screenshots "$PWD/docs/img"
fi
echo "look at docs/img/sheets and docs/img/all"
