# SPDX-License-Identifier: GPL-3.0-or-later
# The house: a folder includes from its own floor's folder and from floors below, and a library's
# header only where that library lives. main.c, above all, and the tests may include everything.
own_headers='
base
flow        base
store       base
net         base
core        base flow store net
policy      base flow store net
view        base flow store net
vault       base flow store net
agents      base flow store net core policy view vault
connectors  base flow store net core policy view vault
memory      base flow store net core policy view vault
engine      base flow store net core policy view vault agents connectors memory
cli         base flow view vault engine
tui         base flow view vault engine
'
library_headers='
sqlite3.h   store
yaml.h      flow
jq.h        flow
jv.h        flow
curl/       net connectors
curses.h    tui
ncurses     tui
sodium.h    vault store
'
. "$top/tests/gates/lib.sh"
cd "$top"
own_files | grep -E '^(src/[a-z]+|tui)/' | xargs awk -v own="$own_headers" -v libs="$library_headers" '
BEGIN {
	n = split(own, line, "\n")
	for (i = 1; i <= n; i++) {
		k = split(line[i], w, " ")
		if (k == 0) continue
		known[w[1]] = 1
		for (j = 1; j <= k; j++) may[w[1], w[j]] = 1
	}
	n = split(libs, line, "\n")
	for (i = 1; i <= n; i++)
		for (k = split(line[i], w, " "); k > 1; k--) home[w[1]] = home[w[1]] " " w[k] " "
}
function say(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
function folder_of(path, p) { split(path, p, "/"); return p[1] == "src" ? p[2] : p[1] }
FNR == 1 {
	folder = folder_of(FILENAME)
	if (!(folder in known)) say("folder " folder " has no floor in tests/gates/layers.sh")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, q, "\""); name = q[2]
	if (name == "config.h") next
	if (name !~ /^[a-z]+\/[A-Za-z0-9_.-]+\.h$/) { say("\"" name "\": include as \"folder/file.h\""); next }
	from = name; sub(/\/.*/, "", from)
	if (!((folder, from) in may)) say(folder " may not include \"" name "\"")
	else if (from != folder && name ~ /_priv\.h$/) say("\"" name "\" is private to " from)
	next
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	name = $0; sub(/^[^<]*</, "", name); sub(/>.*/, "", name)
	for (h in home)
		if (index(name, h) == 1 && index(home[h], " " folder " ") == 0)
			say("<" name "> belongs to" home[h] "only")
}
END { exit bad }'
