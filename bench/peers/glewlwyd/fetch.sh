#!/usr/bin/env bash
# Unpacks Debian's glewlwyd, and the libraries that it needs beyond those that are here, into a folder: nothing is
# installed and no service is started. Needs apt-get and a package list (`apt-get update`), but no root.
#
#   bench/peers/glewlwyd/fetch.sh FOLDER
set -euo pipefail
mkdir -p "$1/packages"
cd "$1/packages"
apt-get download -qq glewlwyd glewlwyd-common libconfig9 libhoel1.4 libiddawc1.1 libmariadb3 libmicrohttpd12 \
    liboath0 liborcania2.3 librhonabwy1.1 libulfius2.7 libyder2.0
for package in *.deb; do
    dpkg-deb --extract "$package" ..
done
