# curl, wget, psql, mysql, redis-cli, docker, kubectl, aws, gh, skopeo, apt, SDKs: a loopback server that fails, or none.
curl="--tool=curl --version" wget="--tool=wget --version"
project
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
cat key.pem cert.pem >/tmp/failures-tls.pem
"$here/collect/server.py" 18080 /tmp/failures-tls.pem & server=$!
sleep 1
base=http://127.0.0.1:18080
project
failure curl-refused network "curl -fsS http://127.0.0.1:9/health" "$curl" --offline
failure curl-refused-silent network "curl -s http://127.0.0.1:9/health" "$curl" --offline
failure curl-dns network "curl -fsSLO https://downloads.example.com/tool-1.2.tar.gz" "$curl" --offline
failure curl-unreachable network "curl -fsS http://203.0.113.7/" "$curl" --offline
failure curl-timeout network "curl -fsS --max-time 1 $base/hang" "$curl"
failure curl-reset network "curl -fsS $base/reset" "$curl"
failure curl-empty network "curl -fsS $base/close" "$curl"
failure curl-pipe-sh network "curl -fsSL https://get.example.com/install.sh -o install.sh && sh install.sh" "$curl" --offline
failure curl-tls-speaks-http network "curl -fsS https://127.0.0.1:18080/status/200" "$curl"
failure curl-self-signed auth "curl -fsS https://127.0.0.1:18081/status/200" "$curl"
failure wget-self-signed auth "wget -q https://localhost:18081/status/200" "$wget"
failure curl-401 auth "curl -fsS $base/body/401/github-bad" "$curl"
failure curl-403 auth "curl --fail --silent --show-error -X POST $base/status/403" "$curl"
failure curl-429 rate_limit "curl -fsS $base/body/429/openai-limit" "$curl"
failure curl-with-body-429 rate_limit "curl -sS --fail-with-body $base/body/429/openai-limit" "$curl"
failure curl-github-limit rate_limit "curl -sS --fail-with-body $base/body/403/github-limit" "$curl" --decoy "the status is 403"
failure curl-500 server_error "curl -fsS $base/status/500" "$curl"
failure curl-503 server_error "curl -fsSL $base/status/503" "$curl"
failure curl-404 unknown "curl -fsS $base/status/404/network/timeout" "$curl" --decoy "the path speaks of a network time-out"
failure curl-usage unknown "curl --no-such-option $base/429" "$curl" --decoy "429 in the address"
failure curl-job-failed unknown "curl -sS $base/body/200/jobs | grep -q '\"status\":\"ok\"' || { echo 'the nightly job failed'; exit 1; }" "$curl"
failure curl-job-shown unknown "curl -sS $base/body/200/jobs; exit 3" "$curl" --decoy "JSON that quotes a refused connection"
failure wget-refused network "wget -nv http://127.0.0.1:9/a.tar.gz" "$wget" --offline
failure wget-dns network "wget https://downloads.example.com/a.tar.gz" "$wget" --offline
failure wget-401 auth "wget $base/status/401/private.zip" "$wget"
failure wget-502 server_error "wget $base/status/502/a.tar.gz" "$wget"
failure wget-429 rate_limit "wget --tries=1 $base/status/429/a.tar.gz" "$wget"
failure wget-404 unknown "wget -nv $base/status/404/rate_limit.csv" "$wget" --decoy "a file called rate_limit.csv"
failure http-refused network "/usr/bin/http --ignore-stdin GET http://127.0.0.1:9/orders" "--tool=/usr/bin/http --version" --offline
failure http-503 server_error "/usr/bin/http --ignore-stdin --check-status GET $base/status/503" "--tool=/usr/bin/http --version"
failure http-429 rate_limit "/usr/bin/http --ignore-stdin --check-status GET $base/body/429/github-limit" "--tool=/usr/bin/http --version"

