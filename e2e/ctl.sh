#!/bin/sh
# One step for the control node: ctl.sh FUNCTION ARGUMENT..., a function of e2e/lib in the environment of the run.
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd) || exit 1
for part in needs process net lease host client; do . "$ROOT/e2e/lib/$part.sh"; done
"$@"
