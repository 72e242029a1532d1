#!/usr/bin/env python3
"""A loopback server that fails in the ways of the world.

/status/N answers N; /body/N/NAME answers N with bodies/NAME; /hang never answers; /reset and /close end the
connection; port + 1 speaks TLS with a certificate of its own making. It ends with its parent.
"""

import http.server
import os
import socket
import ssl
import struct
import sys
import threading
import time

PORT = int(sys.argv[1])
BODIES = {
    "github-limit": b'{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.example/rate-limits"}\n',
    "github-bad": b'{"message":"Bad credentials","documentation_url":"https://docs.example/rest","status":"401"}\n',
    "openai-limit": b'{"error":{"message":"Rate limit reached for requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}\n',
    "openai-quota": b'{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}\n',
    "openai-key": b'{"error":{"message":"Incorrect API key provided: sk-abc. You can find your API key in your account.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}\n',
    "openai-down": b'{"error":{"message":"The server had an error while processing your request","type":"server_error","param":null,"code":null}}\n',
    "registry-limit": b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}\n',
    "registry-denied": b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}\n',
    "aws-throttled": b'{"__type":"ThrottlingException","message":"Rate exceeded"}',
    "aws-token": b'{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}',
    "jobs": b'{"job":"nightly","status":"failed","errors":0,"log":"connection refused was survived"}\n',
}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def give(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        parts = self.path.split("?")[0].strip("/").split("/")
        prefix = os.environ.get("FIXED", "").split()
        if prefix and parts[0] not in ("status", "body", "hang", "reset", "close"):
            parts = prefix
        if parts[0] == "hang":
            time.sleep(30)
            return
        if parts[0] == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        if parts[0] == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 404
        name = parts[2] if len(parts) > 2 else ""
        body = BODIES.get(name, b"")
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        if status in (429, 503):
            self.send_header("Retry-After", "1")
        if name.startswith("aws"):
            self.send_header("Content-Type", "application/x-amz-json-1.1")
        else:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = give


plain = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answer)
threading.Thread(target=plain.serve_forever, daemon=True).start()
if len(sys.argv) > 2:
    secret = http.server.ThreadingHTTPServer(("127.0.0.1", PORT + 1), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    secret.socket = context.wrap_socket(secret.socket, server_side=True)
    threading.Thread(target=secret.serve_forever, daemon=True).start()
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.5)
