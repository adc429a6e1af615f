"""Serves the page at a port that only programs in this container reach; lighttpd passes requests on."""

import waitress

from .app import app

waitress.serve(app, host="127.0.0.1", port=82, threads=4, max_request_body_size=65536, ident="", _quiet=True)