failure ssh-refused network "ssh -o BatchMode=yes -p 9 deploy@127.0.0.1 uptime" "--tool=ssh -V" --offline
failure ssh-dns network "ssh -o BatchMode=yes deploy@build.example.com uptime" "--tool=ssh -V" --offline
failure rsync-refused network "rsync -a ./ rsync://127.0.0.1:9/backup/" "--tool=rsync --version" --offline
failure apt-offline network "apt-get install -y --reinstall hello" "--tool=apt-get --version" --offline
failure apt-no-package build "apt-get install -y libnosuchthing-dev" "--tool=apt-get --version"
failure apt-lock permission "apt-get install -y hello" "--tool=apt-get --version" --user
failure psql-refused network "psql -h 127.0.0.1 -p 9 -U app -c 'select 1'" "--tool=psql --version" --offline
failure mysql-refused network "mysql -h 127.0.0.1 -P 9 -u app -e 'select 1'" "--tool=mysql --version" --offline
failure redis-cli-refused network "redis-cli -p 9 set job 1" "--tool=redis-cli --version" --offline
printf "FROM scratch\n" >Dockerfile
failure docker-no-engine network "docker build -t app ." "--tool=docker --version" --decoy "docker build"
failure docker-run-no-engine network "docker run --rm alpine:3 true" "--tool=docker --version"
failure kubectl-refused network "kubectl get pods" "--tool=kubectl version --client" --offline
failure gh-not-logged-in auth "gh pr list" "--tool=gh --version"
failure gem-offline network "gem install --no-document colorize" "--tool=gem --version" --offline
failure ansible-unreachable network "ansible all -i '127.0.0.1,' -m ping -e ansible_port=9 -u deploy" "--tool=ansible --version" --offline
printf '#!/bin/sh\nset -e\necho "== fetch"\ncurl -fsS http://127.0.0.1:18080/status/200 >/dev/null\necho "rate limit: 5000 remaining, 0 errors"\necho "== check"\ngrep -q ready state.txt\n' >release.sh; chmod +x release.sh
echo waiting >state.txt
failure release-not-ready unknown "./release.sh" --decoy "rate limit: 5000 remaining, 0 errors"
printf '#!/bin/sh\nset -e\necho "compiling ok: 0 errors, 0 warnings"\necho "tests: 12 passed, 0 failed"\ncurl -fsS http://127.0.0.1:18080/status/503 -o /dev/null\n' >deploy.sh; chmod +x deploy.sh
failure deploy-503 server_error "./deploy.sh" "$curl" --decoy "0 errors, 0 failed"
printf '#!/bin/sh\necho "test client::unauthorized ... ok"\necho "test result: ok. 1 passed; 0 failed"\ncurl -fsS http://127.0.0.1:18080/status/429\n' >publish.sh; chmod +x publish.sh
failure publish-429 rate_limit "./publish.sh" "$curl" --decoy "a passing test named unauthorized"
printf '#!/bin/sh\necho "note: permission denied errors are ignored below"\nls /root/.ssh/none 2>/dev/null\ncurl -fsS --connect-timeout 1 http://127.0.0.1:9/build/failed\n' >notify.sh; chmod +x notify.sh
failure notify-refused network "./notify.sh" "$curl" --decoy "a note on permission denied errors, and build/failed in the address"

sdk() { printf '%s\n' "$1" >sdk.py; }
for status in 401:openai-key:auth 429:openai-limit:rate_limit 429:openai-quota:rate_limit 500:openai-down:server_error; do
  IFS=: read -r code body class <<<"$status"
  sdk "from openai import OpenAI
