# Collected after all rules were written, by situations and without a look at the rules; measured before anything was mended
# because of it.
project
mkdir -p /home/user/tls /home/user/bin-only; chmod 755 /home/user /home/user/project
openssl req -x509 -newkey rsa:2048 -nodes -keyout /home/user/tls/key.pem -out /home/user/tls/cert.pem -days 2 -subj /CN=other.example 2>/dev/null
cat /home/user/tls/key.pem /home/user/tls/cert.pem >/home/user/tls/both.pem
"$here/collect/server.py" 18180 /home/user/tls/both.pem & server=$!
sleep 1
base=http://127.0.0.1:18180
small() { mkdir -p /home/user/small; umount /home/user/small 2>/dev/null; mount -t tmpfs -o size="$1" tmpfs /home/user/small; cd /home/user/small || exit; }

# Lint
printf 'package main\nfunc main() {\nx := "ETIMEDOUT"\n_ = x }\n' >main.go; printf 'module shop\ngo 1.19\n' >go.mod
failure new-gofmt-list lint 'out=$(gofmt -l .); [ -z "$out" ] || { echo "These files are not formatted:"; echo "$out"; exit 1; }' "--tool=go version"
printf 'import os, sys\ndef connection_refused( a ):\n    return a\n' >a.py
failure new-ruff-github lint "ruff check --output-format=github a.py" "--tool=ruff --version" --decoy "a function connection_refused"
failure new-black-diff lint "black --check --diff a.py" "--tool=black --version"
printf 'lint:\n\t@echo "checking style..."\n\t@ruff check -q a.py\nci:\n\t@echo "12 tests passed"\n\t@$(MAKE) --no-print-directory lint\n' >Makefile
failure new-make-ci lint "make ci" "--tool=make --version" --decoy "12 tests passed"
git init -q . && git config user.name d && git config user.email d@example.com; printf '#!/bin/sh\nflake8 a.py\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; git add a.py
failure new-hook lint "git commit -m 'Retry on 503'" "--tool=git --version" --decoy "a message about 503"
ln -s /home/user/tools/node_modules node_modules; printf 'module.exports = [{ files: ["*.js"], rules: { "no-unused-vars": "error" } }];\n' >eslint.config.js; printf 'const timeout = 1;\n' >a.js
failure new-eslint-json lint "eslint -f json a.js" "--tool=eslint --version" --decoy "a name timeout"
printf '{"name":"x","scripts":{"format:check":"prettier --check .","test":"node --test","typecheck":"tsc --noEmit --strict t.ts"}}\n' >package.json
failure new-format-check lint "npm run format:check" "--tool=prettier --version"
printf '#!/bin/sh\necho $1\nrm -rf $2/*\n' >d.sh; failure new-shellcheck-gcc lint "shellcheck -f gcc d.sh" "--tool=shellcheck --version"
printf 'task :lint do\n  sh "rubocop --format simple bad.rb"\nend\n' >Rakefile; printf 'def A( x )\n  x==nil\nend\n' >bad.rb
failure new-rake-lint lint "rake lint" "--tool=rubocop --version"
printf 'def f(x: int) -> str:\n    return x\n\nf("429 Too Many Requests")\n' >t.py; failure new-mypy-decoy lint "mypy --strict t.py" "--tool=mypy --version" --decoy "a text '429 Too Many Requests'"

