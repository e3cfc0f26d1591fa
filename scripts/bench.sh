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

# load NAME FLAGS... runs the load test on a folder of its own.
load() {
	local name=$1
	shift
	./ofd bench kkm --data "$data/$name" "$@"
}

step "build" env CGO_ENABLED=0 "$GO" build -trimpath -o ofd ./cmd/ofd
step "parts of a receipt's way" parts
step "as many as it takes: 1,000 registers, 64 connections" load full --registers 1000 --connections 64 --duration 10s
step "p99 at 10,000 tickets a second" load rate --registers 1000 --connections 64 --duration 10s --rate 10000
step "one register alone" load one --registers 1 --connections 1 --duration 5s
total
