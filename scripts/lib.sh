# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by the scripts that read this file
# Shared by the scripts beside it: progress lines, root, the server's version, the unprivileged user, copies of the tree.
# Sourced, never run. It leaves `set -euo pipefail` on and the PG* variables of the caller unset.

set -euo pipefail

# A stray PGHOST or PGSERVICE would send a test to somebody's real cluster.
for variable in $(compgen -e PG || true); do
	case $variable in PGDBA_* | PG_CONFIG | PG_TEST_*) ;; *) unset "$variable" ;; esac
done
unset TMPDIR variable # the private folders must be reachable by an unprivileged user
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=${0##*/}
# Where the matrix keeps its chroots and the demo its build. Safe to remove at any time.
cache=${PGDBA_CACHE:-/var/cache/pgdba}

if [[ -t 1 ]]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; else bold='' red='' green='' plain=''; fi

say() { printf '%s\n' "$*"; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
die() {
	printf '%s%s: %s%s\n' "$red" "$me" "$*" "$plain" >&2
	exit 1
}

# become_root ARGUMENT...: runs the calling script again under sudo unless it is root already, and leaves the caller's folder,
# which the unprivileged user may not be allowed to enter.
become_root() {
	if [[ $EUID -eq 0 ]]; then
		cd /
		return
	fi
	command -v sudo >/dev/null || die "needs root: run it as root, or install sudo"
	say "$me: needs root, to install packages and the extension's files; asking sudo"
	exec sudo --preserve-env=PG_CONFIG,PGDBA_CACHE,PGDBA_MIRROR -- "$repository/scripts/$me" "$@"
}

# The release's own major version of PostgreSQL, where nothing is installed yet.
default_major() {
	case $(. /etc/os-release && echo "${VERSION_CODENAME:-}") in
	bookworm) echo 15 ;;
	trixie) echo 17 ;;
	forky | sid) echo 18 ;;
	*) die "this is neither Debian 12, Debian 13 nor Debian sid; install the packages of scripts/install-deps by hand" ;;
	esac
}

