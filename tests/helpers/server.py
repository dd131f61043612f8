"""A web server on this machine that has files, and the faults that a network has."""

import re
import ssl
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves `pages`, path to bytes; ranges where asked.

    Parameters
    ----------
    pages : dict of str to bytes
        What there is.
    drops : dict of str to list of int
        Bytes after which each answer for a path breaks off, in turn; then they are whole.
    headers : dict of str to dict
        Further headers of a path's answers.
    moved : dict of str to str
        Addresses to which a path's visitors are sent on.
    delay : float
        Seconds before an answer.
    tls : path, optional
        Certificate and key of an https server, in one file.
    """

    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.pages, self.drops, self.headers, self.moved = {}, {}, {}, {}
        self.ranges, self.delay = True, 0
        self.asked, self.sent = Counter(), Counter()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Visitors may go before they have all."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.asked[path] += 1
        time.sleep(self.server.delay)
        if to := self.server.moved.get(path):
            self.answer(302, {"Location": to}, b"")
            return
        body = self.server.pages.get(path)
        if body is None:
            self.answer(404, self.server.headers.get(path, {}), b"")
            return
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        headers = dict(self.server.headers.get(path, {}))
        if not start or not self.server.ranges:
            self.answer(200, headers, body)
        elif int(start[1]) >= len(body):
            self.answer(416, headers, b"")
        else:
            first = int(start[1])
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            self.answer(206, headers, body[first:])

    def answer(self, status, headers, body):
        path = self.path.split("?")[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        drops = self.server.drops.get(path)
        n_bytes = drops.pop(0) if drops else len(body)
        self.wfile.write(body[:n_bytes])
        self.server.sent[path] += len(body[:n_bytes])
        if n_bytes < len(body):
            self.close_connection = True

    def log_message(self, *_):
        pass
