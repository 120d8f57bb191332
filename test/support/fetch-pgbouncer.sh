#!/bin/sh
# Downloads Debian 13's PgBouncer (1.24) with its libraries into a folder, on another Debian or
# Ubuntu:
#   test/support/fetch-pgbouncer.sh FOLDER
# FOLDER/pgbouncer runs it with these libraries. Installs nothing. Needs apt and dpkg-deb.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
release=trixie
mirror=$(sed -n 's/^URIs: *//p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\).*/\2/p' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { echo 'fetch-pgbouncer: no mirror of Debian among the sources of apt' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$key] $mirror $release main" >"$work/sources"
apt() {
  apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$work/sources" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::State::Status=/dev/null "$@"
}
apt update
(cd "$work/debs" && apt download pgbouncer libc6 libcares2 libevent-2.1-7t64 libpam0g libssl3t64 libsystemd0 \
  libaudit1 libcap2 libcap-ng0 libzstd1 zlib1g)
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
loader=$(find "$folder/root/usr" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$folder/root/usr/lib" -name 'libevent-2.1.so.*' | head -n 1)")
cat >"$folder/pgbouncer" <<END
#!/bin/sh
exec "$loader" --library-path "$libraries" "$folder/root/usr/sbin/pgbouncer" "\$@"
END
chmod -R a+rX "$folder"
chmod 755 "$folder/pgbouncer"
"$folder/pgbouncer" --version | head -n 1