# Tests
mkdir -p g && printf 'module shop\ngo 1.19\n' >g/go.mod && printf 'package shop\nimport "testing"\nfunc TestRefused(t *testing.T) { t.Fatalf("dial tcp 10.0.0.1:5432: connect: connection refused") }\n' >g/a_test.go
failure new-go-test-json test "cd g && go test -json ./..." "--tool=go version" --decoy "a message 'connection refused'"
printf 'import unittest, urllib.error\nclass T(unittest.TestCase):\n    def setUp(self): raise urllib.error.URLError("timed out")\n    def test_a(self): pass\n' >test_u.py
failure new-unittest-setup test "python -m unittest test_u" "--tool=python --version" --decoy "a setUp that times out"
printf 'describe("api", () => { it("answers in time", (done) => {}).timeout(100); });\n' >m.cjs; failure new-mocha-slow test "mocha m.cjs" "--tool=mocha --version" --decoy "Timeout of 100ms exceeded"
printf 'import { test, expect } from "vitest";\ntest("page", () => { expect({ status: 500, error: "Internal Server Error" }).toMatchInlineSnapshot(`{ "status": 200 }`); });\n' >v.test.mjs; failure new-vitest-snapshot test "vitest run v.test.mjs" "--tool=vitest --version" --decoy "Internal Server Error"
printf 'import test from "node:test";\nimport assert from "node:assert";\ntest("login", async (t) => { await t.test("is refused", () => assert.equal(401, 200, "401 Unauthorized")); });\n' >n.test.mjs; failure new-npm-node-test test "npm test" "--tool=node --version" --decoy "401 Unauthorized"
printf 'def test_a(capsys):\n    print("No space left on device")\n    assert 1 == 2\n' >test_tb.py; failure new-pytest-line test "pytest --tb=line -q test_tb.py" "--tool=pytest --version"
printf 'import nox\n@nox.session(python=False)\ndef tests(session):\n    session.run("pytest", "-q", "test_tb.py")\n' >nf.py; failure new-nox test "nox -f nf.py" "--tool=nox --version"
printf '#!/bin/bash\nfails=0\ncheck() { if [ "$2" = "$3" ]; then echo "  ok   $1"; else echo "  FAIL $1 (wanted $2, was $3)"; fails=$((fails+1)); fi; }\ncheck "timeout is honoured" 1 1\ncheck "disk full is told" 28 0\ncheck "retries" 3 3\n[ $fails = 0 ] || { echo "$fails of 3 checks failed"; exit 1; }\n' >run_tests.sh; failure new-own-runner test "bash run_tests.sh" "--tool=bash --version" --decoy "a check named 'disk full is told'"
mkdir -p w/a/src w/b/src; printf '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n' >w/Cargo.toml
for c in a b; do printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n' $c >w/$c/Cargo.toml; printf '#[test]\nfn permission_denied() { assert_eq!(%s, 1, "permission denied (os error 13)"); }\n' "$([ $c = a ] && echo 1 || echo 2)" >w/$c/src/lib.rs; done
failure new-cargo-workspace test "cargo test --manifest-path w/Cargo.toml --workspace --no-fail-fast" "--tool=cargo --version" --decoy "a test permission_denied"
mkdir -p spec; printf 'RSpec.describe "queue" do\n  before(:all) { raise IOError, "closed stream" }\n  it("drains") { }\nend\nraise Errno::ECONNREFUSED if ENV["X"]\n' >spec/q_spec.rb; failure new-rspec-before test "rspec spec/q_spec.rb" "--tool=rspec --version"

