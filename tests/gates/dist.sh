# SPDX-License-Identifier: GPL-3.0-or-later
# What we would publish builds, passes its smoke set, installs and uninstalls from a read-only tree,
# and holds every file of the repository but those that serve only the repository.
. "$top/tests/gates/lib.sh"
variant dist gcc CFLAGS='-g -O0'
make -s -j"$jobs" -C "$dir" distcheck
archive=$(ls "$dir"/capstan-*.tar.xz)
tar -tJf "$archive" | sed 's|^[^/]*/||' | grep -v '/$' | sort -u >"$bld/gates/dist.packed"
[ -e "$top/.git" ] || exit 0
git -C "$top" ls-files | grep -vE '^(\.gitignore|\.ci/.*)$' | sort >"$bld/gates/dist.tracked"
comm -23 "$bld/gates/dist.tracked" "$bld/gates/dist.packed" >"$bld/gates/dist.missing"
if [ -s "$bld/gates/dist.missing" ]; then
	echo 'not in the archive (name them in EXTRA_DIST or SOURCES of their local.mk):'
	cat "$bld/gates/dist.missing"
	exit 1
fi
