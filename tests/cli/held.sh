# SPDX-License-Identifier: GPL-3.0-or-later
# While everything is held a command comes to its end, and says what holds it.
. "$(dirname "$0")/lib.sh"

fresh PT1S
sed -i 's/mode: simulate/mode: live/' "$work/capstan.yaml"
cat >"$work/flows/post.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: post, version: '1.0.0' }
do:
  - post: { call: http, with: { method: post, endpoint: 'http://127.0.0.1:9/nobody' } }
YAML
expect 0 live
expect 0 run post
expect 0 hold
item=$(waiting)
limit=$capstan
capstan=$work/limited
printf '#!/bin/sh\nexec timeout 30 "%s" "$@"\n' "$limit" >"$capstan"
chmod +x "$capstan"
expect 0 approve "$item"
complained 'everything is held: nothing leaves until `capstan release`'
expect 0 live
complained 'everything is held'
expect 0 show "$(expect 0 runs --json && member run)" --json
said '"state":"waiting"'