# Builds
mkdir -p r/src; printf '[package]\nname = "pay"\nversion = "0.1.0"\nedition = "2021"\n[features]\na = []\n' >r/Cargo.toml
printf '#[cfg(not(feature = "a"))]\ncompile_error!("enable feature a; network access is not needed");\n' >r/src/lib.rs; failure new-compile-error build "cargo build --manifest-path r/Cargo.toml" "--tool=cargo --version" --decoy "network access"
printf 'int x = 1; int main(void) { return 0; }\n' >m1.c; printf 'int x = 2;\n' >m2.c; failure new-multiple-definition build "gcc m1.c m2.c -o app" "--tool=gcc --version"
printf 'cmake_minimum_required(VERSION 3.10)\nproject(x NONE)\nif(NOT DEFINED TOKEN_FILE)\n  message(FATAL_ERROR "TOKEN_FILE must be set (see docs/auth.md)")\nendif()\n' >CMakeLists.txt; failure new-cmake-fatal build "cmake -S . -B out" "--tool=cmake --version" --decoy "docs/auth.md"
printf 'import { rateLimit } from "./limits";\nconst n: number = rateLimit();\n' >t.ts; failure new-tsc-import build "tsc --outDir dist t.ts" "--tool=tsc --version"
printf 'import { a } from "./gone.js";\na();\n' >e.mjs; failure new-esbuild build "esbuild e.mjs --bundle --outfile=o.js" "--tool=esbuild --version"
mkdir -p gc/a gc/b; printf 'module m\ngo 1.19\n' >gc/go.mod; printf 'package a\nimport _ "m/b"\n' >gc/a/a.go; printf 'package b\nimport _ "m/a"\n' >gc/b/b.go; failure new-go-cycle build "cd gc && go build ./..." "--tool=go version"
printf 'export const a = 1;\n' >lib.mjs; printf 'import { b } from "./lib.mjs";\nconsole.log(b);\n' >imp.mjs; failure new-node-export build "node imp.mjs" "--tool=node --version"
printf 'A = 1\n' >mod_a.py; printf 'from mod_a import rate_limit\n' >imp.py; failure new-python-import build "python imp.py" "--tool=python --version"
failure new-ruby-load build "ruby -e 'require \"nosuchgem/client\"'" "--tool=ruby --version"
printf '<?php\nrequire "vendor/autoload.php";\n' >i.php; failure new-php-require build "php i.php" "--tool=php --version"
printf '.text\nmain:\n  movv %%eax, %%ebx\n' >x.s; failure new-assembler build "gcc -c x.s" "--tool=gcc --version"
printf 'msgid "a"\nmsgstr "b\nmsgid\n' >de.po; failure new-msgfmt build "msgfmt -c -o de.mo de.po" "--tool=msgfmt --version"
failure new-pkg-config build "pkg-config --cflags --libs libnosuch >= 2" "--tool=pkg-config --version"
printf 'template <class T> void f(T t) { t.missing(); }\nint main() { f(1); }\n' >t.cpp; failure new-clang-template build "clang++-14 -c t.cpp" "--tool=clang-14 --version"
printf 'from setuptools import setup\nraise RuntimeError("cannot find zlib headers")\n' >setup.py; failure new-setup-py build "pip install --no-build-isolation ." "--tool=pip --version"; rm setup.py

# Network
failure new-dev-tcp network "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9; echo PING >&3'" "--tool=bash --version"
failure new-cargo-git network "cargo add --git http://127.0.0.1:9/x.git x --manifest-path r/Cargo.toml" "--tool=cargo --version" --env CARGO_NET_RETRY=0
mkdir -p j; printf '{"name":"j","dependencies":{"x":"git+http://127.0.0.1:9/x.git"}}\n' >j/package.json; failure new-npm-git network "cd j && npm install" "--tool=npm --version"
printf 'source "http://127.0.0.1:9"\ngem "rack"\n' >Gemfile; failure new-bundler network "bundle3.1 install --retry 0" "--tool=bundle3.1 --version"; rm Gemfile
failure new-lwp network "lwp-request -m GET http://127.0.0.1:9/" "--tool=lwp-request -v"
failure new-pg-isready network "pg_isready -h 127.0.0.1 -p 9" "--tool=pg_isready --version"
failure new-mysqladmin network "mysqladmin -h 127.0.0.1 -P 9 ping" "--tool=mysqladmin --version"
failure new-sftp network "sftp -P 9 -b /dev/null 127.0.0.1" "--tool=ssh -V"
failure new-node-hang-up network "node -e 'require(\"http\").get(\"$base/close\")'" "--tool=node --version"
printf 'import smtplib\nsmtplib.SMTP("mail.internal.example", 25)\n' >mail.py; failure new-smtp-dns network "python mail.py" "--tool=python --version" --offline
failure new-go-mod network "cd g && go get example.com/lib@v1.0.0" "--tool=go version" --offline --env GOMODCACHE=/home/user/.cache/failures-gomod2
failure new-skopeo-dns network "skopeo inspect docker://registry.internal.example/app:1" "--tool=skopeo --version" --offline
failure new-rustup network "rustup toolchain install 1.70.0 --profile minimal" "--tool=rustup --version" --offline --env RUSTUP_MAX_RETRIES=0
repository; git remote add origin ssh://git@git.internal.example/app.git; failure new-git-push-dns network "git push origin main" "--tool=git --version" --offline
project; ln -s /home/user/tools/node_modules node_modules; chmod 755 .

