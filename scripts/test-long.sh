#!/usr/bin/env bash
# Faults on purpose at length: what `make test` does to an operator a few times
# is done hundreds of times, within 40 minutes. The last line sums up.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

export OFD_FAULTS=${OFD_FAULTS:-200} # kills of the embedded operator
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# long runs the tests of a name at length; the program is as quick as the one
# that people run.
long() {
	"$GO" test -tags long -count 1 -timeout 40m -v -run "$1" ./cmd/ofd | grep -v '^===' | tee -a "$said"
}

# sum adds up the lines with which the suites end.
sum() {
	awk '/crash_test.go.* faults injected |all in .* faults injected / {
		gsub(",", "")
		for (i = 1; i < NF; i++) {
			if ($i == "injected") faults += $(i+1)
			if ($i == "answered") answered += $(i+1)
			if ($i == "lost") lost += $(i+1)
			if ($i == "doubled") doubled += $(i+1)
		}
	}
	END { printf "faults injected %d, documents answered %d, lost %d, doubled %d\n", faults, answered, lost, doubled }' "$said"
}

# race runs everything under the race detector, what `make test` spares too.
race() {
	CGO_ENABLED=1 "$GO" test -race -vet=off -p 2 -timeout 30m ./...
}

step "install what the tests need" scripts/need.sh
step "faults on purpose" long '^TestFaults$'
step "kill -9 under load" long '^TestCrash$'
step "go test -race of everything" race
total
sum
