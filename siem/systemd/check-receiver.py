"""A receiver for the check: answers 204 and writes each alert's body on a line."""
import http.server


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/check/received", "ab") as f:
            f.write(body.strip() + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", 8088), Receiver).serve_forever()
