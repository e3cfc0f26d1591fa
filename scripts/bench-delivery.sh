#!/usr/bin/env bash
# What follows acceptance costs, on this machine, now: a scaled-down day that is
# forwarded to an authority and summed up, with the minutes that ten million
# receipts would take; the backlog of an outage that is caught up with while
# receipts are due at a steady rate, beside the same rate alone; and how far the
# cabinet's tables are behind at 5,000 receipts a second. The authority is that of
# `ofd authority`, on the same machine, storing and counting all it is sent.
#
#   DAY=200000      receipts of the day
#   BACKLOG=100000  receipts of the outage
#   STREAM=25000    receipts accepted at 5,000 a second
#   ENGINES='sqlite|postgres'
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

: "${DAY:=200000}" "${BACKLOG:=100000}" "${STREAM:=25000}" "${ENGINES:=sqlite|postgres}"

# bench NAME N runs a benchmark once over N receipts.
bench() {
	"$GO" test -run '^$' -bench "^Benchmark$1\$/^($ENGINES)\$" -benchtime "$2x" -timeout 1h ./cmd/ofd | grep -E '^(Benchmark|FAIL|panic|---)|the backlog'
}

uptime
step "a day of $DAY receipts, forwarded and summed up" bench Day "$DAY"
step "catching up with $BACKLOG receipts beside acceptance" bench CatchUp "$BACKLOG"
step "the cabinet's tables at 5,000 receipts a second" bench Behind "$STREAM"
uptime