# Limits of time
printf 'slow:\n\t@echo "running 40 tests"\n\t@timeout 1 sleep 20\n' >Makefile; failure new-make-124 timeout "make slow" "--tool=make --version" --decoy "running 40 tests"
failure new-node-abort timeout "node -e 'fetch(\"$base/hang\", { signal: AbortSignal.timeout(300) })'" "--tool=node --version"
printf 'use std::sync::mpsc; use std::time::Duration;\nfn main() { let (_s, r) = mpsc::channel::<u8>(); r.recv_timeout(Duration::from_millis(50)).unwrap(); }\n' >rt.rs; rustc -o rt rt.rs; failure new-rust-recv timeout "./rt" "--tool=rustc --version"
printf '#!/bin/bash\nfor i in 1 2 3; do if (exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; then exit 0; fi; echo "waiting for db ($i/3)"; sleep 0.2; done\necho "timed out waiting for db to become ready" >&2\nexit 1\n' >wait.sh; failure new-wait-for timeout "bash wait.sh" "--tool=bash --version"
printf 'import asyncio\nasync def main():\n    async with asyncio.timeout(0.1):\n        await asyncio.sleep(9)\nasyncio.run(main())\n' >as.py; failure new-asyncio-block timeout "python as.py" "--tool=python --version"
failure new-ruby-read network "ruby -rnet/http -e 'Net::HTTP.start(\"127.0.0.1\", 18180, read_timeout: 0.3, max_retries: 0) { |h| h.get(\"/hang\") }'" "--tool=ruby --version"
failure new-step-limit timeout "tail -f /dev/null" "--tool=tail --version" --limit 1

