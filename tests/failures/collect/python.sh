# python, pytest, unittest, ruff, black, mypy, flake8, pylint, isort, pip, tox.
py="--tool=python --version"
project
printf 'def add(a, b):\n    return a - b\n' >calc.py
mkdir tests
printf 'from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n' >tests/test_calc.py
failure pytest-assert test "python -m pytest" "--tool=pytest --version"
failure pytest-quiet test "python -m pytest -q tests" "--tool=pytest --version"
cat >tests/test_net.py <<'P'
import pytest
import requests


def fetch():
    raise requests.exceptions.ConnectionError("connection refused by the stand-in")


def test_network_timeout():
    with pytest.raises(requests.exceptions.ConnectionError):
        fetch()


def test_rate_limit_429_is_retried():
    answers = ["429 Too Many Requests", "200 OK"]
    assert answers.pop() == "429 Too Many Requests"
P
rm tests/test_calc.py
failure pytest-rate-limit-test test "pytest -v" "--tool=pytest --version" --decoy "the failing test is about 429 and the passing one about a timeout"
cat >tests/test_net.py <<'P'
import logging
import time


def test_logs():
    logging.getLogger("client").error("HTTP 503 service unavailable, connection reset by peer")
    logging.getLogger("client").warning("No space left on device")
    assert {"retries": 3} == {"retries": 2}
P
failure pytest-captured-log test "pytest" "--tool=pytest --version" --decoy "a captured log tells of 503 and a full disk"
cat >tests/test_net.py <<'P'
import time


def test_slow():
    time.sleep(30)
P
failure pytest-timeout test "pytest --timeout=1" "--tool=pytest --version" --decoy "a test ran into its own time limit"
printf 'import nosuchpackage\n\n\ndef test_x():\n    pass\n' >tests/test_net.py
failure pytest-collect test "pytest" "--tool=pytest --version" --decoy "a module is missing while the tests are collected"
cat >tests/test_net.py <<'P'
import unittest


class Names(unittest.TestCase):
    def test_out_of_memory(self):
        self.assertEqual("MemoryError", "memory error")

    def test_errors(self):
        raise PermissionError(13, "Permission denied", "/etc/shadow")


if __name__ == "__main__":
    unittest.main()
P
failure unittest-names test "python -m unittest discover -s tests" "$py" --decoy "tests that speak of memory and permissions"
printf '[tox]\nskipsdist = true\n[testenv]\nskip_install = true\nallowlist_externals = python\ncommands = python -m unittest discover -s tests\n' >tox.ini
failure tox test "tox -q" "--tool=tox --version"
project
printf 'import os, sys\nimport json\ndef f( x ):\n    y = 1\n    return x==None\n' >app.py
failure ruff-check lint "ruff check ." "--tool=ruff --version"
failure ruff-format lint "ruff format --check ." "--tool=ruff --version"
failure black-check lint "black --check ." "--tool=black --version"
failure flake8 lint "flake8 app.py" "--tool=flake8 --version"
failure pylint lint "pylint app.py" "--tool=pylint --version"
failure isort-check lint "isort --check-only ." "--tool=isort --version"
printf 'def timeout(seconds: int) -> str:\n    return seconds\n\n\ntimeout("connection refused")\n' >network.py
failure mypy lint "mypy network.py" "--tool=mypy --version" --decoy "a file network.py with a function timeout"
printf 'def handle_429() -> None:\n    message = "rate limit: too many requests"\n    print("%%s" %% (message, 1))\n    permission_denied()\n' >rate_limit.py
failure ruff-rate-limit lint "ruff check rate_limit.py" "--tool=ruff --version" --decoy "the code shown is about rate limits"
printf 'def f(:\n    pass\n' >broken.py
failure python-syntax build "python broken.py" "$py"
failure python-compileall build "python -m compileall -q broken.py" "$py"
printf 'import yaml_that_is_not_there\n' >loads.py
failure python-no-module build "python loads.py" "$py"
failure python-m-missing missing_tool "python -m bandit -r ." "$py"
printf 'data = {"timeout": 5}\nprint("connecting")\nprint(data["time_out"])\n' >key.py
failure python-key-error unknown "python key.py" "$py" --decoy "the missing key is called time_out"
printf 'raise ValueError("expected 3 columns, got 4: 0 errors so far, rate limit: 5000 remaining")\n' >value.py
failure python-value-error unknown "python value.py" "$py" --decoy "rate limit: 5000 remaining"
failure python-no-file unknown "python nothing.py" "$py"
printf 'import sys\nprint("INFO connection timed out, trying mirror 2")\nprint("INFO mirror 2 answered 200")\nprint("checksum of 14 files compared: 14 equal")\nsys.exit("report is older than 7 days")\n' >report.py
failure python-survived unknown "python report.py" "$py" --decoy "a time-out that was survived"
printf 'big = []\nwhile True:\n    big.append(bytearray(50_000_000))\n' >eat.py
failure python-memory out_of_memory "python eat.py" "$py" --memory 300
printf 'import subprocess\nsubprocess.run(["sleep", "30"], timeout=1, check=True)\n' >slow.py
failure python-subprocess-timeout timeout "python slow.py" "$py"
printf 'import subprocess\nsubprocess.run(["pulumi", "preview"], check=True)\n' >plan.py
failure python-subprocess-missing missing_tool "python plan.py" "$py"
printf 'open("/etc/hosts.new", "w").write("127.0.0.1 db")\n' >hosts.py
failure python-permission permission "python3 hosts.py" "--tool=/usr/bin/python3 --version" --user
printf 'import os\nos.setuid(0)\n' >root.py
failure python-setuid permission "python3 root.py" "--tool=/usr/bin/python3 --version" --user
failure pip-no-version build "pip install 'requests==99.0'" "--tool=pip --version"
failure pip-conflict build "pip install --dry-run 'requests==2.31.0' 'urllib3==1.20'" "--tool=pip --version"
mkdir -p pkg && printf 'from setuptools import setup, Extension\nsetup(name="fastbits", version="1", ext_modules=[Extension("fastbits", ["fastbits.c"])])\n' >pkg/setup.py && printf '#include <Python.h>\nint broken( {\n' >pkg/fastbits.c
failure pip-extension build "pip install ./pkg" "--tool=pip --version"
failure pip-offline network "pip install --retries 1 tabulate" "--tool=pip --version" --offline
printf 'colorama==0.4.6 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n' >requirements.txt
failure pip-hash corrupt_state "pip install --no-cache-dir --require-hashes --force-reinstall -r requirements.txt" "--tool=pip --version"
failure pip-permission permission "python3 -m venv /opt/venv" "--tool=/usr/bin/python3 --version" --user
printf '{"name": "job", "steps": [1, 2' >state.json
failure python-json-cut unknown "python -c 'import json; json.load(open(\"state.json\"))'" "$py"
