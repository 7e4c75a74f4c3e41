#!/bin/sh
# Finds Chromium, or installs it where that is possible without asking anybody.
set -eu

there() {
	[ -n "${IDENTETY_CHROMIUM:-}" ] || command -v chromium || command -v chromium-browser || command -v google-chrome
}

there >/dev/null && exit
if command -v apt-get >/dev/null; then
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		as_root='sudo -n'
	else
		as_root=no
	fi
	if [ "$as_root" != no ]; then
		$as_root apt-get -qq update
		DEBIAN_FRONTEND=noninteractive $as_root apt-get -qq install --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null
	fi
fi
there >/dev/null && exit
echo 'The tests of the pages need Chromium: install it (Debian: apt-get install chromium), or name it in IDENTETY_CHROMIUM.' >&2
exit 1
