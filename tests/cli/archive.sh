# SPDX-License-Identifier: GPL-3.0-or-later
# Old events leave the database for signed segments, and every command reads them there.
. "$(dirname "$0")/lib.sh"
fresh
cat >"$work/flows/short.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: short, version: '1.0.0' }
do:
  - a: { set: { n: '${ $start.n }' } }
  - b: { set: { n: '${ .n }' } }
YAML
expect 0 archive
said 'there is nothing to archive'
expect 2 archive --older-than soon
for n in 1 2 3 4 5; do expect 0 run short --input "{\"n\":$n}"; done
expect 0 runs --json
run=$(member run)
expect 0 trace "$run" --format json
cp "$work/out" "$work/before"
expect 0 archive
said 'there is nothing to archive'
expect 0 archive --older-than PT0S
complained 'archive/1-[0-9]*.zst: events 1 to '
said 'left the database'
ls "$work"/.capstan/archive/1-*.zst >/dev/null || fail 'there is no segment'
expect 0 trace "$run" --format json
cmp -s "$work/out" "$work/before" || fail 'what was archived is traced otherwise'
expect 0 show "$run"
said '{"n":5}'
expect 0 why 3
expect 0 export "$run"
said '"signature"'
expect 0 replay "$run"
said ' 0 changed,'
expect 0 verify
said '^clean'
said '^archived: events 1 to '
expect 0 rebuild --check
expect 0 rebuild
expect 0 backup "$work/kept"
expect 0 restore "$work/kept" "$work/other"
expect 0 -C "$work/other" trace "$run" --format json
cmp -s "$work/out" "$work/before" || fail 'what was archived is not in the backup'

# An engine that runs does it itself.
(cd "$work" && exec "$capstan" serve) >/dev/null 2>&1 &
noted="$noted $!"
await test -S "$work/.capstan/socket"
expect 0 run short --input '{"n":9}'
expect 0 archive --older-than PT0S --json
said '"segments":1'
expect 0 verify
said '^clean'
kill -TERM "${noted##* }"
wait "${noted##* }" || :

mv "$work"/.capstan/archive "$work/elsewhere"
expect 1 verify
said 'is missing: events 1 to '
expect 1 trace "$run"
complained 'put it back from a backup'
said '^b  *completed'
expect 5 trace "$run" --format json
complained 'put it back from a backup'

# What is in the tables is shown without the segments, and what is not is named.
expect 0 -C "$work" run short --input '{"n":77}'
expect 0 runs
[ "$(wc -l <"$work/out")" -eq 8 ] || fail 'runs are left out of the list'
[ ! -s "$work/err" ] || fail 'the list looked for a segment'
expect 1 runs --json
[ "$(wc -l <"$work/out")" -eq 8 ] || fail 'runs are left out of the JSON'
said '"output":{"n":77}'
said '"segment":"archive/1-'
complained 'left out: .*put it back from a backup'
head -n 1 "$work/out" >"$work/newest"
! grep -q '"missing"' "$work/newest" || fail 'a run that is whole is marked'
here=$(member run)
expect 0 show "$here"
expect 0 trace "$here"
expect 0 export "$here"
expect 1 show "$run"
said 'completed'
complained 'put it back from a backup'
expect 5 export "$run"
expect 0 inbox --all
expect 0 stats
expect 1 doctor
said '^fail *archive .* is missing'
mv "$work/elsewhere" "$work"/.capstan/archive
expect 0 verify
expect 0 runs --json
! grep -q '"missing"' "$work/out" || fail 'what is there is marked'
expect 0 doctor
said '^ok *archive '

# Damaged in its middle, where its index does not show it.
first=$(ls "$work"/.capstan/archive/1-*.zst)
cp "$first" "$work/whole"
printf 'XXXX' | dd of="$first" bs=1 seek=40 conv=notrunc 2>/dev/null
expect 1 doctor
said '^fail *archive .*archive/1-'
expect 1 runs --json
complained 'put it back from a backup'
cp "$work/whole" "$first"
expect 0 runs --json

echo 'retention: { archive: PT0S, bodies: P90D }' >>"$work/capstan.yaml"
expect 1 check
sed -i '$d' "$work/capstan.yaml"
echo 'retention: { archive: PT0S }' >>"$work/capstan.yaml"
expect 0 check
expect 0 run short --input '{"n":10}'
expect 0 archive
said 'left the database'
