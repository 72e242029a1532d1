# Collected after the rules had been made better, from tools and situations that had not been looked at: measured once
# before anything was changed because of them.
small() { mkdir -p /home/user/small; umount /home/user/small 2>/dev/null; mount -t tmpfs -o size="$1" tmpfs /home/user/small; cd /home/user/small || exit; }
source_file() { cat >"$1"; }
tls() { openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null; cat key.pem cert.pem >/tmp/failures-tls.pem; }
project; tls
"$here/collect/server.py" 18080 /tmp/failures-tls.pem & server=$!
sleep 1
base=http://127.0.0.1:18080

# Lint.
project; ln -s /home/user/tools/node_modules node_modules
printf '#Title\ntext   \n\n\n\n* connection refused\n' >README.md; failure later-markdownlint lint "markdownlint README.md" "--tool=markdownlint --version" --decoy "the text says 'connection refused'"
printf 'var a = 1\nif (a == "401") { debugger }\n' >a.js; failure later-biome lint "biome lint a.js" "--tool=biome --version"
failure later-biome-format lint "biome format a.js" "--tool=biome --version"
failure later-oxlint lint "oxlint --deny-warnings a.js" "--tool=oxlint --version"
printf '# recieve the occured errors\n' >notes.md; failure later-codespell lint "codespell notes.md" "--tool=codespell --version"
printf 'import subprocess\nsubprocess.call("ls", shell=True)\npassword = "hunter22"\n' >a.py; failure later-bandit lint "bandit -q a.py" "--tool=bandit --version" --decoy "a finding about passwords"
failure later-pydocstyle lint "pydocstyle a.py" "--tool=pydocstyle --version"
printf 'x = {  "a":1 }\n' >b.py; failure later-yapf lint "yapf --diff b.py" "--tool=yapf --version"
printf 'SELECT a,b from   t where x=1\n' >q.sql; failure later-sqlfluff lint "sqlfluff lint --dialect ansi q.sql" "--tool=sqlfluff --version"

# Tests.
mkdir -p features/steps spec t
printf 'import test from "ava";\ntest("times out", t => { t.is("ETIMEDOUT", "ok"); });\n' >a.test.mjs; printf '{"name":"x","type":"module"}\n' >package.json
failure later-ava test "ava a.test.mjs" "--tool=ava --version" --decoy "an expectation about ETIMEDOUT"
printf 'describe("disk", () => { it("is full", () => { expect("ENOSPC").toBe("fine"); }); });\n' >spec/a.spec.js
failure later-jasmine test "jasmine spec/a.spec.js" "--tool=jasmine --version" --decoy "an expectation about ENOSPC"
printf 'Feature: access\n  Scenario: forbidden\n    Given 403 forbidden\n' >features/a.feature; printf 'from behave import given\n@given("403 forbidden")\ndef f(c): assert 403 == 200\n' >features/steps/a.py
failure later-behave test "behave --no-color" "--tool=behave --version" --decoy "a scenario about 403 forbidden"
printf '*** Test Cases ***\nRate Limit\n    Should Be Equal    429    200\n' >a.robot; failure later-robot test "robot a.robot" "--tool=robot --version" --decoy "a test called Rate Limit"
printf 'use Test::More tests => 2;\nok(1, "connection refused");\nis(1, 2, "permission denied");\n' >t/a.t; failure later-prove test "prove t" "--tool=prove --version" --decoy "tests about connections and permissions"
printf 'def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\n' >d.py; failure later-doctest test "python -m doctest d.py" "--tool=python --version"
mkdir -p /home/user/project/rs/src; cd rs; printf '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n' >Cargo.toml; printf '#[test]\nfn out_of_memory() { assert!(std::env::var("NOPE").is_ok(), "cannot allocate memory"); }\n' >src/lib.rs
failure later-nextest test "cargo nextest run" "--tool=cargo nextest --version" --decoy "a test out_of_memory that says 'cannot allocate memory'"
cd ..

