"""Who is called back when workflows end: writes down each call before it
answers, and does not always answer well."""
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener:
    """Behind a wire of its own; url(key) is where to call."""

    def __init__(self, world):
        self.told = world.told
        self.random = random.Random("listener")
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                listener.on_call(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *args: None     # a wire was cut
        self.link = world.wires.link("callbacks", self.http.server_address)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, key):
        return f"http://127.0.0.1:{self.link.port}/{key}"

    def on_call(self, call):
        body = call.rfile.read(int(call.headers["Content-Length"]))
        status = self.random.choice([200, 204, 204, 204, 500])
        said = json.loads(body)
        self.told.note("called", key=call.path[1:], flow=said["workflow"],
                       id=said["id"], state=said["state"],
                       generation=said["generation"], status=status)
        call.send_response(status)
        call.send_header("Content-Length", "0")
        call.end_headers()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
