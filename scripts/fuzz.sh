#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME: a number of inputs by default, for Go calls
# it a failure ("context deadline exceeded") when a time ends while a worker is
# between two inputs. Targets are found, not listed. Inputs are made smaller by
# ten tries only: by default that takes the whole time.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
FUZZTIME=${FUZZTIME:-1500x}

dirs=$(grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u)
[ -n "$dirs" ] || { echo "no fuzz targets" >&2; exit 1; }

for dir in $dirs; do
	for target in $("$GO" test -list '^Fuzz' "$dir" | grep '^Fuzz'); do
		echo "$dir $target for $FUZZTIME"
		"$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x "$dir"
	done
done