# Builds.
printf 'a { color: $nope; }\n' >a.scss; failure later-sass build "sass a.scss" "--tool=sass --version"
printf 'import x from "./gone.js";\nlet = ;\n' >e.js; failure later-rollup build "rollup e.js" "--tool=rollup --version"
printf 'all:\n  echo x\n' >Makefile; failure later-make-separator build "make" "--tool=make --version"
printf 'int f(int unused_timeout) { int x; return 1; }\n' >w.c; failure later-gcc-werror build "gcc -Wall -Werror -c w.c" "--tool=gcc --version" --decoy "a warning that is an error; a name with timeout"
printf 'import org.nope.Client;\nclass W { Client permissionDenied; }\n' >W.java; failure later-javac-package build "javac W.java" "--tool=javac --version" --decoy "a field permissionDenied"
printf 'mod auth;\n' >rs/src/lib.rs; failure later-rust-mod build "cargo build --manifest-path rs/Cargo.toml" "--tool=cargo --version" --decoy "a module auth"
printf 'use Nope::Module;\n' >a.pl; failure later-perl-module build "perl a.pl" "--tool=perl --version"
printf '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.99"\n' >pyproject.toml; failure later-pip-python build "pip install ." "--tool=pip --version"
rm pyproject.toml

# Network.
printf '{"name":"x","dependencies":{"left-pad":"1.3.0"}}\n' >package.json
failure later-uv network "uv pip install --no-cache tabulate" "--tool=uv --version" --offline --env UV_HTTP_RETRIES=0 --env VIRTUAL_ENV=/home/user/.venv
failure later-yarn network "yarn install" "--tool=yarn --version" --offline --env YARN_CACHE_FOLDER=/home/user/.empty-yarn
failure later-hg network "hg clone http://127.0.0.1:9/app" "--tool=hg --version" --offline
failure later-pg-dump network "pg_dump -h db.internal.example -U app app" "--tool=pg_dump --version" --offline
failure later-php-refused network "php -r 'exit(file_get_contents(\"http://127.0.0.1:9/\") === false ? 1 : 0);'" "--tool=php --version"
printf 'terraform {\n  required_providers { random = { source = "hashicorp/random" } }\n}\n' >main.tf
failure later-terraform network "terraform init -no-color" "--tool=terraform version" --offline
printf 'import httpx\nhttpx.get("http://127.0.0.1:9/tests/failed")\n' >n.py; failure later-httpx network "python n.py" "--tool=python --version" --decoy "tests/failed in the address"
printf 'import aiohttp, asyncio\nasync def main():\n    async with aiohttp.ClientSession() as s:\n        await s.get("http://127.0.0.1:9/")\nasyncio.run(main())\n' >n.py; failure later-aiohttp network "python n.py" "--tool=python --version"
printf 'import redis\nredis.Redis(port=9).ping()\n' >n.py; failure later-redis-py network "python n.py" "--tool=python --version"
printf 'import java.net.*; import java.net.http.*;\nclass N { public static void main(String[] a) throws Exception { HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:9/")).build(), HttpResponse.BodyHandlers.ofString()); } }\n' >N.java
javac N.java; failure later-java-client network "java N" "--tool=java --version"

# Limits of time.
printf 'import time\ndef test_a(): time.sleep(60)\n' >test_slow.py; failure later-timeout-pytest timeout "timeout 2 pytest test_slow.py" "--tool=timeout --version" --decoy "pytest"
failure later-ruby-timeout timeout "ruby -rtimeout -e 'Timeout.timeout(1) { sleep 20 }'" "--tool=ruby --version"
failure later-php-timeout timeout "php -d max_execution_time=1 -r 'while (true) {}'" "--tool=php --version"
failure later-perl-alarm timeout "perl -e 'alarm 1; sleep 20'" "--tool=perl --version"
printf 'from concurrent.futures import ThreadPoolExecutor\nimport time, os\nf = ThreadPoolExecutor().submit(time.sleep, 3)\nf.result(timeout=1)\n' >f.py; failure later-futures timeout "python f.py" "--tool=python --version"

