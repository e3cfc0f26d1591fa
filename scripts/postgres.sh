#!/usr/bin/env bash
# Runs a command beside a PostgreSQL cluster of its own:
#
#   scripts/postgres.sh COMMAND...
#
# OFD_DB names its database in the command's environment. The cluster lives in
# a temporary folder, belongs to an unprivileged user, is durable as in
# production, and is gone when the command ends.
set -euo pipefail

bin=${OFD_PG_BIN:-}
if [ -z "$bin" ]; then
	for dir in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do # the newest comes last
		[ -x "$dir/initdb" ] && bin=$dir
	done
fi
[ -x "$bin/initdb" ] || { echo "no PostgreSQL server here; Debian calls it postgresql" >&2; exit 1; }

# PostgreSQL refuses to run as root.
as_user=()
if [ "$(id -u)" -eq 0 ]; then
	user=nobody
	id postgres >/dev/null 2>&1 && user=postgres
	as_user=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
fi

dir=$(mktemp -d)
[ ${#as_user[@]} -eq 0 ] || chown "$user" "$dir"
cd "$dir"
as() { "${as_user[@]}" "$@"; }
clean() {
	as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
	cd /
	rm -rf "$dir"
}
trap clean EXIT

as "$bin/initdb" -D data -U ofd -A trust -E UTF8 --locale C >/dev/null
# What docs/operations.md advises, for a machine this small.
cat >>data/postgresql.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 15min
wal_compression = on
max_connections = 50
CONF
as "$bin/pg_ctl" -D data -l log -w -t 60 start >/dev/null || { cat log >&2; exit 1; }
as "$bin/createdb" -h "$dir" -U ofd ofd
cd "$OLDPWD"
OFD_DB="postgres:///ofd?host=$dir&user=ofd" "$@"
