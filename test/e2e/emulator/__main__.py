"""python -m emulator: serves AWS on a free port of this machine until it is told to
end, or its standard input ends with whoever started it."""

import os
import signal
import sys
import threading

# AdministratorAccess, which the CDK's bootstrap attaches, is a policy of AWS itself.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

from . import corrections, delivery, engine, observe  # noqa: E402


class Quiet(WSGIRequestHandler):
    """Tells of faults, not of every request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code).startswith("5"):
            super().log_request(code, size)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=end_with_input, daemon=True).start()
    engine.install()
    delivery.install()
    corrections.install()
    app = observe.beside(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    os.environ["MOTO_PORT"] = str(server.port)
    print(f"Running on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


main()
