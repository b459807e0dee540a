# SPDX-License-Identifier: GPL-3.0-or-later
# new writes files that check takes as they are, whatever the answers, and overwrites nothing.
. "$(dirname "$0")/lib.sh"
fresh

expect 0 new flow letter-two
said '^flows/letter-two.yaml$'
for preset in rules shell; do expect 0 new agent a-$preset --preset $preset --purpose 'Says: "no" # or { yes'; done
for preset in http mail billing calendar; do expect 0 new connector c-$preset --preset $preset --url https://api.shop.example:8443/v2; done
grep -q 'allow: \[ "api.shop.example" \]' "$work/connectors/c-mail.yaml" || fail 'the host is not the one of the URL'
expect 0 check
said '^the workspace is in order$'
expect 0 run letter-two --set subject=Test
expect 4 new flow letter-two
expect 4 new agent c-http
printf 'mine\n' >"$work/agents/other.yaml.txt"
ln -s other.yaml.txt "$work/agents/other.yaml"
rm "$work/agents/other.yaml" && printf 'agent: kept\n' >"$work/flows/kept.yaml"
expect 4 new flow kept
[ "$(cat "$work/flows/kept.yaml")" = 'agent: kept' ] || fail 'a file that was there was overwritten'
rm "$work/flows/kept.yaml"
for name in ../x X 9 -x x- x/y ''; do expect 2 new flow -- "$name"; done
expect 2 new policy x
expect 2 new connector x --preset pigeon
complained 'there are: http, mail'
expect 4 new connector bad --url 'not a url'
[ ! -e "$work/connectors/bad.yaml" ] || fail 'a file with findings was kept'
