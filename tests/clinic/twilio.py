"""A local HTTP server that answers as Twilio's REST API does, and can be told to fail."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ACCOUNT, TOKEN = "AC0123456789", "secret-token"


class Twilio:
    """A fake Twilio. `texts`: accepted forms. `answer`: "taken", "refused", "away", "busy", "hang up" or "hang"."""

    def __init__(self):
        self.texts, self.answer = [], "taken"
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # http.server requires this name
                outside.serve(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, request):
        form = request.rfile.read(int(request.headers["Content-Length"])).decode()
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {expected}":
            return self.reply(request, 401, {"code": 20003, "message": "Authenticate", "status": 401})
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return self.reply(request, 404, {"code": 20404, "message": "Not found", "status": 404})
        if self.answer == "refused":
            return self.reply(request, 400, {"code": 21211, "message": "Invalid 'To'", "status": 400})
        if self.answer in ("away", "busy"):
            status = 503 if self.answer == "away" else 429
            return self.reply(request, status, {"code": 20500, "message": "Later", "status": status})
        self.texts.append({name: values[0] for name, values in parse_qs(form).items()})
        if self.answer == "hang":
            time.sleep(2)
        if self.answer in ("hang", "hang up"):
            request.close_connection = True
            return None
        return self.reply(request, 201, {"sid": "SM1", "status": "queued"})

    def reply(self, request, status, body):
        content = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
