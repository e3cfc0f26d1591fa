#!/usr/bin/env bash
# One load on the database server that OFD_DB names, which it migrates first:
#
#   scripts/postgres.sh scripts/bench-db.sh FOLDER kkm|kkt|till FLAGS...
#
# FOLDER is where the master key goes.
set -euo pipefail
keys=$1/server protocol=$2
shift 2
trap 'rm -rf "$keys"' EXIT
rm -rf "$keys"
./ofd migrate up --data "$keys" >/dev/null
./ofd bench "$protocol" --key-file "$keys/master.key" "$@"