# Limits of rate, servers, credentials.
axios() { printf 'require("/home/user/tools/node_modules/axios").get("%s").catch((e) => { console.error(String(e)); process.exit(1); });\n' "$1" >x.cjs; }
axios $base/status/429; failure later-axios-429 rate_limit "node x.cjs" "--tool=node --version"
axios $base/status/503; failure later-axios-503 server_error "node x.cjs" "--tool=node --version"
axios $base/status/401; failure later-axios-401 auth "node x.cjs" "--tool=node --version"
for pair in 429:rate_limit 502:server_error 403:auth; do
  printf 'import httpx\nhttpx.get("%s/status/%s/x").raise_for_status()\n' $base "${pair%:*}" >h.py; failure "later-httpx-${pair%:*}" "${pair#*:}" "python h.py" "--tool=python --version"
  printf 'class J { public static void main(String[] a) throws Exception { new java.net.URL("%s/status/%s/x").openStream(); } }\n' $base "${pair%:*}" >J.java; javac J.java; failure "later-java-${pair%:*}" "${pair#*:}" "java J" "--tool=java --version"
  failure "later-php-${pair%:*}" "${pair#*:}" "php -r 'exit(file_get_contents(\"$base/status/${pair%:*}/x\") === false ? 1 : 0);'" "--tool=php --version"
  failure "later-ruby-${pair%:*}" "${pair#*:}" "ruby -rnet/http -e 'Net::HTTP.get_response(URI(\"$base/status/${pair%:*}/x\")).value'" "--tool=ruby --version"
done
for pair in 429:rate_limit 529:server_error 401:auth; do
  printf 'import anthropic\nanthropic.Anthropic(api_key="k", base_url="%s/status/%s", max_retries=0).messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])\n' $base "${pair%:*}" >h.py
  failure "later-anthropic-${pair%:*}" "${pair#*:}" "python h.py" "--tool=pip show anthropic | sed -n '1,2p' | paste -sd ' '"
done
failure later-git-certificate auth "git clone https://localhost:18081/status/200/app.git" "--tool=git --version"
printf 'require("https").get("https://localhost:18081/");\n' >x.cjs; failure later-node-certificate auth "node x.cjs" "--tool=node --version"
sed -i "s,$base/status/403/x,https://localhost:18081/," J.java; javac J.java; failure later-java-certificate auth "java J" "--tool=java --version"
failure later-su auth "su -c true" "--tool=su --version" --user
kill "$server"

# Rights and programs.
chmod 755 /home/user/project
failure later-ruby-permission permission "ruby -e 'File.write(\"/etc/x\", 1)'" "--tool=ruby --version" --user
failure later-php-permission permission "php -r 'exit(file_put_contents(\"/etc/x\", 1) === false ? 1 : 0);'" "--tool=php --version" --user
printf 'class P { public static void main(String[] a) throws Exception { java.nio.file.Files.writeString(java.nio.file.Path.of("/etc/x"), "x"); } }\n' >P.java; javac P.java; failure later-java-permission permission "java P" "--tool=java --version" --user
failure later-gcc-permission permission "gcc -c w.c -o w.o" "--tool=gcc --version" --user --decoy "gcc"
sqlite3 ro.db 'create table t(x)'; failure later-sqlite-permission permission "sqlite3 ro.db 'insert into t values (1)'" "--tool=sqlite3 --version" --user
failure later-nohup missing_tool "nohup nosuchtool" "--tool=nohup --version"
failure later-timeout-missing missing_tool "timeout 5 nosuchtool --version" "--tool=timeout --version" --decoy "timeout"
failure later-ruby-missing missing_tool "ruby -e 'exec \"nosuchtool\", \"x\"'" "--tool=ruby --version"
printf 'class R { public static void main(String[] a) throws Exception { new ProcessBuilder("nosuchtool").start(); } }\n' >R.java; javac R.java; failure later-java-missing missing_tool "java R" "--tool=java --version"
mkdir -p cm /tmp/failures-only-cmake; ln -sf /usr/bin/cmake /usr/bin/sh /tmp/failures-only-cmake/; printf "cmake_minimum_required(VERSION 3.10)\nproject(x C)\n" >cm/CMakeLists.txt
failure later-cmake-missing missing_tool "cmake -S cm -B cm/build -G 'Ninja'" "--tool=cmake --version" --env PATH=/tmp/failures-only-cmake
printf 'cross-env NODE_ENV=test jest\n' >run-tests.sh; failure later-tests-missing missing_tool "sh run-tests.sh" --decoy "run-tests"