# Limits of rate, servers, credentials
for pair in 429:rate_limit 503:server_error 401:auth; do
  code=${pair%:*}; class=${pair#*:}
  failure "new-pip-url-$code" "$class" "pip install --no-cache-dir --retries 0 $base/status/$code/x-1.0.tar.gz" "--tool=pip --version"
  mkdir -p "c$code/src" "c$code/.cargo"; printf '[package]\nname = "c"\nversion = "0.1.0"\n[dependencies]\nserde = { version = "1", registry = "corp" }\n' >"c$code/Cargo.toml"; printf '[registries.corp]\nindex = "sparse+%s/status/%s/"\n' $base "$code" >"c$code/.cargo/config.toml"; : >"c$code/src/lib.rs"
  failure "new-cargo-registry-$code" "$class" "cd c$code && cargo build" "--tool=cargo --version" --env CARGO_NET_RETRY=0
  mkdir -p gp; printf 'module p\ngo 1.19\n' >gp/go.mod
  failure "new-go-proxy-$code" "$class" "cd gp && go get example.com/lib@v1.0.0" "--tool=go version" --env GOPROXY=$base/status/$code --env GONOSUMDB='*' --env GOFLAGS=-mod=mod --env GOMODCACHE=/home/user/.cache/failures-gomod2
  failure "new-gem-$code" "$class" "gem install --clear-sources --source $base/status/$code/ rack" "--tool=gem --version"
  failure "new-lwp-$code" "$class" "lwp-request -m GET -s $base/status/$code/x" "--tool=lwp-request -v"
done
printf 'fetch("%s/status/429").then(async (r) => { if (!r.ok) { console.log(JSON.stringify({ level: "error", status: r.status, msg: "upload of batch 7 rejected", retryAfter: r.headers.get("retry-after") })); process.exit(1); } });\n' $base >up.mjs; failure new-json-log-429 rate_limit "node up.mjs" "--tool=node --version"
printf 'import boto3, botocore\nfrom botocore.stub import Stubber\ns3 = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")\nst = Stubber(s3); st.add_client_error("put_object", "SlowDown", "Please reduce your request rate.", 503); st.activate()\ns3.put_object(Bucket="b", Key="k", Body=b"x")\n' >s3.py; failure new-s3-slowdown rate_limit "python s3.py" "--tool=python --version"
printf 'deb [trusted=yes] %s/status/500 stable main\n' $base >/tmp/failures-sources.list
mkdir -p /tmp/failures-apt/lists/partial; failure new-apt-500 server_error "apt-get update -o Dir::Etc::sourcelist=/tmp/failures-sources.list -o Dir::Etc::sourceparts=- -o Dir::State=/tmp/failures-apt -o Acquire::Retries=0" "--tool=apt-get --version"
mkdir -p mv; printf '<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version><repositories><repository><id>central</id><url>%s/status/502</url></repository></repositories><dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId><version>1</version></dependency></dependencies></project>\n' $base >mv/pom.xml
printf '<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>%s/status/502</url></mirror></mirrors></settings>\n' $base >mv/s.xml
failure new-mvn-502 server_error "cd mv && mvn -B -s s.xml compile" "--tool=mvn --version"
failure new-git-ls-504 server_error "git ls-remote $base/status/504/app.git" "--tool=git --version"
printf '#!/bin/bash\ncode=$(curl -s -o /tmp/failures-body -w "%%{http_code}" %s/status/502)\nif [ "$code" -ge 500 ]; then echo "::error::deploy hook answered $code, giving up after 3 attempts"; exit 1; fi\n' $base >hook.sh; failure new-hook-502 server_error "bash hook.sh" "--tool=curl --version"
failure new-kubectl-401 auth "kubectl --server=$base/status/401 get pods" "--tool=kubectl version --client"
failure new-name-mismatch auth "curl -sS --cacert /home/user/tls/cert.pem https://localhost:18181/status/200" "--tool=curl --version"
failure new-gcloud auth "gcloud auth print-access-token" "--tool=gcloud --version" --env CLOUDSDK_CONFIG=/home/user/.empty-gcloud
printf 'import json, urllib.request\nbody = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}\nprint("refreshing credentials")\nprint(json.dumps(body))\nraise SystemExit("cannot refresh the access token")\n' >tok.py; failure new-invalid-grant auth "python tok.py" "--tool=python --version"
failure new-gh-api auth "gh pr list --repo a/b" "--tool=gh --version" --offline --env GH_CONFIG_DIR=/home/user/.empty-gh
failure new-git-push-401 auth "git -C /home/user/origin push $base/status/401/app.git HEAD" "--tool=git --version" --env GIT_TERMINAL_PROMPT=0
redis-server --port 18479 --requirepass hush --daemonize yes --pidfile /tmp/failures-redis2.pid --dir /tmp --save '' >/dev/null; sleep 1
failure new-redis-wrongpass auth "redis-cli -e -p 18479 --no-auth-warning -a wrong ping" "--tool=redis-cli --version"
failure new-redis-unknown unknown "redis-cli -e -p 18479 --no-auth-warning -a hush timeout 5" "--tool=redis-cli --version" --decoy "a command called timeout"
kill "$(cat /tmp/failures-redis2.pid)"

# Rights
failure new-bind-80 permission "python3 -m http.server 80" "--tool=/usr/bin/python3 --version" --user
rm -rf /home/user/owned; git init -q /home/user/owned; failure new-dubious permission "git -C /home/user/owned status" "--tool=git --version" --user --env HOME=/nonexistent
failure new-useradd permission "/usr/sbin/useradd deploy" "--tool=dash -c 'echo dash'" --user
failure new-chmod permission "chmod 777 /etc/hosts" "--tool=chmod --version" --user
failure new-git-clone-permission permission "git clone -q /home/user/origin /opt/app-copy" "--tool=git --version" --user --env HOME=/nonexistent
failure new-install permission "install -m 755 wait.sh /usr/local/bin/wait-for" "--tool=install --version" --user
failure new-node-write permission "node -e 'require(\"fs\").writeFileSync(\"/etc/app.json\", \"{}\")'" "--tool=node --version" --user
failure new-sysctl permission "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'" "--tool=dash -c 'echo dash'" --user
failure new-renice permission "renice -n -5 -p 1" "--tool=renice --version" --user

# Programs
printf 'gen:\n\t@protoc --go_out=. api.proto\n' >gen.mk; failure new-make-protoc missing_tool "make -f gen.mk gen" "--tool=make --version"
printf '#!/usr/bin/env python2\nprint 1\n' >old.py; chmod +x old.py; failure new-env-python2 missing_tool "./old.py" "--tool=env --version"
printf 'package main\nimport ("os"; "os/exec"; "fmt")\nfunc main() { if err := exec.Command("helmfile", "apply").Run(); err != nil { fmt.Fprintln(os.Stderr, "deploy:", err); os.Exit(1) } }\n' >main.go; failure new-go-exec missing_tool "go run main.go" "--tool=go version"
failure new-perl-exec missing_tool "perl -we 'exec \"nosuchtool\", \"a\" or die \"cannot run: \$!\"'" "--tool=perl --version"
failure new-java-home missing_tool "mvn -B package" "--tool=mvn --version" --env JAVA_HOME=/usr/lib/jvm/none
printf '#!/bin/bash\nset -e\nout=$(kubectx current || exit 3)\necho "deploying to $out"\n' >ctx.sh; failure new-nested-missing missing_tool "bash ctx.sh" "--tool=bash --version"
ln -sf /usr/bin/gcc /usr/bin/sh /usr/lib/gcc/x86_64-linux-gnu/12/cc1 /home/user/bin-only/; printf 'int main(void) { return 0; }\n' >ok.c; failure new-gcc-no-as missing_tool "gcc ok.c -o ok" "--tool=gcc --version" --env PATH=/home/user/bin-only
printf '#!/bin/sh\nfor cc in icc xlc; do command -v $cc >/dev/null && exit 0; echo "checking for $cc... no"; done\necho "configure: error: no acceptable C compiler found in \\$PATH" >&2\nexit 1\n' >configure; failure new-configure missing_tool "sh configure" "--tool=dash -c 'echo dash'"
failure new-watch-which missing_tool "p=\$(which terragrunt) || { echo 'please install terragrunt (https://docs.example/install)' >&2; exit 1; }" "--tool=dash -c 'echo dash'"

# Memory
failure new-node-buffer out_of_memory "node -e 'const a = []; for (;;) a.push(Buffer.alloc(2 ** 30, 1));'" "--tool=node --version" --memory 8000
printf 'big.o:\n\tpython3 -c "x = []\nwhile True: x.append(bytearray(9000000))"\n' >big.mk; printf 'big:\n\t@python3 grow.py\n' >big.mk; printf 'x = []\nwhile True: x.append(bytearray(b"1" * 9000000))\n' >grow.py
failure new-make-killed out_of_memory "make -f big.mk big" "--tool=make --version" --resident 60
failure new-xz-memory out_of_memory "head -c 3000000 /dev/urandom | xz -9 -M 200MiB --no-adjust >/dev/null" "--tool=xz --version" --memory 120
failure new-sort-memory out_of_memory "ruby -e 'x = \"a\" * 10_000_000; y = x * 1000; puts y.size'" "--tool=ruby --version" --memory 600
printf 'package main\nfunc main() { var a [][]byte; for { b := make([]byte, 10<<20); for i := range b { b[i] = 1 }; a = append(a, b) } }\n' >mem.go; go build -o mem mem.go; printf '#!/bin/bash\necho "index: start"\n./mem\nstatus=$?\necho "index: ended with $status"\nexit 1\n' >ix.sh; failure new-script-killed out_of_memory "bash ix.sh" "--tool=bash --version" --resident 60
head -c 300000000 /dev/zero >/home/user/bigfile; failure new-git-memory out_of_memory "git -c core.bigFileThreshold=1000m hash-object --stdin < /home/user/bigfile" "--tool=git --version" --memory 80

# Disks
head -c 400000 /dev/urandom >/home/user/random; zip -q /home/user/random.zip /home/user/random; tar cf /home/user/random.tar -C /home/user random
small 100k
failure new-unzip-full disk_full "unzip -o /home/user/random.zip" "--tool=unzip -v"; rm -rf ./*
failure new-tar-create-full disk_full "tar cf out.tar /home/user/random" "--tool=tar --version"; rm -rf ./*
printf 'static char big[300000] = {1};\nint main(void) { return big[0]; }\n' >/home/user/big.c; failure new-gcc-full disk_full "gcc /home/user/big.c -o app" "--tool=gcc --version" --env TMPDIR=/tmp; rm -rf ./*
printf 'use std::io::Write;\nfn main() { let mut f = std::fs::File::create("x").unwrap(); for _ in 0..999 { f.write_all(&[1; 4096]).unwrap(); } }\n' >/home/user/wr.rs; rustc -o /home/user/wr /home/user/wr.rs; failure new-rust-full disk_full "/home/user/wr" "--tool=rustc --version"; rm -rf ./*
seq 1 12000 >n.txt; failure new-sed-full disk_full "sed -i 's/\$/ and more and more/' n.txt" "--tool=sed --version"; rm -rf ./*
failure new-wget-full disk_full "python -c 'import shutil; shutil.copyfile(\"/home/user/random\", \"copy\")'" "--tool=python --version"; rm -rf ./*
failure new-install-full disk_full "cat /home/user/random | gzip -1 > out.gz" "--tool=gzip --version"; rm -rf ./*
cd /; umount /home/user/small; mount -t tmpfs -o nr_inodes=5 tmpfs /home/user/small; cd /home/user/small; failure new-inodes disk_full "for i in 1 2 3 4 5 6; do touch f\$i || exit 1; done" "--tool=touch --version"; cd /; umount /home/user/small

# Merges
repository; git switch -qc f; echo f >>notes.txt; git commit -qam f; git format-patch -q -1 -o /tmp/failures-p; git switch -q main; echo m >>notes.txt; git commit -qam m
failure new-divergent merge_conflict "git pull . f --ff-only" "--tool=git --version"
failure new-am-3way merge_conflict "git am -3 /tmp/failures-p/0001-f.patch" "--tool=git --version"; git am --abort
failure new-apply-check merge_conflict "git apply --check /tmp/failures-p/0001-f.patch" "--tool=git --version"
git rebase f >/dev/null 2>&1; failure new-rebase-continue merge_conflict "git rebase --continue" "--tool=git --version" --env GIT_EDITOR=true; git rebase --abort
git show f:notes.txt >theirs; git show main:notes.txt >ours; git show main~1:notes.txt >base
failure new-merge-file merge_conflict "git merge-file -p ours base theirs" "--tool=git --version"
failure new-diff3 merge_conflict "diff3 -m ours base theirs" "--tool=diff3 --version"
failure new-patch-dry merge_conflict "patch --dry-run -p1 < /tmp/failures-p/0001-f.patch" "--tool=patch --version"
git checkout -q --orphan o; git rm -rqf .; echo o >o; git add o; git commit -qm o; failure new-unrelated merge_conflict "git merge main" "--tool=git --version"
git switch -qf main; printf 'new\n' >added; git switch -qc g; git add added; git commit -qm added; git switch -q main; printf 'mine\n' >added; failure new-untracked merge_conflict "git merge g" "--tool=git --version"

# Damage
project; chmod 755 .
repository; git rev-parse HEAD^{tree} >/dev/null; o=$(git rev-parse HEAD:notes.txt); chmod u+w .git/objects/${o:0:2}/*; printf 'garbage' >.git/objects/${o:0:2}/${o:2}; failure new-loose-object corrupt_state "git show HEAD:notes.txt" "--tool=git --version"
project; chmod 755 .
seq 1 2000 >s.txt; lz4 -q s.txt s.lz4; printf 'ZZZZ' | dd of=s.lz4 bs=1 seek=200 conv=notrunc 2>/dev/null; failure new-lz4 corrupt_state "lz4 -t s.lz4" "--tool=lz4 --version"
md5sum s.txt >S.md5; echo x >>s.txt; failure new-md5 corrupt_state "md5sum -c S.md5" "--tool=md5sum --version"
head -c 900 /dev/urandom >app.jar; failure new-jar corrupt_state "java -jar app.jar" "--tool=java --version"
printf 'class K { public static void main(String[] a) {} }\n' >K.java; javac K.java; truncate -s 120 K.class; failure new-class corrupt_state "java K" "--tool=java --version"
printf 'REDIS0009garbage-and-more-garbage' >dump.rdb; failure new-rdb corrupt_state "redis-check-rdb dump.rdb" "--tool=redis-cli --version"
sqlite3 d.db 'create table t(x); with recursive c(i) as (select 1 union all select i+1 from c where i < 2000) insert into t select hex(randomblob(40)) from c'; dd if=/dev/urandom of=d.db bs=1 seek=5000 count=9000 conv=notrunc 2>/dev/null; failure new-sqlite-python corrupt_state "python -c 'import sqlite3; print(sqlite3.connect(\"d.db\").execute(\"select count(*), sum(length(x)) from t\").fetchall())'" "--tool=python --version"
qemu-img create -q -f qcow2 v.qcow2 1M; dd if=/dev/urandom of=v.qcow2 bs=1 seek=8 count=80 conv=notrunc 2>/dev/null; failure new-qcow corrupt_state "qemu-img check v.qcow2" "--tool=qemu-img --version"
printf 'int main(void) { return 0; }\n' >ok.c; gcc -c ok.c; truncate -s 300 ok.o; failure new-object-cut corrupt_state "gcc ok.o -o ok" "--tool=gcc --version" --decoy "gcc"
openssl rand 2000 >e.pdf.zst; failure new-zstd corrupt_state "zstd -dc e.pdf.zst" "--tool=zstd --version"

# No class
repository; git branch x; failure new-branch-exists unknown "git branch x" "--tool=git --version"
git tag v1; failure new-tag-exists unknown "git tag v1" "--tool=git --version"
failure new-no-upstream unknown "git push" "--tool=git --version"
project; chmod 755 .
sqlite3 u.db 'create table t(x unique); insert into t values (1)'; failure new-sqlite-unique unknown "sqlite3 u.db 'insert into t values (1)'" "--tool=sqlite3 --version"
printf 'retries = []\nprint(retries[3])\n' >ix.py; failure new-index unknown "python ix.py" "--tool=python --version"
failure new-ruby-nil unknown "ruby -e 'nil.timeout'" "--tool=ruby --version" --decoy "a method timeout"
failure new-node-reject unknown "node -e 'Promise.reject(new Error(\"order 17 has no items\"))'" "--tool=node --version"
failure new-curl-bad-url unknown "curl -sS 'http://exa mple/timeout'" "--tool=curl --version"
printf '#!/bin/bash\necho "[ok] network reachable"\necho "[ok] disk space: 12 GB free"\necho "[ok] 401 accounts checked, 0 permission errors"\necho "[!!] balance differs by 3.20" >&2\nexit 2\n' >chk.sh; failure new-checks unknown "bash chk.sh" "--tool=bash --version" --decoy "network, disk, 401, permission"
printf '#!/bin/bash\necho "attempt 1: connection refused, trying again"\necho "attempt 2: connected"\necho "schema version 12 is newer than 11, refusing to downgrade" >&2\nexit 1\n' >mig.sh; failure new-migration unknown "bash mig.sh" "--tool=bash --version" --decoy "a refused connection that was overcome"
failure new-usage unknown "tar --retry-on-timeout -x" "--tool=tar --version" --decoy "an option about timeouts"
failure new-parallel unknown "parallel --will-cite -k 'exit {}' ::: 0 3" "--tool=parallel --version"
printf 'package main\nfunc main() { var m map[string]int; m["deadline exceeded"] = 1 }\n' >p.go; failure new-go-nil-map unknown "go run p.go" "--tool=go version" --decoy "a key 'deadline exceeded'"
failure new-make-nothing build "make -f /dev/null deploy-auth" "--tool=make --version" --decoy "auth"
printf 'fn main() { let v: Vec<u8> = Vec::new(); println!("{}", v[0]); }\n' >i.rs; rustc -o i i.rs; failure new-rust-index unknown "./i" "--tool=rustc --version"
failure new-xmllint unknown "python -c 'import json; json.loads(\"{retry: 429}\")'" "--tool=python --version" --decoy "429 in what is read"
kill "$server"
