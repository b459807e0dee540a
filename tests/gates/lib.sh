# SPDX-License-Identifier: GPL-3.0-or-later
# What the gates share. `run` sets: top (source tree), bld (its build tree), jobs.

# variant NAME COMPILER CONFIGURE-ARGUMENT…: a build tree of its own in $bld/NAME; sets dir.
variant() {
	dir=$bld/$1
	compiler=$2
	shift 2
	if command -v ccache >/dev/null 2>&1; then compiler="ccache $compiler"; fi
	mkdir -p "$dir"
	[ -f "$dir/Makefile" ] || (cd "$dir" && "$top/configure" -q CC="$compiler" "$@")
}

# Our own .c and .h files, as git knows them; in an unpacked archive, as they lie there.
own_files() {
	if [ -e "$top/.git" ]; then
		git -C "$top" ls-files -co --exclude-standard -- 'src/*.[ch]' 'tui/*.[ch]' 'tests/*.[ch]'
	else
		(cd "$top" && find src tui tests -name '*.[ch]')
	fi | sort -u | while read -r file; do
		[ ! -f "$top/$file" ] || echo "$file"
	done
}

# Sanitizers of this age stumble over a kernel that randomises addresses more than they expect.
steady() {
	if setarch "$(uname -m)" -R true 2>/dev/null; then
		setarch "$(uname -m)" -R "$@"
	else
		"$@"
	fi
}

# What went wrong in the tests of build tree $1, in few lines.
explain_tests() {
	find "$1/tests" -name '*.trs' | sort | while read -r trs; do
		grep -qE '^:test-result: *(PASS|SKIP|XFAIL)' "$trs" && continue
		log=${trs%.trs}.log
		echo "--- ${log#"$1"/}"
		grep -aE 'ERROR|LINE  |FAILED|SUMMARY:|runtime error|exit status' "$log" | tail -n 12 || :
	done
}
