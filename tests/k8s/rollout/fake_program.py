"""A program that does what a test wants of it; it takes the flags of a
scheduler. Its manner is $FAKE_MANNER.

  polite     answers at /metrics, exits with 0 at SIGTERM
  stubborn   the same, but does not hear SIGTERM
  sick       the same as polite, but answers 500
  sloppy     the same as polite, but exits with 3 at SIGTERM
  fleeting   exits with 4 after half a second
"""

import http.server
import os
import signal
import sys
import time

MANNER = os.environ["FAKE_MANNER"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500 if MANNER == "sick" else 200)
        self.end_headers()

    def log_message(self, *unused) -> None:
        pass


def main() -> None:
    if MANNER == "fleeting":
        time.sleep(0.5)
        sys.exit(4)
    code = 3 if MANNER == "sloppy" else 0
    signal.signal(signal.SIGTERM, signal.SIG_IGN if MANNER == "stubborn"
                  else lambda *unused: os._exit(code))
    listen = next(arg for arg in sys.argv if arg.startswith("--listen="))
    host, _, port = listen.partition("=")[2].partition(":")
    with http.server.ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
