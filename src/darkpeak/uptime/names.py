"""Which names a service has in the prober's log. services/router/prober/probe/routes.py makes the same ones. Pure."""

from darkpeak.collective.model import Service


def names_of(service: Service, domain: str) -> tuple[str, ...]:
    """Return the names of a service's routes in the log; of one without routes, that of its port."""
    routes = service.routes
    http = tuple(route.label for route in routes.http)
    tls = tuple(f"tls {route.host(domain)}" for route in routes.tls)
    ssh = ((f"ssh {service.name}",) if routes.ssh else ()) + (("plain ssh",) if routes.plain_ssh else ())
    tcp = tuple(f"{service.name}:{route.public}" for route in routes.tcp)
    return (*http, *tls, *ssh, *tcp) or (f"port {service.name}",)
