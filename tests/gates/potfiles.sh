# SPDX-License-Identifier: GPL-3.0-or-later
# Text for people is offered for translation: po/POTFILES.in names exactly the files that use
# base/i18n.h, and each translation is well formed.
. "$top/tests/gates/lib.sh"
cd "$top"
own_files | grep -E '^(src|tui)/' | grep -v '^src/base/i18n\.h$' | xargs grep -lE '\b(_|N_|P_)\("' | sort >"$bld/gates/potfiles.used"
grep -v '^#' po/POTFILES.in | grep . | sort >"$bld/gates/potfiles.named"
diff -U0 "$bld/gates/potfiles.named" "$bld/gates/potfiles.used" | grep '^[-+][^-+]' >"$bld/gates/potfiles.diff" || :
if [ -s "$bld/gates/potfiles.diff" ]; then
	sed 's/^+/po\/POTFILES.in lacks: /; s/^-/po\/POTFILES.in names in vain: /' "$bld/gates/potfiles.diff"
	exit 1
fi
for lang in $(grep -v '^#' po/LINGUAS); do
	msgfmt -c -o /dev/null "po/$lang.po"
done