# Memory and disks.
printf 'import numpy\nnumpy.ones((200000, 200000))\n' >m.py; failure later-numpy out_of_memory "python m.py" "--tool=python --version" --memory 4000
printf 'const a = []; for (;;) a.push("x".repeat(1e6) + a.length);\n' >m.cjs; failure later-node-options out_of_memory "node m.cjs" "--tool=node --version" --env NODE_OPTIONS=--max-old-space-size=50
printf '#[test]\nfn adds() { let mut a: Vec<Vec<u8>> = vec![]; loop { a.push(vec![1; 10 << 20]); } }\n' >rs/src/lib.rs; (cd rs && cargo test --no-run -q 2>/dev/null)
failure later-cargo-test-killed out_of_memory "cargo test --manifest-path rs/Cargo.toml" "--tool=cargo --version" --resident 120 --decoy "cargo test"
printf '#include <map>\n#include <regex>\nstd::regex r("x");\n' >a.cpp; failure later-gpp-limit out_of_memory "g++ -O2 -c a.cpp" "--tool=g++ --version" --memory 90
failure later-awk-memory out_of_memory "perl -e 'open F, \"/dev/zero\"; read F, \$x, 900_000_000; print length \$x'" "--tool=perl --version" --memory 200
small 100k; cp /home/user/project/P.java .
printf 'class Full { public static void main(String[] a) throws Exception { try (var o = new java.io.FileOutputStream("x")) { for (;;) o.write(new byte[9999]); } } }\n' >/home/user/project/Full.java; (cd /home/user/project && javac Full.java)
failure later-java-full disk_full "java -cp /home/user/project Full" "--tool=java --version"
rm -f x; head -c 300000 /dev/urandom >/tmp/failures-random; failure later-rsync-full disk_full "rsync -a /tmp/failures-random ./" "--tool=rsync --version"
rm -f ./*; failure later-zip-full disk_full "zip -q out.zip /tmp/failures-random" "--tool=zip --version"
rm -f ./*; failure later-ruby-full disk_full "ruby -e 'File.write(\"x\", \"y\" * 900_000)'" "--tool=ruby --version"
rm -f ./*; failure later-perl-full disk_full "perl -e 'open F, \">x\" or die; print F \"y\" x 900_000; close F or die \"close: \$!\"'" "--tool=perl --version"
cd /; umount /home/user/small

# Merges and damage.
repository; git switch -qc f; printf '\0\1' >logo.png; git add .; git commit -qm f; git switch -q main; printf '\0\2' >logo.png; git add .; git commit -qm m
failure later-git-binary merge_conflict "git merge f" "--tool=git --version"
git merge --abort; failure later-git-ff merge_conflict "git merge --ff-only f" "--tool=git --version"
printf 'dirty\n' >logo.png; failure later-git-checkout merge_conflict "git checkout f" "--tool=git --version"
project; hg init -q; printf 'a\n' >n; hg add -q n; hg commit -qm a -u d; printf 'b\n' >n; hg commit -qm b -u d; hg update -q 0; printf 'c\n' >n; hg commit -qm c -u d
failure later-hg-merge merge_conflict "hg merge --tool :merge" "--tool=hg --version"
failure later-hg-unresolved merge_conflict "hg commit -m done -u d" "--tool=hg --version"
project; printf 'a\n' >r; bzip2 -k r; printf 'ZZ' | dd of=r.bz2 bs=1 seek=20 conv=notrunc 2>/dev/null
failure later-bzip2 corrupt_state "bzip2 -t r.bz2" "--tool=bzip2 --version"
head -c 500 /dev/urandom >x.tar; failure later-tar-none corrupt_state "tar xf x.tar" "--tool=tar --version"
head -c 500 /dev/urandom >x.zip; failure later-python-zip corrupt_state "python -m zipfile -l x.zip" "--tool=python --version"
failure later-jar corrupt_state "jar xf x.zip" "--tool=jar --version"
cp x.zip x-1.0-py3-none-any.whl; failure later-pip-wheel corrupt_state "pip install ./x-1.0-py3-none-any.whl" "--tool=pip --version"
failure later-ruby-gzip corrupt_state "ruby -rzlib -e 'Zlib::GzipReader.open(\"x.zip\").read'" "--tool=ruby --version"
python3 -c 'import pickle; open("s.pkl", "wb").write(pickle.dumps(list(range(999)))[:700])'; failure later-pickle corrupt_state "python -c 'import pickle; pickle.load(open(\"s.pkl\", \"rb\"))'" "--tool=python --version"
sha1sum r >sums; printf 'more' >>r; failure later-sha1sum corrupt_state "sha1sum --quiet -c sums" "--tool=sha1sum --version"

# What nobody can know, and what only looks as if.
project
failure later-cmp unknown "cmp /etc/hostname /etc/passwd" "--tool=cmp --version"
failure later-expr unknown "expr 1 - 1" "--tool=expr --version"
failure later-awk unknown "printf 'GET /a 500 12ms\nGET /b 429 3ms\nGET /c 401 9ms\n' | awk '{ print } \$3 >= 500 { bad = 1 } END { exit bad }'" "--tool=awk --version" --decoy "an access log with 500, 429 and 401"
failure later-bc unknown "python -c 'print(1/0)'" "--tool=python --version"
printf '## Known problems\n\n- Permission denied when run twice\n- "Out of memory" on small machines\n' >PROBLEMS.md; failure later-notes unknown "cat PROBLEMS.md && test -e RELEASED" "--tool=cat --version" --decoy "notes about problems"
failure later-sqlite-syntax unknown "sqlite3 :memory: 'select * from connection_refused'" "--tool=sqlite3 --version" --decoy "a table named connection_refused"
failure later-node-assert unknown "node -e 'process.exitCode = 3; console.log(JSON.stringify({ failed: 0, timeout: 30, code: 200 }))'" "--tool=node --version" --decoy "timeout and code in JSON"
failure later-date unknown "date -d 'network unreachable'" "--tool=date --version" --decoy "a date of 'network unreachable'"
failure later-config unknown "python -c 'import configparser; c = configparser.ConfigParser(); c.read_string(\"[auth]\"); c.get(\"auth\", \"token\")'" "--tool=python --version" --decoy "a section auth, an option token"
failure later-health unknown "printf 'db ok\ncache ok\nqueue 3 failures, all retried\n'; exit 2" "--tool=bash --version" --decoy "3 failures, all retried"
failure later-quota unknown "printf 'quota: 12%% used\nmemory: 40%% used\ndisk: 71%% full\n'; exit 1" "--tool=bash --version" --decoy "quota, memory, disk"
failure later-gpg unknown "gpg --batch --homedir /tmp/failures-gpg -r nobody@example.com -e PROBLEMS.md" "--tool=gpg --version"
