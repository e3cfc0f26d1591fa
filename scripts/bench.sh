#!/usr/bin/env bash
# How fast it is, on this machine, now: allocations and time of the parts on a
# receipt's way, then whole tickets over real sockets, beside a bare echo of the
# same frames and a bare insert of the same rows in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

parts() {
	local dirs
	dirs=$(grep -rlE --include='*_test.go' '^func Benchmark' internal | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
	# shellcheck disable=SC2086 # one argument per folder
	"$GO" test -run '^$' -bench . -benchmem -benchtime 0.5s $dirs
}

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# load FLAGS... runs the load test on a new folder.
load() {
	rm -rf "$data/sqlite"
	./ofd bench kkm --data "$data/sqlite" --registers 1000 "$@"
	rm -rf "$data/sqlite"
}

# idle FLAGS... holds as many silent connections as one process may have.
idle() {
	./ofd bench kkm --idle 18000 --registers 1000 --connections 64 --rate 2000 --max-p99 200ms --duration 15s "$@"
}

# server FLAGS... runs it on a new PostgreSQL cluster.
server() { scripts/postgres.sh scripts/bench-db.sh "$data" --registers 1000 "$@"; }

step "build" env CGO_ENABLED=0 "$GO" build -trimpath -o ofd ./cmd/ofd
step "parts of a receipt's way" parts
step "as many as it takes: SQLite, 64 connections" load --connections 64 --duration 10s
step "SQLite, 256 connections" load --connections 256 --duration 10s
step "SQLite, p99 at 10,000 tickets a second" load --connections 64 --duration 10s --rate 10000
step "SQLite, one register alone" load --registers 1 --connections 1 --duration 5s
step "PostgreSQL, 64 connections" server --connections 64 --duration 15s
step "PostgreSQL, 256 connections" server --connections 256 --duration 15s
step "PostgreSQL, one register alone" server --registers 1 --connections 1 --duration 5s
step "18,000 idle connections and 2,000 tickets a second" idle
step "the same with TLS" idle --tls
# FILL=0 leaves out what takes minutes and twenty gigabytes of disk.
if [ "${FILL:=10000000}" -gt 0 ]; then
	step "SQLite before and after $FILL entries" load --connections 64 --duration 15s --ceiling 0 --fill "$FILL"
	step "PostgreSQL before and after $FILL entries" server --connections 64 --duration 15s --ceiling 0 --fill "$FILL"
fi
total
