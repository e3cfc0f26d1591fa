#!/usr/bin/env bash
# go generate must write what is there already. Work that is not committed yet
# does not disturb: the tree is compared with itself, before and after.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	echo "no git here: nothing to compare with"
	exit 0
fi

tree() {
	git ls-files -z --cached --others --exclude-standard | sort -z | xargs -0 sha256sum 2>/dev/null || true
}

before=$(tree)
"${GO:-go}" generate ./...
after=$(tree)
if [ "$before" != "$after" ]; then
	echo "go generate changed these files; commit what it writes:" >&2
	diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") | awk '/^[<>]/{print "  " $3}' | sort -u >&2
	exit 1
fi
