# git, git over ssh and http, patch, hg.
git="--tool=git --version"
diverged() {
  repository
  git switch -qc feature && sed -i 's/two/zwei/' notes.txt && git commit -qam "Say it in German"
  git switch -q main && sed -i 's/two/deux/' notes.txt && git commit -qam "Say it in French"
}
diverged; failure git-merge merge_conflict "git merge feature" "$git"
failure git-commit-unmerged merge_conflict "git commit -m done" "$git"
failure git-pull-unmerged merge_conflict "git pull --no-rebase . feature" "$git"
diverged; failure git-rebase merge_conflict "git rebase feature" "$git"
diverged; failure git-cherry-pick merge_conflict "git cherry-pick feature" "$git"
diverged; failure git-rebase-quiet merge_conflict "git rebase -q feature" "$git"
repository; sed -i 's/two/zwei/' notes.txt; git commit -qam german; sed -i 's/zwei/dos/' notes.txt; git commit -qam spanish
failure git-revert merge_conflict "git revert --no-edit HEAD~1" "$git"
diverged; sed -i 's/one/eins/; s/deux/dos/' notes.txt; git stash -q; sed -i 's/deux/tva/' notes.txt; git commit -qam swedish
failure git-stash-pop merge_conflict "git stash pop" "$git"
diverged; git format-patch -q -1 feature
failure git-am merge_conflict "git am -3 0001-Say-it-in-German.patch" "$git"
diverged; git diff main~1 feature >german.diff
failure git-apply merge_conflict "git apply german.diff" "$git"
failure patch-hunk merge_conflict "patch -p1 <german.diff" "--tool=patch --version"
diverged; git switch -q feature; git rm -q notes.txt; git commit -qm "Remove notes"; git switch -q main
failure git-modify-delete merge_conflict "git merge feature" "$git"
repository
mkdir src; printf 'fn connection_timed_out() {}\n' >src/auth.rs; git add .; git commit -qm "Add auth"
git switch -qc feature; printf 'fn connection_timed_out() -> u8 { 1 }\n' >src/auth.rs; git commit -qam "fix: 429 too many requests"
git switch -q main; printf 'fn connection_timed_out() -> u8 { 2 }\n' >src/auth.rs; git commit -qam "fix: permission denied"
failure git-merge-decoy merge_conflict "git fetch -q . && git merge feature" "$git" --decoy "a conflict in auth.rs"
git merge --abort 2>/dev/null
failure git-rebase-decoy merge_conflict "git rebase feature" "$git" --decoy "the commit is called 'fix: permission denied'"
diverged; git switch -q main; printf 'mine\n' >notes.txt
failure git-pull-overwrite merge_conflict "git merge feature" "$git"

repository; git init -q --bare ../remote.git 2>/dev/null || { rm -rf ../remote.git; git init -q --bare ../remote.git; }
git remote add origin ../remote.git; git push -qf origin main; git commit -q --amend -m other; printf 'x\n' >>notes.txt; git commit -qam x
failure git-push-rejected unknown "git push origin main" "$git"
failure git-nothing unknown "git commit -m 'Fix network timeout'" "$git" --decoy "the commit's message is about a network time-out"
failure git-not-a-repository unknown "git -C /tmp status" "$git"
failure git-no-remote-path unknown "git push upstream main" "$git" --decoy "could not read from remote repository"
failure git-pathspec unknown "git checkout release-9" "$git"
failure git-diff-check lint "printf 'a  \n' >>notes.txt; git diff --check" "$git"
failure git-no-subcommand missing_tool "git filter-repo --path src" "$git"

