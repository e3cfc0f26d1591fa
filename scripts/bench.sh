#!/usr/bin/env bash
# How fast it is, on this machine, now: allocations and time of the parts on a
# receipt's way, then whole receipts of both protocols over real sockets, beside
# a bare echo of the same frames and a bare insert of the same rows in the same
# run. What the environment may change, for a short walk through all of it:
#
#   FILL=10000000    entries of the full store; 0 leaves it out
#   SECONDS_EACH=10  of a load, measured
#   REGISTERS=1000   of a load
#   IDLE=18000       silent connections
#   DOCUMENTS=1000000  receipts of one taxpayer in the cabinet's tables; 10000000 takes an hour, 0 leaves it out
#   NETWORK=20000    registers of one taxpayer
#   TILLS=500        sellers at the pages of a till, a receipt a second each
#   PARTS=0.5s       of each micro benchmark
#   MAX_P99=1.5s     slower is a failure
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

: "${FILL:=10000000}" "${SECONDS_EACH:=10}" "${REGISTERS:=1000}" "${IDLE:=18000}" "${DOCUMENTS:=1000000}" "${NETWORK:=20000}" "${TILLS:=500}" "${PARTS:=0.5s}" "${MAX_P99:=1.5s}"

parts() {
	local dirs
	dirs=$(grep -rlE --include='*_test.go' '^func Benchmark' internal | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
	# shellcheck disable=SC2086 # one argument per folder
	"$GO" test -run '^$' -bench . -benchmem -benchtime "$PARTS" $dirs
}

# pages ENGINE measures the first page of every list and search; 100 million
# receipts are reckoned by an index's depth: it grows with the logarithm of what
# it holds, so that tenfold receipts cost a first page a fraction more.
pages() {
	DOCUMENTS=$DOCUMENTS REGISTERS=$NETWORK "$GO" test -run '^$' -bench '^Benchmark(Documents|Registers)$' -benchtime 5x -timeout 3h -v "./internal/store/$1" |
		awk '/^Benchmark/ && NF >= 4 {printf "%-48s %9.1f ms\n", $1, $3 / 1e6; next} /receipts filled|registers added|FAIL|panic/'
	awk -v n="$DOCUMENTS" 'BEGIN {printf "at 100,000,000 receipts an index is %.2f times as deep, and so is what a first page costs; a search walks over 60,000 at most, however many there are\n", log(1e8) / log(n)}'
}

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# A flag that is given again later wins.
common=(--registers "$REGISTERS" --connections 64 --duration "${SECONDS_EACH}s" --max-p99 "$MAX_P99")

# embedded PROTOCOL FLAGS... runs a load on a new folder.
embedded() {
	local protocol=$1
	shift
	rm -rf "$data/sqlite"
	./ofd bench "$protocol" --data "$data/sqlite" "${common[@]}" "$@" && # a step that fails has to say so
	rm -rf "$data/sqlite"
}

# server PROTOCOL FLAGS... runs it on a new PostgreSQL cluster.
server() {
	local protocol=$1
	shift
	scripts/postgres.sh scripts/bench-db.sh "$data" "$protocol" "${common[@]}" "$@"
}

# idle FLAGS... holds silent connections, as many as one process may have.
idle() { ./ofd bench kkm --idle "$IDLE" "${common[@]}" --rate 2000 --max-p99 200ms "$@"; }

# room refuses to begin what would fill the disk: an entry takes 1.2 KB, and
# until they are checkpointed the logs of a database up to 8 GB.
room() {
	local need=$((FILL * 13 / 10000 + FILL / 10000000 * 8192 + 512)) free
	free=$(df --output=avail -m "$data" | tail -n 1)
	printf '%d MB needed, %d MB free in %s\n' "$need" "$free" "$(dirname "$data")"
	[ "$free" -ge "$need" ] || { echo "not enough: set TMPDIR to a larger disk, or FILL to fewer entries" >&2; return 1; }
}

step "build" env CGO_ENABLED=0 "$GO" build -trimpath -o ofd ./cmd/ofd
[ "$FILL" -eq 0 ] || step "room for the full store" room
step "parts of a receipt's way" parts

step "Kazakhstan, SQLite, as many as it takes over 64 connections" embedded kkm
step "Kazakhstan, SQLite, 256 connections" embedded kkm --connections 256
step "Kazakhstan, SQLite, p99 at 10,000 receipts a second" embedded kkm --rate 10000
step "Kazakhstan, SQLite, one register alone" embedded kkm --registers 1 --connections 1
step "Kazakhstan, PostgreSQL, 64 connections" server kkm
step "Kazakhstan, PostgreSQL, 256 connections" server kkm --connections 256
step "Kazakhstan, PostgreSQL, one register alone" server kkm --registers 1 --connections 1

step "Russia, SQLite, 64 connections" embedded kkt
step "Russia, SQLite, p99 at 5,000 receipts a second" embedded kkt --rate 5000
step "Russia, SQLite, receipts of 200 items" embedded kkt --items 200
step "Russia, PostgreSQL, 64 connections" server kkt
step "Russia, PostgreSQL, p99 at 5,000 receipts a second" server kkt --rate 5000
step "Russia, PostgreSQL, receipts of 200 items" server kkt --items 200

step "$IDLE idle connections and 2,000 receipts a second" idle
step "the same with TLS" idle --tls

step "$TILLS tills, a receipt a second each, and their operator on SQLite" ./ofd bench till --tills "$TILLS"
step "the same, the operator on PostgreSQL" scripts/postgres.sh scripts/bench-db.sh "$data" till --tills "$TILLS"

if [ "$DOCUMENTS" -gt 0 ]; then
	step "the cabinet's first pages over $DOCUMENTS receipts and $NETWORK registers, SQLite" pages sqlite
	step "the same, PostgreSQL" pages postgres
fi

step "delivery: a day forwarded and summed up, an outage caught up with" scripts/bench-delivery.sh

if [ "$FILL" -gt 0 ]; then
	step "SQLite, $FILL entries and none in turn" embedded kkm --ceiling 0 --fill "$FILL"
	step "PostgreSQL, $FILL entries and none in turn" server kkm --ceiling 0 --fill "$FILL"
fi
total
