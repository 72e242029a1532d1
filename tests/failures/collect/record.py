#!/usr/bin/env python3
"""Runs one command as a workflow step would, and writes down how it failed.

record.py NAME CLASS [options] COMMAND

The case is written to $CASES/NAME.json. A command that succeeds is no failure: nothing is written.
"""

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys

TAIL = 6000

# What says on which machine it was, and nothing about the failure.
SCRUBBED = [
    (r"/root/\.pyenv/versions/[\d.]+", "/usr/local"),
    (r"/root(?![\w.])", "/home/user"),
    (r"\broot@\w+", "user@host"),
    (r"\b(index\.|static\.)?crates\.io\b", "crates.example"),
    (r"\b(pypi\.org|files\.pythonhosted\.org)\b", "pypi.example"),
    (r"\bregistry\.(npmjs\.org|yarnpkg\.com)\b", "npm.example"),
    (r"\b(deb|security)\.debian\.org\b", "deb.example"),
    (r"\brepo\.maven\.apache\.org\b", "maven.example"),
    (r"\b(proxy|sum)\.golang\.org\b", "go.example"),
    (r"\b(index\.)?rubygems\.org\b", "gems.example"),
    (r"\b10\.255\.255\.53\b", "192.0.2.53"),
]


def scrubbed(text):
    for pattern, instead in SCRUBBED:
        text = re.sub(pattern, instead, text)
    return text


def tail(data):
    text = scrubbed(data.decode("utf-8", "replace").replace("\0", ""))
    if len(text) <= TAIL:
        return text
    cut = text[-TAIL:]
    return cut[cut.find("\n") + 1 :] if "\n" in cut else cut


def main():
    words = argparse.ArgumentParser()
    words.add_argument("name")
    words.add_argument("label")
    words.add_argument("command")
    words.add_argument("--decoy", help="what in it speaks for another class")
    words.add_argument("--tool", default="", help="a command that prints the version")
    words.add_argument("--user", action="store_true", help="run it as a user without rights")
    words.add_argument("--offline", action="store_true", help="with no network but loopback")
    words.add_argument("--memory", type=int, help="limit of address space, MiB")
    words.add_argument("--resident", type=int, help="limit of real memory, MiB, in a cgroup")
    words.add_argument("--cpu", type=int, help="limit of processor time, seconds")
    words.add_argument("--limit", type=float, help="the time limit of the step, seconds")
    words.add_argument("--env", action="append", default=[])
    given = words.parse_args()

    environment = {
        "PATH": os.environ["TOOLS_PATH"],
        "HOME": "/home/user",
        "LANG": "C.UTF-8",
        "CARGO_HOME": "/root/.cargo",
        "RUSTUP_HOME": "/root/.rustup",
        "CARGO_TERM_COLOR": "never",
        "RUST_BACKTRACE": "0",
        "CI": "true",
    }
    environment.update(pair.split("=", 1) for pair in given.env)

    def before():
        os.setsid()
        if given.memory:
            resource.setrlimit(resource.RLIMIT_AS, (given.memory << 20, given.memory << 20))
        if given.cpu:
            resource.setrlimit(resource.RLIMIT_CPU, (given.cpu, given.cpu + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if given.resident:
            group = "/sys/fs/cgroup/memory/failures"
            os.makedirs(group, exist_ok=True)
            with open(f"{group}/memory.limit_in_bytes", "w") as file:
                file.write(str(given.resident << 20))
            with open(f"{group}/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))

    run = ["sh", "-c", given.command]
    if given.user:
        rights = ["setpriv", "--reuid", "user", "--regid", "user", "--clear-groups"]
        run = [*rights, "env", "PATH=/usr/local/bin:/usr/bin:/bin", *run]
    if given.offline:
        run = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *run]
    child = subprocess.Popen(
        run,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=before,
    )
    kind = "exit"
    try:
        out, err = child.communicate(timeout=given.limit or 240)
    except subprocess.TimeoutExpired:
        if not given.limit:
            sys.exit(f"{given.name}: it hangs")
        kind = "timeout"
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
    code = child.returncode
    if kind == "timeout":
        code = None
    elif code < 0:
        kind, code = "signal", 128 - code
    if code == 0:
        print(f"{given.name}: succeeds, so it is no case")
        return
    version = ""
    if given.tool:
        shown = subprocess.run(
            given.tool, shell=True, env=environment, capture_output=True, text=True, check=False
        )
        lines = [line for line in (shown.stdout + shown.stderr).splitlines() if line.strip()]
        version = scrubbed(re.sub(r"\x1b\[[\d;]*m", "", lines[0])) if lines else ""
    case = {"class": given.label}
    if given.decoy:
        case["decoy"] = given.decoy
    case |= {
        "command": scrubbed(given.command),
        "tool": version,
        "kind": kind,
        "exit_code": code,
        "stdout": tail(out),
        "stderr": tail(err),
    }
    with open(f"{os.environ['CASES']}/{given.name}.json", "w") as file:
        json.dump(case, file, indent=2, ensure_ascii=False)
        file.write("\n")
    if os.environ.get("SHOW"):
        print(f"== {given.name} {given.label} {kind} {code}\n{case['stdout'][-1500:]}\n--\n{case['stderr'][-1500:]}")


main()
