# What the other scripts here share. Each sets "again", the command to run once
# something that was missing is there.
# shellcheck shell=sh disable=SC2154

# fail prints each argument as a line and ends the script.
fail() {
	for line in "$@"; do
		printf '%s\n' "$line" >&2
	done
	printf 'Then run %s again.\n' "$again" >&2
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

have_compiler() {
	have "$(go env CC)"
}

# as_root fails where that takes a password.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env "$@"
	else
		sudo -n env "$@"
	fi
}

may_install() {
	have apt-get && as_root true 2>/dev/null
}

# install leaves it to the checks of the caller whether it worked. What it
# installs is started by who needs it, not as a service of the machine: no daemon
# starts, and PostgreSQL's package makes no database of the machine.
install() {
	may_install || return 0
	echo "installing: $*" >&2
	policy=/usr/sbin/policy-rc.d
	made=
	case " $* " in *" postgresql "*)
		made=/etc/postgresql-common/createcluster.d/latchkey.conf
		as_root mkdir -p "${made%/*}"
		echo "create_main_cluster = false" | as_root tee "$made" >/dev/null
		;;
	esac
	if [ ! -e "$policy" ]; then
		made="$made $policy"
		printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy"
	fi
	{ as_root apt-get update &&
		as_root DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >&2 || true
	# shellcheck disable=SC2086 # one word per file
	as_root rm -f $made
}

need_go() {
	have go || fail "Go is not in PATH." "Install the version that go.mod names, or a later one."
}

need_compiler() {
	have_compiler || fail "No C compiler ($(go env CC)), which the SQLite driver needs." \
		"Debian, Ubuntu: apt-get install gcc libc6-dev. Fedora: dnf install gcc. macOS: xcode-select --install."
}

# postgres_programs prints the folder of PostgreSQL's server programs, the latest
# of those that Debian keeps beside each other.
postgres_programs() {
	for server in $(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -t/ -k5 -rn) "$(command -v postgres)"; do
		if [ -x "$server" ] && [ -x "$(dirname "$server")/initdb" ]; then
			dirname "$server"
			return 0
		fi
	done
	return 1
}

no_postgres="PostgreSQL's server is neither in /usr/lib/postgresql nor in PATH: the store is tested with it."
get_postgres="Debian, Ubuntu: apt-get install postgresql. Fedora: dnf install postgresql-server. macOS: brew install postgresql."

# cross_compiler names the C compiler for a processor that this machine does not have.
cross_compiler() {
	case $1 in
	arm64) echo aarch64-linux-gnu-gcc ;;
	amd64) echo x86_64-linux-gnu-gcc ;;
	*) fail "Set CC to a C compiler for $1." ;;
	esac
}

# compiler_packages are Debian's packages with that compiler and a static C library.
compiler_packages() {
	if [ "$1" = "$(go env GOHOSTARCH)" ]; then
		echo gcc libc6-dev
		return
	fi
	case $1 in
	arm64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	amd64) echo gcc-x86-64-linux-gnu libc6-dev-amd64-cross ;;
	esac
}

links_statically() {
	echo 'int main(void) { return 0; }' | ${CC:-$(go env CC)} -static -x c -o /dev/null - 2>/dev/null
}

# source_version is VERSION, or the tag or commit that is checked out.
source_version() {
	if [ -n "${VERSION:-}" ]; then
		echo "$VERSION"
	elif git rev-parse HEAD >/dev/null 2>&1; then
		git describe --tags --dirty 2>/dev/null || git describe --always --dirty | sed 's/^/0.0.0-/'
	fi
}
