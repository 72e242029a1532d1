//! The network, providers and servers, credentials and permissions.

use super::*;

#[test]
fn the_network() {
    all_hold(&[
        (
            "curl -fsS https://example.invalid",
            6,
            "",
            "curl: (6) Could not resolve host: example.invalid\n",
            Network,
        ),
        (
            "curl https://example.com",
            28,
            "",
            "curl: (28) Failed to connect to example.com port 443 after 75001 ms: Connection timed out\n",
            Network,
        ),
        ("curl -s https://example.com > page", 7, "", "", Network),
        (
            "git fetch",
            128,
            "",
            "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com\n",
            Network,
        ),
        (
            "git clone git@github.com:a/b",
            128,
            "",
            "ssh: connect to host github.com port 22: Connection timed out\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            Network,
        ),
        (
            "git clone https://h/r",
            128,
            "",
            "error: RPC failed; curl 56 GnuTLS recv error (-54)\nfetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n",
            Network,
        ),
        (
            "npm install",
            1,
            "",
            "npm ERR! code ENOTFOUND\nnpm ERR! errno ENOTFOUND\nnpm ERR! network request to https://registry.npmjs.org/left-pad failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org\nnpm ERR! network This is a problem related to network connectivity.\n\nnpm ERR! A complete log of this run can be found in:\nnpm ERR!     /root/.npm/_logs/debug-0.log\n",
            Network,
        ),
        (
            "pip install requests",
            1,
            "",
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': /simple/requests/\nERROR: Could not find a version that satisfies the requirement requests (from versions: none)\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /simple\n",
            Network,
        ),
        (
            "python fetch.py",
            1,
            "",
            "Traceback (most recent call last):\n  File \"fetch.py\", line 3, in <module>\nrequests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded\n",
            Network,
        ),
        (
            "ssh host true",
            255,
            "",
            "ssh: connect to host host port 22: Connection refused\n",
            Network,
        ),
        ("ssh -q host true", 255, "", "", Network),
        (
            "psql -h db -c 'select 1'",
            2,
            "",
            "psql: error: connection to server at \"db\" (10.0.0.5), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
            Network,
        ),
        (
            "apt-get update",
            100,
            "",
            "W: Failed to fetch http://deb.debian.org/debian/dists/stable/InRelease  Temporary failure resolving 'deb.debian.org'\nE: Some index files failed to download.\n",
            Network,
        ),
        (
            "cargo build",
            101,
            "",
            "    Updating crates.io index\nwarning: spurious network error (3 tries remaining): [28] Timeout was reached\nerror: failed to download from `https://static.crates.io/crates/libc/0.2.1/download`\n\nCaused by:\n  [6] Couldn't resolve host name (Could not resolve host: static.crates.io)\n",
            Network,
        ),
        (
            "go mod download",
            1,
            "",
            "go: example.com/x@v1.0.0: Get \"https://proxy.golang.org/example.com/x\": dial tcp: lookup proxy.golang.org: no such host\n",
            Network,
        ),
        (
            "docker pull alpine",
            1,
            "",
            "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout\n",
            Network,
        ),
        (
            "node index.js",
            1,
            "",
            "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)\n",
            Network,
        ),
        ("rsync -a a host:b", 12, "", "", Network),
    ]);
}

#[test]
fn providers_and_servers() {
    all_hold(&[
        (
            "curl -f https://api",
            22,
            "",
            "curl: (22) The requested URL returned error: 503\n",
            ServerError,
        ),
        (
            "curl -f https://api",
            22,
            "",
            "curl: (22) The requested URL returned error: 429\n",
            RateLimit,
        ),
        (
            "git push",
            128,
            "",
            "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: the remote end hung up unexpectedly\n",
            ServerError,
        ),
        ("gh api x", 1, "", "gh: API rate limit exceeded for user ID 1. (HTTP 403)\n", RateLimit),
        (
            "docker pull x",
            1,
            "",
            "Error response from daemon: toomanyrequests: You have reached your pull rate limit.\n",
            RateLimit,
        ),
        ("wget -q https://api", 8, "", "", Unknown),
        (
            "python call.py",
            1,
            "",
            "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached'}}\n",
            RateLimit,
        ),
        (
            "aws s3 ls",
            255,
            "",
            "An error occurred (ThrottlingException) when calling the ListBuckets operation: Rate exceeded\n",
            RateLimit,
        ),
        ("deploy", 1, "HTTP/1.1 500 Internal Server Error\n", "deploy: failed\n", ServerError),
        (
            "npm publish",
            1,
            "",
            "npm ERR! code E503\nnpm ERR! 503 Service Unavailable - PUT https://registry.npmjs.org/x\n",
            ServerError,
        ),
    ]);
}

#[test]
fn credentials_and_permissions() {
    all_hold(&[
        (
            "git push",
            128,
            "",
            "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            Auth,
        ),
        (
            "git push",
            128,
            "",
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
            Auth,
        ),
        (
            "git push",
            128,
            "",
            "remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/a/b/'\n",
            Auth,
        ),
        (
            "psql",
            2,
            "",
            "psql: error: connection to server at \"db\" (10.0.0.5), port 5432 failed: FATAL:  password authentication failed for user \"app\"\n",
            Auth,
        ),
        (
            "npm publish",
            1,
            "",
            "npm ERR! code E401\nnpm ERR! Unable to authenticate, your authentication token seems to be invalid.\n",
            Auth,
        ),
        ("curl -f https://api", 22, "", "curl: (22) The requested URL returned error: 401\n", Auth),
        ("docker push x", 1, "", "denied: requested access to the resource is denied\n", Auth),
        (
            "sudo true",
            1,
            "",
            "sudo: a terminal is required to read the password; either use the -S option\nsudo: a password is required\n",
            Auth,
        ),
        (
            "aws s3 ls",
            253,
            "",
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".\n",
            Auth,
        ),
        ("ssh host", 255, "", "Host key verification failed.\n", Auth),
        ("cat /root/x", 1, "", "cat: /root/x: Permission denied\n", Permission),
        ("./deploy.sh", 126, "", "sh: 1: ./deploy.sh: Permission denied\n", Permission),
        (
            "apt-get install x",
            100,
            "",
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock, are you root?\n",
            Permission,
        ),
        (
            "npm i -g x",
            243,
            "",
            "npm ERR! code EACCES\nnpm ERR! syscall mkdir\nnpm ERR! Error: EACCES: permission denied, mkdir '/usr/lib/node_modules'\n",
            Permission,
        ),
        ("touch /ro/x", 1, "", "touch: cannot touch '/ro/x': Read-only file system\n", Permission),
        (
            "git status",
            128,
            "",
            "fatal: detected dubious ownership in repository at '/app'\n",
            Permission,
        ),
        ("psql -c 'select * from t'", 1, "", "ERROR:  permission denied for table t\n", Permission),
    ]);
}
