#!/usr/bin/env bash
# Looks for what the tests need beside Go: a C compiler (race detector), git,
# chromium and the Noto fonts (tests of the pages). On Debian and its kin what
# is missing is installed when we may; elsewhere the package names are printed.
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

missing=()
command -v git >/dev/null || missing+=(git)
command -v "$(${GO:-go} env CC)" >/dev/null || missing+=(gcc libc6-dev)
has_browser || missing+=(chromium)
has_noto_sans || missing+=(fonts-noto-core)
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
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
