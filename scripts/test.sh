#!/usr/bin/env bash
# Everything that must hold, from the quickest step to the slowest.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

gofmt_clean() {
	local files
	files=$("$("$GO" env GOROOT)/bin/gofmt" -l cmd internal)
	[ -z "$files" ] || { printf 'not in gofmt form:\n%s\n' "$files" >&2; return 1; }
}

vet() {
	"$GO" vet ./... && "$GO" vet -tags 'crash faults pictures' ./cmd/ofd && "$GO" vet -tags long ./cmd/ofd
}

# What spends its time in a browser, in a database, in arithmetic or in processes
# of its own costs several times as much under the race detector; what those
# packages share between goroutines is raced by others. `make test-long` races
# them too.
alone='/(cmd/ofd|internal/web|internal/web/till|internal/store/(sqlite|sqlitefile|postgres)|internal/signature)$'

# Two test binaries at a time: more would starve the ones that hold deadlines.
# Vet has been run.
race() {
	"$GO" list ./... | grep -Ev "$alone" | CGO_ENABLED=1 xargs "$GO" test -race -vet=off -p 2 -timeout 15m
}

whole() {
	"$GO" list ./... | grep -E "$alone" | xargs "$GO" test -vet=off -p 2 -timeout 15m
}

# Without the race detector: the test starts and kills the real program, which
# must be as quick as the one that people run.
crash() {
	"$GO" test -tags crash -count 1 -timeout 10m -run Crash ./cmd/ofd
}

# Without the race detector as well: registers are answered ten times slower
# under it, and the limits on time are those of people.
faults() {
	"$GO" test -tags faults -count 1 -timeout 10m -v -run '^TestFaults$' ./cmd/ofd | grep -v '^==='
}

step "install what the tests need" scripts/need.sh
step "gofmt" gofmt_clean
step "go vet" vet
step "staticcheck" "$GO" tool staticcheck ./...
step "go generate leaves no diff" scripts/check-generate.sh
step "go test -race" race
step "go test: browsers, databases, whole programs" whole
step "kill -9 under load" crash
step "faults on purpose" faults
step "fuzz" scripts/fuzz.sh
total
