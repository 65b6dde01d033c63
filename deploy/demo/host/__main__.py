"""Serves the host page: `python -m deploy.demo.host --key-file FILE`, after `make up`.

It stands for any application beside Scrip: its server holds an API key and gives its own pages
embed tokens of the account that is looked at; its policy allows Scrip's origin the script and the
questions, nothing else. Standard library only.
"""

import argparse
import json
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/host.css": ("host.css", "text/css"),
    "/host.js": ("host.js", "text/javascript"),
}
PORT = 18095  # the one that `make up` lists in SCRIP_EMBED_ORIGINS
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self' {scrip}; connect-src 'self' {scrip};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
ANSWER_WITHIN_S = 10


class Host(ThreadingHTTPServer):
    """The application's server: knows where Scrip is, and the key of the account."""

    def __init__(self, port: int, scrip: str, key: str) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.scrip = scrip
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self._key = key

    def token(self) -> str:
        """A new embed token for pages of this origin."""
        asked = urllib.request.Request(  # noqa: S310 - http(s) of the installation's own
            f"{self.scrip}/v1/embed-tokens",
            data=json.dumps({"origin": self.origin}).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310
            return str(json.load(answer)["token"])


class Answer(BaseHTTPRequestHandler):
    """The page, its two files, and a token for whoever is signed in there (here: everybody)."""

    server: Host

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/scrip-token":
            self._token()
        elif self.path in FILES:
            name, kind = FILES[self.path]
            text = (FOLDER / name).read_text(encoding="utf-8")
            self._send(200, kind, text.replace("{scrip}", self.server.scrip))
        else:
            self._send(404, "text/plain", "There is nothing here.\n")

    def _token(self) -> None:
        try:
            self._send(200, "text/plain", self.server.token())
        except urllib.error.HTTPError as why:
            with why:
                self._send(502, "text/plain", f"Scrip gave no token: {why.read().decode()}\n")
        except OSError as why:
            self._send(502, "text/plain", f"Scrip gave no token: {why}\n")

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", POLICY.format(scrip=self.server.scrip)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="deploy.demo.host", description=__doc__)
    parser.add_argument("--scrip", default="http://127.0.0.1:18080", help="where the gateway is")
    parser.add_argument("--key-file", required=True, type=Path, help="an API key of one account")
    parser.add_argument("--port", default=PORT, type=int)
    asked = parser.parse_args()
    key = asked.key_file.read_text(encoding="utf-8").strip()
    with Host(asked.port, asked.scrip.rstrip("/"), key) as host:
        print(f"the host page: {host.origin} (Scrip: {host.scrip})", flush=True)
        host.serve_forever()


if __name__ == "__main__":
    main()
