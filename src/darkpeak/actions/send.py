"""Send the images of services to the VM, so that `up` need not build them there."""

from collections.abc import Callable, Sequence

from darkpeak.actions.up import with_dependencies
from darkpeak.collective import count
from darkpeak.collective.hosts import VAGRANT_HOST
from darkpeak.collective.model import Collective
from darkpeak.deploy.target import choose
from darkpeak.engine.engine import Engine
from darkpeak.engine.send import Sending, make_sending, send


def send_images(collective: Collective, names: Sequence[str], here: Engine, on_step: Callable[[str], None]) -> Sending:
    """Send the images that the VM lacks, of services and of what they depend on, from an engine here.

    Raises:
        SystemFailure: when one of the two engines fails.
    """
    wanted = with_dependencies(collective, choose(collective, names))
    services = [service for service in collective.services if service.name in wanted]
    there = Engine(VAGRANT_HOST.docker)
    sending = make_sending(services, here, there)
    if sending.sent:
        on_step(f"sending {count(len(sending.sent), 'image')} …")
        send(sending.sent, here, there)
    return sending
