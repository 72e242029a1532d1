# Collected at the very end. Of what it showed only an unsafe choice was mended, nothing else.
project
"$here/collect/server.py" 18080 & server=$!
sleep 1
base=http://127.0.0.1:18080
ln -s /home/user/tools/node_modules node_modules
printf '{"name":"x","scripts":{"check":"eslint . --max-warnings 0","e2e":"node e2e.js","prebuild":"tsc --noEmit oops.ts"}}\n' >package.json
printf 'module.exports = [{ files: ["*.js"], rules: { "no-console": "warn" } }];\n' >eslint.config.js; printf 'console.log("Error: connect ETIMEDOUT");\n' >a.js
failure last-eslint-warnings lint "npm run check" "--tool=eslint --version" --decoy "the code says ETIMEDOUT"
printf 'x:number = 1\nconst y: string = 5;\n' >oops.ts; failure last-npm-prebuild build "npm run prebuild" "--tool=tsc --version"
failure last-prettier-list lint "prettier --list-different a.js oops.ts package.json" "--tool=prettier --version"
printf 'fetch("%s/status/500").then((r) => { if (r.status !== 200) { console.error("checkout failed with status " + r.status); process.exit(1); } });\n' $base >e2e.js; failure last-e2e-500 server_error "npm run e2e" "--tool=node --version"
printf '#!/bin/bash\nset -euo pipefail\ncode=$(curl -s -o /dev/null -w "%%{http_code}" %s/status/429)\n[ "$code" = 200 ] || { echo "upload rejected: HTTP $code" >&2; exit 1; }\n' $base >upload.sh; failure last-upload-429 rate_limit "bash upload.sh" "--tool=curl --version"
printf '#!/bin/bash\ncode=$(curl -s -o /dev/null -w "%%{http_code}" %s/status/401)\n[ "$code" = 200 ] || { echo "login refused (HTTP $code)" >&2; exit 1; }\n' $base >login.sh; failure last-login-401 auth "bash login.sh" "--tool=curl --version"
printf 'import urllib.request\nurllib.request.urlopen("http://127.0.0.1:9/health")\n' >h.py; failure last-urllib-refused network "python h.py" "--tool=python --version"
printf 'import socket\ns = socket.create_connection(("127.0.0.1", 18080)); s.settimeout(1); s.send(b"GET /hang HTTP/1.1\\r\\n\\r\\n"); s.recv(1)\n' >s.py; failure last-socket-timeout timeout "python s.py" "--tool=python --version"
kill "$server"
failure last-lftp network "lftp -c 'set net:max-retries 1; open 127.0.0.1:9; ls'" "--tool=lftp --version" --offline
failure last-cargo-install network "cargo install ripgrep" "--tool=cargo --version" --offline --env CARGO_HOME=/home/user/.empty-cargo2 --env CARGO_NET_RETRY=0
failure last-go-install network "go install golang.org/x/tools/gopls@latest" "--tool=go version" --offline --env GOMODCACHE=/home/user/.cache/failures-gomod
failure last-wget-timeout network "wget -q --tries=1 http://127.0.0.1:9/" "--tool=wget --version" --offline

printf 'def test_a(tmp_path):\n    (tmp_path / "x").mkdir(mode=0o000)\n    raise OSError(28, "No space left on device")\n' >test_a.py; failure last-pytest-oserror test "pytest -q test_a.py" "--tool=pytest --version" --decoy "a test that raises 'No space left on device'"
printf 'import pytest\n\n@pytest.fixture\ndef server():\n    raise ConnectionRefusedError(111, "Connection refused")\n\ndef test_b(server):\n    pass\n' >test_b.py; failure last-pytest-fixture test "pytest test_b.py" "--tool=pytest --version" --decoy "a fixture that cannot connect"
mkdir -p r/src; printf '[package]\nname = "pay"\nversion = "0.1.0"\nedition = "2021"\n' >r/Cargo.toml
printf 'pub fn rate_limit() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    #[should_panic(expected = "429 Too Many Requests")]\n    fn too_many_requests() { panic!("timed out after 3 s"); }\n}\n' >r/src/lib.rs
failure last-cargo-should-panic test "cargo test -q --manifest-path r/Cargo.toml" "--tool=cargo --version" --decoy "panics about 429 and a time-out"
printf 'pub fn f() -> i32 { let x = 1; x }\n#[derive(Debug)]\npub struct Timeout { pub a: i32 }\nimpl Timeout { pub fn new() -> Timeout { return Timeout { a: 1 }; } }\n' >r/src/lib.rs
failure last-clippy-pedantic lint "cargo clippy --manifest-path r/Cargo.toml -- -D warnings" "--tool=cargo --version" --decoy "a type Timeout"
printf '<<<<<<< HEAD\nfn a() {}\n=======\nfn b() {}\n>>>>>>> other\n' >r/src/lib.rs; failure last-rust-markers build "cargo check --manifest-path r/Cargo.toml" "--tool=cargo --version" --decoy "markers of a merge conflict in the source"
printf 'const BIG: [u8; 1 << 50] = [0; 1 << 50];\npub fn f() -> &'"'"'static u8 { &BIG[0] }\nconst A: u32 = 1 - 2;\n' >r/src/lib.rs; failure last-rust-const build "cargo check --manifest-path r/Cargo.toml" "--tool=cargo --version"
printf '#include <stdio.h>\nint main(void) { return connection_refused(); }\n' >n.c; failure last-gcc-implicit build "gcc -Werror=implicit-function-declaration n.c -o n" "--tool=gcc --version" --decoy "a function connection_refused"
printf 'class T { public static void main(String[] a) { new java.util.Scanner("x").nextInt(); } }\n' >T.java; javac T.java; failure last-java-input unknown "java T" "--tool=java --version"

