"""A backend of WebSocket clients that knows plain HTTP alone, and nothing but
Python's standard library.

    python3 examples/http-backend/app.py
    stagedoor dev http://localhost:8000
    stagedoor connect ws://localhost:8080/ -x hello -x push
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

PORT = int(os.environ.get("PORT", "8000"))
GATEWAY = os.environ.get("GATEWAY", "http://127.0.0.1:8080")


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, so that none is made for each message
    disable_nagle_algorithm = True  # or each answer waits 40 ms

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        event = self.headers["X-Stagedoor-Event"]  # connect, message or disconnect
        client = self.headers["X-Connection-Id"]
        if event == "message" and text == "push":
            push(client, "pushed to you")
        self.answer(200, "you said " + text if event == "message" else "")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def push(client, text):
    """Sends a text to a client: from anywhere, at any time."""
    urlopen(Request(f"{GATEWAY}/@connections/{client}", data=text.encode(), method="POST")).close()


if __name__ == "__main__":
    print(f"waits on port {PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Backend).serve_forever()
