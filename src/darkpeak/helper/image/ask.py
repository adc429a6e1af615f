"""Ask a port of a container whose network this program shares: `python3 -m image.ask PORT [HOST]`.

With a host name it sends an HTTP request and prints the status of the answer; else it only connects. Exits 1 if nothing
answers, and if the answer is an error of the server.
"""

import http.client
import socket
import sys

ADDRESS = "127.0.0.1"
SECONDS = 10.0
SERVER_ERRORS = 500


def request(port: int, host: str) -> str:
    """Return the status and the reason of the answer to `GET /`.

    Raises:
        OSError, http.client.HTTPException: when there is no answer.
    """
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=SECONDS)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    if answer.status >= SERVER_ERRORS:
        raise OSError(f"it answered {answer.status} {answer.reason}")
    return f"{answer.status} {answer.reason}"


def main(port: int, host: str = "") -> int:
    """Ask, and return the exit code."""
    try:
        if host:
            sys.stdout.write(request(port, host) + "\n")
        else:
            socket.create_connection((ADDRESS, port), SECONDS).close()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{error or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