repository; for i in 1 2 3; do seq $i 500 >f$i; git add .; git commit -qm "c$i"; done
object=.git/objects/$(git rev-parse HEAD:f2 | sed 's,^..,&/,'); chmod u+w "$object"; printf 'junk' >"$object"
failure git-fsck corrupt_state "git fsck --full" "$git"
rm f2; failure git-checkout-corrupt corrupt_state "git checkout -- f2" "$git"
: >"$object"; failure git-archive-empty corrupt_state "git archive HEAD -o out.tar" "$git"
repository; printf 'DIRC\0\0\0\2\0\0\0\11garbage' >.git/index; failure git-index corrupt_state "git status" "$git"
repository; : >.git/refs/heads/main; failure git-empty-ref corrupt_state "git log -1" "$git"
repository; git gc -q; pack=$(ls .git/objects/pack/*.pack); chmod u+w "$pack"; printf 'XXXXXXXXXXXX' | dd of="$pack" bs=1 seek=20 conv=notrunc 2>/dev/null
failure git-pack corrupt_state "git log -p" "$git"
repository; git gc -q; pack=$(ls .git/objects/pack/*.pack); chmod u+w "$pack"; truncate -s 40 "$pack"
failure git-clone-corrupt corrupt_state "git clone . ../copy-\$\$" "$git" --decoy "early EOF, remote hung up"
repository; printf '[core\nbare' >.git/config; failure git-config corrupt_state "git status" "$git"

project
failure git-clone-offline network "git clone https://git.example.com/team/app.git" "$git" --offline
failure git-clone-refused network "git clone http://127.0.0.1:9/team/app.git" "$git" --offline
failure git-clone-ssh-refused network "git clone ssh://git@127.0.0.1:9/team/app.git" "$git" --offline
failure git-daemon-refused network "git ls-remote git://127.0.0.1:9/app.git" "$git" --offline

"$here/collect/server.py" 18080 & server=$!
sleep 1
project
failure git-clone-401 auth "git clone http://127.0.0.1:18080/status/401/app.git" "$git" --env GIT_TERMINAL_PROMPT=0
failure git-clone-401-no-terminal auth "git clone http://127.0.0.1:18080/status/401/app.git" "$git"
failure git-clone-wrong-password auth "git clone http://dev:wrong@127.0.0.1:18080/status/401/app.git" "$git"
failure git-clone-403 auth "git clone http://127.0.0.1:18080/status/403/app.git" "$git"
failure git-fetch-503 server_error "git clone http://127.0.0.1:18080/status/503/app.git" "$git"
failure git-fetch-429 rate_limit "git clone http://127.0.0.1:18080/status/429/app.git" "$git"
failure git-clone-closed network "git clone http://127.0.0.1:18080/close/app.git" "$git"
kill "$server"

# An ssh server that accepts nobody.
mkdir -p /run/sshd /tmp/failures-ssh; rm -f /tmp/failures-ssh/*
ssh-keygen -q -t ed25519 -N '' -f /tmp/failures-ssh/host
/usr/sbin/sshd -f /dev/null -o Port=18022 -o ListenAddress=127.0.0.1 -o HostKey=/tmp/failures-ssh/host -o PidFile=/tmp/failures-ssh/pid -o PasswordAuthentication=no -o AuthorizedKeysFile=none
sleep 1
options="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"
failure git-push-publickey auth "git clone ssh://git@127.0.0.1:18022/team/app.git" "$git" --env "GIT_SSH_COMMAND=ssh $options"
failure ssh-publickey auth "ssh $options -p 18022 deploy@127.0.0.1 uptime" "--tool=ssh -V"
failure scp-publickey auth "scp -P 18022 $options notes.txt deploy@127.0.0.1:" "--tool=ssh -V"
failure rsync-publickey auth "rsync -a -e 'ssh -p 18022 $options' ./ deploy@127.0.0.1:/srv/" "--tool=rsync --version" --decoy "rsync says that the connection closed"
failure ssh-host-key auth "ssh -o BatchMode=yes -o UserKnownHostsFile=/dev/null -p 18022 deploy@127.0.0.1 uptime" "--tool=ssh -V"
kill "$(cat /tmp/failures-ssh/pid)"