client = OpenAI(api_key=\"sk-abc\", base_url=\"$base/body/$code/$body\", max_retries=0)
client.chat.completions.create(model=\"m\", messages=[])"
  failure "openai-$body" "$class" "python sdk.py" "--tool=pip show openai | sed -n '1,2p' | paste -sd ' '"
done
sdk "from openai import OpenAI
client = OpenAI(api_key=\"sk-abc\", base_url=\"http://127.0.0.1:9\", max_retries=0)
client.chat.completions.create(model=\"m\", messages=[])"
failure openai-refused network "python sdk.py" "--tool=pip show openai | sed -n '1,2p' | paste -sd ' '"
sdk "import requests
requests.get(\"$base/status/403/reports\").raise_for_status()"
failure requests-403 auth "python sdk.py" "--tool=python --version"
sdk "import requests
requests.get(\"$base/status/429/reports\").raise_for_status()"
failure requests-429 rate_limit "python sdk.py" "--tool=python --version"
sdk "import requests
requests.get(\"$base/hang\", timeout=1)"
failure requests-read-timeout network "python sdk.py" "--tool=python --version"
sdk "import requests
requests.get(\"http://db.invalid/\")"
failure requests-dns network "python sdk.py" "--tool=python --version" --offline
sdk "import requests
requests.get(\"https://localhost:18081/status/200\")"
failure requests-certificate auth "python sdk.py" "--tool=python --version"
sdk "import urllib.request
urllib.request.urlopen(\"$base/status/503\")"
failure urllib-503 server_error "python sdk.py" "--tool=python --version"
sdk "import socket
socket.create_connection((\"127.0.0.1\", 9))"
failure socket-refused network "python sdk.py" "--tool=python --version"
for body in aws-throttled:rate_limit aws-token:auth; do
  IFS=: read -r body class <<<"$body"
  sdk "import boto3
from botocore.config import Config
client = boto3.client(\"dynamodb\", region_name=\"x\", endpoint_url=\"$base/body/400/$body\", aws_access_key_id=\"a\",
    aws_secret_access_key=\"b\", config=Config(retries={\"max_attempts\": 0}))
client.list_tables()"
  failure "boto3-$body" "$class" "python sdk.py" "--tool=python --version"
done
printf 'fetch("http://127.0.0.1:18080/status/429/x").then((r) => { if (!r.ok) throw new Error(`HTTP ${r.status} ${r.statusText}`); });\n' >api.mjs
failure node-429 rate_limit "node api.mjs" "--tool=node --version"
sed -i 's/429/401/' api.mjs
failure node-401 auth "node api.mjs" "--tool=node --version"
printf '{"name":"@corp/billing","version":"1.0.0"}\n' >package.json
failure npm-publish-401 auth "npm publish --registry $base/status/401/ --//127.0.0.1:18080/status/401/:_authToken=abc" "--tool=npm --version"
failure npm-install-403 auth "npm install @corp/missing --registry $base/status/403/" "--tool=npm --version"
failure npm-install-429 rate_limit "npm install @corp/missing --registry $base/status/429/ --fetch-retries 0" "--tool=npm --version"
failure npm-install-503 server_error "npm install @corp/missing --registry $base/status/503/ --fetch-retries 0" "--tool=npm --version"
kill "$server"

# A registry of images, and a database with a password.
FIXED="body 429 registry-limit" "$here/collect/server.py" 18084 & server=$!
sleep 1
failure skopeo-429 rate_limit "skopeo inspect --tls-verify=false --retry-times 0 docker://127.0.0.1:18084/library/alpine:3" "--tool=skopeo --version"
kill "$server"
FIXED="body 403 registry-denied" "$here/collect/server.py" 18085 & server=$!
sleep 1
failure skopeo-denied auth "skopeo inspect --tls-verify=false docker://127.0.0.1:18085/team/app:1" "--tool=skopeo --version"
kill "$server"
rm -rf /tmp/failures-pg; mkdir /tmp/failures-pg; chown postgres /tmp/failures-pg
pg=/usr/lib/postgresql/15/bin; echo secret >/tmp/failures-pg.pw; chmod 644 /tmp/failures-pg.pw
as_postgres() { (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@"); }
as_postgres $pg/initdb -D /tmp/failures-pg/d -A md5 -U app --pwfile /tmp/failures-pg.pw >/dev/null
as_postgres $pg/pg_ctl -D /tmp/failures-pg/d -o "-p 18432 -k /tmp -c max_connections=5 -c superuser_reserved_connections=1" -w -l /tmp/failures-pg/log start >/dev/null
dsn="-h 127.0.0.1 -p 18432 -U app -d postgres"
failure psql-password auth "psql $dsn -c 'select 1'" "--tool=psql --version" --env PGPASSWORD=wrong
failure psql-no-password auth "psql -w $dsn -f migrate.sql" "--tool=psql --version"
failure psql-no-table unknown "psql $dsn -c 'select * from network_timeouts'" "--tool=psql --version" --env PGPASSWORD=secret --decoy "a table called network_timeouts"
failure psql-statement-timeout timeout "psql $dsn -c \"set statement_timeout = '500ms'\" -c 'select pg_sleep(20)'" "--tool=psql --version" --env PGPASSWORD=secret
PGPASSWORD=secret psql $dsn -qc "create role reader login password 'r'; create table orders (id int)"
failure psql-denied permission "psql -h 127.0.0.1 -p 18432 -U reader -d postgres -c 'drop table orders'" "--tool=psql --version" --env PGPASSWORD=r
failure psql-owner permission "psql -h 127.0.0.1 -p 18432 -U reader -d postgres -c 'create role x'" "--tool=psql --version" --env PGPASSWORD=r
failure psql-duplicate unknown "psql -v ON_ERROR_STOP=1 $dsn -c 'create table orders (id int)'" "--tool=psql --version" --env PGPASSWORD=secret
sdk "import psycopg2
psycopg2.connect(host=\"127.0.0.1\", port=18432, user=\"app\", password=\"old\", dbname=\"postgres\")"
failure psycopg-password auth "python sdk.py" "--tool=python --version"
as_postgres $pg/pg_ctl -D /tmp/failures-pg/d -m immediate stop >/dev/null
failure psql-stopped network "psql -h /tmp -p 18432 -U app postgres -c 'select 1'" "--tool=psql --version"
redis-server --port 18379 --requirepass hush --daemonize yes --pidfile /tmp/failures-redis.pid --dir /tmp --save '' >/dev/null
sleep 1
failure redis-auth auth "redis-cli -e -p 18379 set job 1" "--tool=redis-cli --version"
kill "$(cat /tmp/failures-redis.pid)"
