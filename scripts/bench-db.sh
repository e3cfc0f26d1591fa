#!/usr/bin/env bash
# One load on the database server that OFD_DB names, which it migrates first:
#
#   scripts/postgres.sh scripts/bench-db.sh FOLDER FLAGS...
#
# FOLDER is where the master key goes.
set -euo pipefail
keys=$1/server
shift
rm -rf "$keys"
./ofd migrate up --data "$keys" >/dev/null
./ofd bench kkm --key-file "$keys/master.key" "$@"
rm -rf "$keys"