failure last-docker-missing missing_tool "bash -c 'podman build -t app . && podman push app'" "--tool=bash --version" --decoy "build, push"
printf '#!/bin/sh\nset -e\nfor tool in jq gomplate; do\n  command -v $tool >/dev/null 2>&1 || { echo "error: $tool is required but not installed" >&2; exit 1; }\ndone\n' >need.sh; failure last-required missing_tool "sh need.sh" "--tool=dash -c 'echo dash'"
failure last-python-m-tool missing_tool "python3 -m nosuchtool --check" "--tool=/usr/bin/python3 --version"
mkdir -p out; chmod 755 out; failure last-cp-permission permission "cp package.json out/" "--tool=cp --version" --user
failure last-crontab permission "sh -c 'echo \"1 2 3\" >> /etc/crontab'" "--tool=dash -c 'echo dash'" --user
failure last-sort-output permission "sort package.json -o /etc/sorted" "--tool=sort --version" --user
printf 'import subprocess, sys\nsys.exit(subprocess.run(["python3", "-c", "x = []\\nwhile True: x.append(bytearray(b\\"1\\" * 9000000))"]).returncode)\n' >w.py; failure last-child-137 out_of_memory "python3 w.py" "--tool=/usr/bin/python3 --version" --resident 60
failure last-until timeout "bash -c 'timeout 1 bash -c \"until curl -s http://127.0.0.1:9/; do sleep 0.2; done\" || { echo \"gave up waiting for the service\"; exit 1; }'" "--tool=bash --version"
printf 'test:\n\t@echo "12 tests passed, 0 failed"; sleep 20\n' >slow.mk; failure last-timeout-make timeout "timeout 1 make -f slow.mk test" "--tool=timeout --version" --decoy "make test, 0 failed"
rm -rf /home/user/origin; git init -q /home/user/origin; (cd /home/user/origin; head -c 200000 /dev/urandom >f; git add f; git -c user.name=d -c user.email=d@example.com commit -qm f)
mkdir -p /home/user/small; mount -t tmpfs -o size=64k tmpfs /home/user/small; cd /home/user/small
failure last-yes-full disk_full "yes >fill.txt" "--tool=yes --version"
rm -f ./*; failure last-git-clone-full disk_full "git clone -q --no-hardlinks /home/user/origin copy" "--tool=git --version"
rm -rf ./*; failure last-python-print-full disk_full "python -c 'print(\"x\" * 999999)' >out.txt" "--tool=python --version"
cd /; umount /home/user/small
repository; git switch -qc a; git mv notes.txt a.txt; git commit -qm a; git switch -q main; git mv notes.txt b.txt; git commit -qm b
failure last-git-rename merge_conflict "git merge a" "--tool=git --version"
failure last-git-dirty merge_conflict "git rebase a" "--tool=git --version"
repository; git bundle create b.bundle main 2>/dev/null; truncate -s -20 b.bundle; failure last-bundle corrupt_state "git clone b.bundle x" "--tool=git --version"
printf 'a: 1\n' >x; sha256sum x >SUMS; echo 2 >>x; failure last-sums corrupt_state "sha256sum --status -c SUMS || { echo 'x: checksum mismatch' >&2; exit 1; }" "--tool=sha256sum --version"
python3 -c 'import json; open("d.json", "w").write(json.dumps({"a": [1] * 99})[:120])'; failure last-jq-cut unknown "jq . d.json" "--tool=jq --version"
failure last-not-ready unknown "bash -c 'echo \"deploy window closed until 08:00; 0 connection errors, 0 timeouts in the last hour\"; exit 9'" "--tool=bash --version" --decoy "0 connection errors, 0 timeouts"
failure last-grep unknown "bash -c 'printf \"error: disk full\\nerror: 401 unauthorized\\n\" >old.log; ! grep -c error old.log'" "--tool=grep --version" --decoy "a count of old errors"
