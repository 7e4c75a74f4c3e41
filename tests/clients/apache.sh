#!/usr/bin/env bash
# Unpacks Debian's Apache with mod_auth_openidc, and the libraries that they need beyond those that are here, into a folder:
# nothing is installed and no service is started. Needs apt-get, but no root unless there is no package list yet.
#
#   tests/clients/apache.sh FOLDER
set -euo pipefail
wanted=(apache2-bin libapache2-mod-auth-openidc)
module=usr/lib/apache2/modules/mod_auth_openidc.so
folder=$1

there() {
	[ -e "$folder/$module" ] && [ -e "$folder/usr/sbin/apache2" ]
}

there && exit
if ! command -v apt-get >/dev/null; then
	echo 'The test of mod_auth_openidc needs packages of Debian: apt-get is missing.' >&2
	exit 1
fi
mkdir -p "$folder/packages"
cd "$folder/packages"

# What apt would install, by name: only what is not here already.
names() {
	LC_ALL=C apt-get install --simulate --no-install-recommends "${wanted[@]}" | awk '$1 == "Inst" {print $2}'
}
needed=$(names) || {
	if [ "$(id -u)" = 0 ]; then apt-get -qq update; else sudo -n apt-get -qq update; fi
	needed=$(names)
}
# Where they are installed already, their files are copies of what is there.
# shellcheck disable=SC2086
apt-get download -qq ${needed:-} "${wanted[@]}"
for package in *.deb; do
	dpkg-deb --extract "$package" ..
done
rm -f -- *.deb
cd - >/dev/null
there
