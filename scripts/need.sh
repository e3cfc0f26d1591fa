#!/usr/bin/env bash
# Looks for what the tests need beside Go: a C compiler (race detector), git,
# chromium and the Noto fonts (tests of the pages), the server of PostgreSQL 15
# or newer (tests start clusters of their own), openssl with its GOST engine
# (signatures are compared with what it makes). On Debian and its kin what is
# missing is installed when we may; elsewhere the package names are printed.
set -euo pipefail

has_browser() {
	local name
	for name in chromium chromium-browser google-chrome google-chrome-stable headless_shell; do
		command -v "$name" >/dev/null && return
	done
	return 1
}

has_noto_sans() {
	if command -v fc-list >/dev/null; then
		[ -n "$(fc-list 'Noto Sans' family)" ]
	else
		[ -f /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf ]
	fi
}

# The server, and not only the client, which makes the same folder. Tests look
# in the same places.
has_postgres() {
	local server version
	for server in "${OFD_PG_BIN:+$OFD_PG_BIN/postgres}" "$(command -v postgres || true)" \
		/usr/lib/postgresql/*/bin/postgres /usr/local/pgsql/bin/postgres; do
		[ -x "$server" ] || continue
		version=$("$server" --version | grep -oE '[0-9]+' | head -n 1)
		[ "$version" -ge 15 ] && return
	done
	return 1
}

# The engine prints itself as available, or nothing.
has_gost_engine() {
	openssl engine -t gost 2>/dev/null | grep -q '\[ available \]'
}

missing=()
command -v git >/dev/null || missing+=(git)
command -v "$(${GO:-go} env CC)" >/dev/null || missing+=(gcc libc6-dev)
has_browser || missing+=(chromium)
has_noto_sans || missing+=(fonts-noto-core)
has_postgres || missing+=(postgresql)
command -v openssl >/dev/null || missing+=(openssl)
has_gost_engine || missing+=(libengine-gost-openssl)
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; }; then
	{
		echo "The tests need what is not installed here. Debian calls it: ${missing[*]}"
		echo "Install it (on Debian: sudo apt-get install ${missing[*]}) and run this again."
	} >&2
	exit 1
fi

echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq

# Debian's server package makes and starts a cluster when it is installed. We
# need the programs alone, so it is told not to, unless somebody has decided.
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	"${as_root[@]}" mkdir -p /etc/postgresql-common
	echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