# Sets major, bindir and PG_CONFIG: the server that is built against. An installed one wins over the release's default.
find_server() {
	local newest
	if [[ -n ${PG_CONFIG:-} ]]; then
		major=$("$PG_CONFIG" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
	else
		newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort --version-sort | tail -n 1)
		if [[ -x $newest ]]; then
			major=${newest#/usr/lib/postgresql/} major=${major%%/*}
		else
			major=$(default_major)
		fi
		PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
	fi
	bindir=${PG_CONFIG%/*}
	export PG_CONFIG major bindir
}

# Sets owner, the user that builds, runs servers and runs tests (PostgreSQL refuses to run as root), and as_owner, the words
# before a command that make it run as that user: in one process, so that $! is the command's own pid.
find_owner() {
	owner=postgres
	if ! id "$owner" >/dev/null 2>&1; then
		owner=pgdba-test
		id "$owner" >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /bin/sh "$owner"
	fi
	as_owner=(setpriv "--reuid=$owner" "--regid=$(id -gn "$owner")" --init-groups
		env HOME=/nonexistent "USER=$owner" "LOGNAME=$owner" SHELL=/bin/sh)
}

# copy_tree FOLDER: the sources, without build products, into a folder that owner owns. Nothing is ever built in the
# caller's tree, so no file of root's can stay behind in it. An older copy is brought up to date; make does the rest.
copy_tree() {
	local folder=$1 list file
	mkdir -p "$folder"
	list=$(mktemp)
	# git knows best which files are sources; an unpacked release has nothing else in it.
	if [[ -e $repository/.git ]] && command -v git >/dev/null; then
		git -c safe.directory="$repository" -C "$repository" ls-files -z --cached --others --exclude-standard
	else
		(cd "$repository" && find . -type f ! -path './.git/*' ! -path './build/*' ! -name '*.o' ! -name '*.so' \
			! -name '*.bc' ! -name '*.d' -printf '%P\0')
	fi | while IFS= read -r -d '' file; do
		# git also lists what was deleted but not committed yet
		[[ ! -f $repository/$file ]] || printf '%s\0' "$file"
	done | sort -z >"$list"
	# A source that went away must go away in the copy too: the list of the last copy says which ones it had.
	if [[ -f $folder/.sources ]]; then
		(cd "$folder" && comm -z -23 .sources "$list" | xargs -0 -r rm -f)
	fi
	# Only what differs is written, and has the time of now: with its own it could be older than an object that was made of
	# what stood there before, and make would keep that.
	while IFS= read -r -d '' file; do
		cmp -s "$repository/$file" "$folder/$file" || (cd "$repository" && cp --parents --preserve=mode "$file" "$folder/")
	done <"$list"
	mv "$list" "$folder/.sources"
	chown -R "$owner:" "$folder"
}

# hold PATH, release: one run at a time uses what is kept there; others wait for it.
hold() {
	mkdir -p "${1%/*}"
	exec {held}>"$1.lock"
	flock --nonblock "$held" && return
	say "$me: waiting for another run that uses $1"
	flock "$held"
}
release() { exec {held}>&-; }

# start_cluster FOLDER DATABASE [SETTING...]: a private cluster that owner runs: reached through a socket in FOLDER and by
# no other way, extension and workload statistics preloaded. Its log is FOLDER/server.log. Sets PGHOST, PGUSER, PGDATABASE.
start_cluster() {
	local folder=$1 database=$2
	shift 2
	install -d -o "$owner" -m 700 "$folder"
	"${as_owner[@]}" "$bindir/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" ||
		die "initdb failed; see $folder/initdb.log"
	{
		printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$folder'" "max_worker_processes = 16" \
			"shared_preload_libraries = 'pg_stat_statements,pgdba'" "pgdba.database = '$database'" "$@"
	} >>"$folder/data/postgresql.conf"
	"${as_owner[@]}" "$bindir/pg_ctl" -D "$folder/data" -l "$folder/server.log" -t 60 -w -s start || {
		tail -n 20 "$folder/server.log" >&2
		die "the server did not start; the end of its log is above"
	}
	export PGHOST=$folder PGUSER=postgres PGDATABASE=$database
}

# stop_clusters FOLDER: every server whose data is below FOLDER.
stop_clusters() {
	local file
	find "$1" -name postmaster.pid -print 2>/dev/null | while read -r file; do
		"${as_owner[@]}" "$bindir/pg_ctl" -D "${file%/*}" -m immediate -w -s stop || true
	done
}

# free_port FIRST: the first loopback port from there on that nobody listens on.
free_port() {
	local port
	for ((port = $1; port < $1 + 200; port++)); do
		# The kernel's own table: state 0A is LISTEN.
		grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") [0-9A-F:]+ 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null && continue
		echo "$port"
		return
	done
	die "no free port between $1 and $port"
}

# count_tests LOG: "PASSED FAILED". prove's summary counts only where the single results are not shown.
count_tests() {
	awk '
		/^\[       OK \] /                          { good++ }
		/^\[  FAILED  \] .* \([0-9]+ ms\)$/         { bad++ }
		/^(test| {4}) *[^ ]+ +\.\.\. ok/            { good++ }
		/^(test| {4}) *[^ ]+ +\.\.\. FAILED/        { bad++ }
		/^ok [0-9]+/ && !/# (skip|SKIP)/            { good++ }
		/^not ok [0-9]+/ && !/# (todo|TODO)/        { bad++ }
		match($0, /^Files=[0-9]+, Tests=[0-9]+/)    { split($0, part, /[=,]/); summary += part[4] }
		END { print (good + bad ? good : summary) + 0, bad + 0 }' "$1"
}

# seconds SINCE: whole seconds between then (a value of EPOCHREALTIME) and now.
seconds() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000000)); }

# kill_all PID...: ends processes that the caller started, and waits until they are gone.
kill_all() {
	local pid
	for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
	for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
}
