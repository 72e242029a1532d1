#!/usr/bin/env bash
# Makes the cases of this directory anew: breaks things on purpose and records how real tools say so.
# Not run by tests. Needs root on a machine that may be spoilt, the tools named in collect/*.sh, and a user `user`:
#
#   tests/failures/collect.sh              # everything
#   tests/failures/collect.sh rust git     # two families
#   ONLY=rebase SHOW=1 tests/failures/collect.sh git   # some cases, shown as recorded
set -u
here=$(cd "$(dirname "$0")" && pwd)
export CASES=${CASES:-$here/cases}
export TOOLS_PATH=/home/user/.venv/bin:/home/user/tools/node_modules/.bin:/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH=$TOOLS_PATH HOME=/home/user CARGO_HOME=/root/.cargo RUSTUP_HOME=/root/.rustup
mkdir -p "$CASES"

# ONLY, if set, is a regular expression of names.
failure() { [[ $1 =~ ${ONLY:-} ]] && "$here/collect/record.py" "$@"; }
# An empty project.
project() { rm -rf /home/user/project; mkdir -p /home/user/project; cd /home/user/project || exit; }
# A git repository with one commit.
repository() {
  project
  git init -q -b main . && git config user.name dev && git config user.email dev@example.com
  printf 'one\ntwo\nthree\n' >notes.txt && git add . && git commit -qm "Start"
}

for family in ${*:-$(cd "$here/collect" && ls ./*.sh | sed 's,^./,,; s,\.sh$,,')}; do
  . "$here/collect/$family.sh"
done
