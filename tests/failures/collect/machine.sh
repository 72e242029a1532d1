# Full disks, killed and limited processes, missing rights and programs, damaged files, the shell itself.
bash="--tool=bash --version"
small() { mkdir -p /home/user/small; umount /home/user/small 2>/dev/null; mount -t tmpfs -o size="$1" tmpfs /home/user/small; cd /home/user/small || exit; }
small 200k; (mkdir -p /tmp/failures-t && head -c 900000 /dev/urandom >/tmp/failures-t/data && tar cf /tmp/failures-big.tar -C /tmp/failures-t data)
failure dd-full disk_full "dd if=/dev/zero of=image.bin bs=64k count=20" "--tool=dd --version"
rm -f image.bin
failure python-full disk_full "python -c 'open(\"a.bin\", \"wb\").write(bytes(10_000_000))'" "--tool=python --version"
rm -f a.bin; seq 1 3000000 >/tmp/failures-rows
failure cp-full disk_full "cp /tmp/failures-rows rows.csv" "--tool=cp --version"
rm -f rows.csv; failure sort-full disk_full "sort -R -S 1M -T . /tmp/failures-rows -o sorted" "--tool=sort --version"
rm -f *; failure tee-full disk_full "echo 'connecting to database: permission denied is a known warning'; cat /tmp/failures-rows | gzip >rows.gz" "--tool=gzip --version" --decoy "a line about permission denied"
rm -f *; failure sqlite-full disk_full "sqlite3 app.db 'create table t(x); insert into t select randomblob(100000) from (values(1),(2),(3),(4))'" "--tool=sqlite3 --version"
rm -f *; failure tar-full disk_full "tar xf /tmp/failures-big.tar" "--tool=tar --version"
rm -f *; failure echo-dev-full disk_full "bash -c 'echo report >/dev/full'" "$bash"
failure dash-dev-full disk_full "seq 1 100000 >/dev/full" "--tool=seq --version"
failure curl-full disk_full "curl -sS -o page.bin file:///tmp/failures-rows" "--tool=curl --version"
rm -rf ./* .git; git init -q -b main . 2>/dev/null; git config user.email d@example.com; git config user.name d; head -c 120000 /dev/urandom >blob
failure git-full disk_full "git add blob" "--tool=git --version"
small 3m
mkdir src; printf '[package]\nname = "auth"\nversion = "0.1.0"\nedition = "2021"\n' >Cargo.toml; seq 1 9000 | sed 's/.*/pub fn f&(a: u8) -> u8 { a }/' >src/lib.rs
failure cargo-full disk_full "cargo build" "--tool=cargo --version" --decoy "could not compile"
rm -rf ./*; printf '#include <vector>\n#include <map>\n#include <string>\n#include <iostream>\nstatic char big[9000000] = {1};\nint main() { std::cout << big; }\n' >a.cpp
failure gpp-full disk_full "g++ -g -c a.cpp -o a.o" "--tool=g++ --version" --env TMPDIR=/home/user/small
rm -rf ./*; printf '{"name":"shop","dependencies":{"lodash":"4.17.21"}}\n' >package.json
failure npm-full disk_full "npm install" "--tool=npm --version"
rm -rf ./*; small 1m; failure pip-full disk_full "pip install --no-cache-dir --target lib pygments" "--tool=pip --version" --env TMPDIR=/home/user/small; small 3m
small 1m; printf 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }\n' >main.go
failure go-full disk_full "go build -o app main.go" "--tool=go version" --env TMPDIR=/home/user/small --env GOCACHE=/home/user/.cache/failures-go
small 3m
failure node-full disk_full "node -e 'require(\"fs\").writeFileSync(\"out.bin\", Buffer.alloc(8e6))'" "--tool=node --version"
mount -o remount,ro /home/user/small
failure read-only permission "mkdir releases" "--tool=mkdir --version"
cd /; umount /home/user/small

project
printf '#!/bin/sh\necho loading\nsleep 1\nkill -9 $$\n' >killed.sh; chmod +x killed.sh
failure killed-9 out_of_memory "./killed.sh"
printf 'import time\nbig = []\nprint("test memory ... ok", flush=True)\nwhile True: big.append(bytearray(b"x" * 20_000_000))\n' >eat.py
failure cgroup-python out_of_memory "python3 eat.py" "--tool=/usr/bin/python3 --version" --resident 80 --decoy "a passing test"
failure cgroup-in-script out_of_memory "bash -c 'python3 eat.py; echo \"ended: \$?\"; exit 1'" "$bash" --resident 80
printf 'test:\n\tpython3 eat.py\n' >Makefile
failure cgroup-make-test out_of_memory "make test" "--tool=make --version" --resident 80 --decoy "make test"
failure cgroup-pytest-like out_of_memory "bash -c 'set -o pipefail; python3 eat.py | tee log.txt'" "$bash" --resident 80
printf 'import subprocess\nsubprocess.run(["python3", "eat.py"], check=True)\n' >run.py
failure cgroup-python-child out_of_memory "python3 run.py" "--tool=/usr/bin/python3 --version" --resident 80
printf '#include <vector>\n' >a.cpp; python3 -c "
for i in range(60000): print(f'int f{i}(int a) {{ std::vector<int> v(a); return v[{i}]; }}')" >>a.cpp
failure cgroup-gpp out_of_memory "g++ -O2 -c a.cpp" "--tool=g++ --version" --resident 70
printf '<?php $a = []; while (true) { $a[] = str_repeat("x", 1 << 20); }\n' >eat.php
failure php-memory out_of_memory "php -d memory_limit=64M eat.php" "--tool=php --version"
failure perl-memory out_of_memory "perl -e 'my @a; push @a, \"x\" x 50_000_000 while 1'" "--tool=perl --version" --memory 300
failure ruby-memory out_of_memory "ruby -e 'a = []; loop { a << \"x\" * 50_000_000 }'" "--tool=ruby --version" --memory 400

failure timeout-sleep timeout "timeout 1 sleep 30" "--tool=timeout --version"
failure timeout-kill timeout "timeout -k 1 1 bash -c 'trap \"\" TERM; echo waiting; while :; do sleep 1; done'" "--tool=timeout --version"
failure timeout-curl timeout "timeout 1 bash -c 'echo \"Connection refused, trying again\"; sleep 20'" "--tool=timeout --version" --decoy "Connection refused, trying again"
printf '#!/bin/bash\nset -e\necho "== integration tests"\ntimeout 1 ./server --wait\n' >ci.sh; printf '#!/bin/sh\nsleep 20\n' >server; chmod +x ci.sh server
failure timeout-in-script timeout "./ci.sh" "$bash" --decoy "integration tests"
printf '#!/bin/bash\nif ! timeout 1 ./server; then echo "error: ./server timed out after 1 s" >&2; exit 1; fi\n' >wait.sh; chmod +x wait.sh
failure timeout-told timeout "./wait.sh" "$bash"
failure step-limit timeout "./server" --limit 1
failure step-limit-network timeout "echo 'curl: (7) Failed to connect to mirror: Connection refused' >&2; sleep 20" --limit 1 --decoy "a refused connection before the limit"
printf 'while True: pass\n' >spin.py
failure cpu-limit timeout "python3 spin.py" "--tool=/usr/bin/python3 --version" --cpu 1
printf 'import asyncio\nasync def main():\n    async with asyncio.timeout(1):\n        await asyncio.sleep(30)\nasyncio.run(main())\n' >wait.py
failure asyncio-timeout timeout "python wait.py" "--tool=python --version"
printf 'import signal, time\ndef late(*_):\n    raise TimeoutError("the export did not end within 1 s")\nsignal.signal(signal.SIGALRM, late)\nsignal.alarm(1)\ntime.sleep(20)\n' >alarm.py
failure alarm-timeout timeout "python alarm.py" "--tool=python --version"

printf 'secret\n' >private.txt; chmod 600 private.txt; printf '#!/bin/sh\n' >run.sh; mkdir locked; chmod 700 locked; chmod 755 /home/user /home/user/project
failure cat-permission permission "cat private.txt" "--tool=cat --version" --user
failure redirect-permission permission "echo x >report.txt" "--tool=dash -c 'echo dash'" --user
failure mkdir-permission permission "mkdir -p /opt/app/releases" "--tool=mkdir --version" --user
failure not-executable permission "./run.sh" "$bash"
failure cd-permission permission "bash -c 'cd locked && make'" "$bash" --user
failure touch-test-name permission "echo 'PASS network_timeout'; rm -f private.txt" "--tool=rm --version" --user --decoy "a passing test named network_timeout"
failure chown-permission permission "chown root run.sh" "--tool=chown --version" --user
failure mount-permission permission "mount -t tmpfs tmpfs /mnt" "--tool=mount --version" --user
failure kill-permission permission "kill 1" "$bash" --user
failure git-permission permission "git init --bare /srv/repo.git" "--tool=git --version" --user
failure touch-sys permission "touch /sys/kernel/x" "--tool=touch --version" --user
failure tar-permission permission "tar czf /var/backups/site.tgz ." "--tool=tar --version" --user

failure no-program missing_tool "terragrunt plan"
failure no-program-bash missing_tool "bash -c 'set -e; echo \"rate limit: 5000 remaining\"; pulumi up --yes'" "$bash" --decoy "rate limit: 5000 remaining"
printf '#!/bin/bash\nset -euo pipefail\necho "0 errors"\ngrype dir:. -c config.yaml >/dev/null || exit 1\n' >conf.sh; chmod +x conf.sh
failure no-program-exit-1 missing_tool "./conf.sh" "$bash" --decoy "0 errors"
printf '#!/usr/bin/env deno\nconsole.log(1)\n' >tool; chmod +x tool
failure no-interpreter missing_tool "./tool"
printf '#!/opt/python3.99/bin/python\n' >tool2; chmod +x tool2
failure bad-interpreter missing_tool "bash -c ./tool2" "$bash"
failure xargs-missing missing_tool "echo a | xargs -n1 buf lint" "--tool=xargs --version"
failure find-exec-missing missing_tool "find . -name '*.sh' -exec shfmt -d {} +; test -e formatted" "--tool=find --version"
failure sudo-missing missing_tool "set -e; command -v helm >/dev/null || { echo 'helm: command not found' >&2; exit 1; }"

head -c 3000 /dev/urandom >r; gzip -k r; head -c 1500 r.gz >cut.gz
failure gzip-cut corrupt_state "gunzip -t cut.gz" "--tool=gzip --version"
cp r.gz bad.gz; printf 'XXXX' | dd of=bad.gz bs=1 seek=2900 conv=notrunc 2>/dev/null
failure gzip-crc corrupt_state "gzip -dc bad.gz >out" "--tool=gzip --version"
tar czf a.tgz r; head -c 1000 a.tgz >a-cut.tgz
failure tar-cut corrupt_state "tar xzf a-cut.tgz" "--tool=tar --version"
zip -q a.zip r; printf 'XXXXXXXX' | dd of=a.zip bs=1 seek=900 conv=notrunc 2>/dev/null
failure unzip-crc corrupt_state "unzip -o a.zip" "--tool=unzip -v"
head -c 900 a.zip >b.zip
failure unzip-cut corrupt_state "unzip -o b.zip" "--tool=unzip -v"
xz -k r; printf 'YYYY' | dd of=r.xz bs=1 seek=700 conv=notrunc 2>/dev/null
failure xz-corrupt corrupt_state "xz -t r.xz" "--tool=xz --version"
zstd -q r; printf 'YYYYYYYY' | dd of=r.zst bs=1 seek=20 conv=notrunc 2>/dev/null; head -c 1200 r.zst >c.zst
failure zstd-cut corrupt_state "zstd -t c.zst" "--tool=zstd --version"
sha256sum r >sums; printf 'x' >>r
failure sha256sum corrupt_state "sha256sum -c sums" "--tool=sha256sum --version"
sqlite3 app.db 'create table t(x); insert into t select randomblob(3000) from (values(1),(2),(3),(4)); create index i on t(x)'
cp app.db bad.db; head -c 4000 /dev/urandom | dd of=bad.db bs=1 seek=100 conv=notrunc 2>/dev/null
failure sqlite-malformed corrupt_state "sqlite3 bad.db 'select count(*) from t'" "--tool=sqlite3 --version"
head -c 9000 /dev/urandom >not.db
failure sqlite-not-a-database corrupt_state "sqlite3 not.db 'select 1 from sqlite_master'" "--tool=sqlite3 --version"
printf 'import sqlite3\nprint("test connection_refused ... ok")\nsqlite3.connect("bad.db").execute("select * from t").fetchall()\n' >q.py
failure python-sqlite corrupt_state "python q.py" "--tool=python --version" --decoy "a passing test named connection_refused"
printf 'import pickle, gzip\ngzip.open("cut.gz").read()\n' >g.py
failure python-gzip corrupt_state "python g.py" "--tool=python --version"
dpkg-deb -b /dev/null x.deb 2>/dev/null; printf '!<arch>\ngarbage' >x.deb
failure dpkg-deb-corrupt corrupt_state "dpkg-deb -I x.deb" "--tool=dpkg-deb --version"

failure false unknown "false"
failure test-file unknown "test -f dist/app.tar"
failure grep-absent unknown "grep -c ready private.txt" "--tool=grep --version"
printf 'a\npermission denied\n' >one.txt; printf 'a\nno space left on device\n' >two.txt
failure diff unknown "diff one.txt two.txt" "--tool=diff --version" --decoy "the files speak of rights and disks"
failure diff-u unknown "diff -u one.txt two.txt" "--tool=diff --version" --decoy "the files speak of rights and disks"
failure no-file unknown "cat settings.toml" "--tool=cat --version"
failure jq-parse unknown "echo '{\"status\": 503, \"error\"' | jq .status" "--tool=jq --version" --decoy "status 503 in the data"
failure jq-false unknown "echo '{\"rate_limit\": {\"remaining\": 4999}, \"ok\": false}' | jq -e .ok" "--tool=jq --version" --decoy "rate_limit remaining 4999"
failure ls-option unknown "ls --no-such-option" "--tool=ls --version"
failure terminated unknown "bash -c 'echo working; kill -TERM \$\$'" "$bash"
failure shell-syntax unknown "if true; then echo x" "--tool=dash -c 'echo dash'"
failure unset-variable unknown "bash -c 'set -u; echo \"deploying to \$TARGET\"'" "$bash"
failure sed-expression unknown "sed 's/a/b' one.txt" "--tool=sed --version"
printf '2026-01-02T10:00:00Z ERROR pool: connection reset by peer (attempt 1 of 3)\n2026-01-02T10:00:01Z INFO pool: connected\n2026-01-02T10:00:07Z INFO import: 410 rows\n2026-01-02T10:00:07Z ERROR import: row 411: price is negative\n' >log.txt
failure log-survived unknown "cat log.txt; exit 1" "$bash" --decoy "a connection that was reset and came back"
failure tail-log unknown "tail -n 3 one.txt two.txt; exit 4" "--tool=tail --version" --decoy "files that are shown speak of rights and disks"
