"""Commands about the virtual machine: vm box, up, status, ssh, tunnel, send, halt, destroy."""

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICES, YES, Settings, command
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.progress import Progress
    from darkpeak.vm.machine import Vm

MEMORY, CPUS = 1536, 2
READY = """\
the VM is the host vagrant for all other commands, for instance: darkpeak up wiki --host vagrant
export DOCKER_HOST={docker_host}"""


@click.group("vm")
def vm() -> None:
    """Run a whole collective in a VM on this machine.

    \b
    Example: darkpeak vm up
    """


def _vm(settings: Settings, progress: "Progress | None" = None, *, console: bool = False) -> "Vm":
    """Return the VM of this login, with an image for the collective of this folder."""
    from darkpeak import output
    from darkpeak.collective.settings import RouterPorts
    from darkpeak.system.base import make_wanted
    from darkpeak.vm.host import state_folder
    from darkpeak.vm.machine import Vm
    from darkpeak.vm.state import State

    on_step = partial(progress.step, "vm") if progress else output.note
    quiet = partial(progress.line, "vm") if progress else _ignore
    on_line = output.note if console else quiet
    collective = settings.collective_here()
    router = collective.router if collective else RouterPorts()
    return Vm(State(state_folder()), make_wanted(collective, swap=0), router, on_step, on_line)


def _ignore(_line: str) -> None:
    """Do nothing with a line."""


def _done(settings: Settings, done: bool, yes: str, no: str) -> None:  # noqa: FBT001 (whether it was done, and the text for each case)
    from darkpeak import output

    if settings.as_json:
        output.show_json({"done": done})
    else:
        output.show_lines([yes if done else no])


@command("box")
@click.option("--rebuild", is_flag=True, help="Build it again, with the newest packages.")
@click.option("--vagrant", "for_vagrant", is_flag=True, help="Pack it for Vagrant with libvirt too (vm/Vagrantfile).")
def box_command(settings: Settings, *, rebuild: bool, for_vagrant: bool) -> None:
    """Build the disk image that VMs start from.

    It is built from Debian's signed archive, with the same base system as `darkpeak host prepare` makes.

    \b
    Example: darkpeak vm box --rebuild
    """
    with settings.progress() as progress:
        machine = _vm(settings, progress)
        made = machine.make_box(rebuild=rebuild)
        if for_vagrant:
            made = machine.pack_box() or made
    _done(settings, made, f"the box is in {machine.state.box}", f"nothing to do: the box is in {machine.state.box}")


@command("up")
@click.option(
    "--memory", type=click.IntRange(256), default=MEMORY, show_default=True, help="Memory in MiB, for a new VM."
)
@click.option("--cpus", type=click.IntRange(1, 64), default=CPUS, show_default=True, help="Processors, for a new VM.")
@click.option("--console", is_flag=True, help="Show what the VM prints while it starts.")
def up_command(settings: Settings, *, memory: int, cpus: int, console: bool) -> None:
    """Start the VM, and the tunnel to its daemon.

    A VM that does not exist is made; one that is halted continues. It is then the host `vagrant` for all other
    commands, and DOCKER_HOST=tcp://localhost:4243 leads to it. Everyone who can log in to this machine can use that
    port while the VM runs. The ports of its router are open on this machine's loopback.

    \b
    Example: darkpeak vm up
    """
    from darkpeak import output
    from darkpeak.vm.machine import DOCKER_HOST

    with settings.progress() as progress:
        times = _vm(settings, progress, console=console).up(memory, cpus)
    if settings.as_json:
        output.show_json({"host": "vagrant", "docker_host": DOCKER_HOST, "seconds": times})
        return
    parts = {"box": times.box, "login": times.login, "daemon": times.daemon}
    output.note(", ".join(f"{part} {seconds:.0f} s" for part, seconds in parts.items()))
    output.show_lines(READY.format(docker_host=DOCKER_HOST).splitlines())


@command("status")
def status_command(settings: Settings) -> None:
    """Show how the VM is.

    It shows whether the VM runs, whether its box is current, whether the tunnel is open, and how to log in by ssh.

    \b
    Example: darkpeak vm status
    """
    from dataclasses import asdict

    from darkpeak import output

    found = _vm(settings).status()
    if settings.as_json:
        output.show_json(found)
    else:
        values = asdict(found) | {"ports": ", ".join(map(str, found.ports))}
        output.show_table(("property", "value"), [[key, str(value)] for key, value in values.items() if value])


@command("ssh", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[COMMAND…]", nargs=-1, type=click.UNPROCESSED)
def ssh_command(settings: Settings, *, words: tuple[str, ...]) -> None:
    """Log in to the VM as root, or run a command in it.

    The exit code is that of the command. Exits 1 if the VM does not run.

    \b
    Example: darkpeak vm ssh docker ps
    """
    sys.exit(_vm(settings).ssh(words))


@command("tunnel")
def tunnel_command(settings: Settings) -> None:
    """Open the tunnel to the VM's daemon again.

    It stays open in the background while the VM runs.

    Exits 1 if the VM does not run.

    \b
    Example: darkpeak vm tunnel
    """
    from darkpeak import output
    from darkpeak.vm.machine import DOCKER_HOST

    _vm(settings).tunnel()
    if settings.as_json:
        output.show_json({"docker_host": DOCKER_HOST})
    else:
        output.show_lines([f"export DOCKER_HOST={DOCKER_HOST}"])


@command("send")
@SERVICES
def send_command(settings: Settings, *, names: tuple[str, ...]) -> None:
    """Send images from this machine's engine to the VM.

    It sends the images of services and of what they depend on, so that `darkpeak up` need not build them in the VM.
    Images that are already in the VM are not sent again. Images that were not built here are built there later.

    Exits 1 if the VM does not run.

    \b
    Example: darkpeak vm send wiki
    """
    from darkpeak import output
    from darkpeak.actions.send import send_images
    from darkpeak.collective import count
    from darkpeak.vocabulary import VAGRANT

    _vm(settings).check_running()
    collective = settings.deployable(names).on(VAGRANT)
    sending = send_images(collective, names, settings.engine(), output.note)
    if settings.as_json:
        output.show_json(sending)
        return
    output.show_lines(f"sent {name}" for name in sending.sent)
    output.show_lines(f"not sent, because it was not built here: {name}" for name in sending.not_here)
    output.show_lines([] if sending.sent else [f"nothing to send: {count(len(sending.there), 'image')} already there"])


@command("halt")
def halt_command(settings: Settings) -> None:
    """Shut the VM down; its disk stays.

    \b
    Example: darkpeak vm halt
    """
    _done(settings, _vm(settings).halt(), "halted", "nothing to do: the VM does not run")


@command("destroy")
@YES
@click.option("--box", is_flag=True, help="Remove the box too.")
def destroy_command(settings: Settings, *, yes: bool, box: bool) -> None:
    """Remove the VM and all data in it.

    \b
    Example: darkpeak vm destroy --yes
    """
    from darkpeak import output

    if not yes and not output.ask("Remove the VM and all data in it?"):
        raise UsageError("nothing was removed", hint="answer y, or give --yes")
    _done(settings, _vm(settings).destroy(box=box), "removed", "nothing to do: there is no VM")


for item in (
    *(box_command, up_command, status_command, ssh_command),
    *(tunnel_command, send_command, halt_command, destroy_command),
):
    vm.add_command(item)

COMMANDS = (vm,)
