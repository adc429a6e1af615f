"""Rules about `login`: how the login page logs members in."""

from collections.abc import Iterator

from darkpeak.collective.model import MEMBERS, Collective, Finding, Service
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import ACCOUNT, DIRECTORY, HOME, LOGIN_VOLUME, ROUTER

PAGE = "docs/members.md"


def has_login_page(collective: Collective) -> Iterator[Finding]:
    """A service that logs members in by the login page is in a collective that has one, and is not that itself."""
    names = {service.name for service in collective.services}
    for service in collective.services:
        if service.login and ACCOUNT not in names:
            hint = f"add it: darkpeak add {ACCOUNT}"
            yield Finding(service.key("login"), "no-login-page", "this collective has no login page", hint)
        elif service.login and service.name in {ACCOUNT, DIRECTORY, LOGIN_VOLUME, ROUTER}:
            what = f"the login page needs {service.name}, which cannot need the login page"
            yield Finding(service.key("login"), "no-login-page", what, "remove login:")


def can_use_it(service: Service) -> Iterator[Finding]:
    """It has an http route, to which members come back, and a volume that has its secret."""
    if service.login and not service.routes.http:
        hint = "write routes: with http: and a port"
        yield Finding(service.key("login"), "login-route", "members cannot come back: there is no http route", hint)
    if (
        service.login
        and not service.login.gate
        and not (LOGIN_VOLUME in dict(service.own_volumes) and service.login_mounts)
    ):
        what = f"no container has the volume {LOGIN_VOLUME}, into which the secret is written"
        hint = (
            f"write volumes: [{LOGIN_VOLUME}:/{LOGIN_VOLUME}:ro] in the container, and {LOGIN_VOLUME}: {{}} in volumes"
        )
        yield Finding(service.key("login"), "login-volume", what, hint)


def can_be_found(collective: Collective) -> Iterator[Finding]:
    """A service that only members may see is on a page: home knows who is a member."""
    if any(one.name == HOME and one.login and one.login.optional for one in collective.services):
        return
    for service in collective.services:
        if service.shown == MEMBERS:
            hint = f"write login: optional into services/{HOME}, or remove shown:"
            yield Finding(service.key("shown"), "shown-to-nobody", "no page shows this service", hint)


RULES = (
    Rule(
        "no-login-page",
        ERROR,
        "Members log in at the login page, the service account: without it, nobody could.",
        f"add it: darkpeak add {ACCOUNT}",
        page=PAGE,
        collective=(has_login_page,),
    ),
    Rule(
        "shown-to-nobody",
        WARNING,
        "The service home shows what is only for members to members who have logged in there: without that, to nobody.",
        f"write login: optional into services/{HOME}",
        page=PAGE,
        collective=(can_be_found,),
    ),
    Rule(
        "login-route",
        ERROR,
        "The login page leads members back to a host name of the service.",
        "give the service an http route",
        page=PAGE,
        service=(can_use_it,),
    ),
    Rule(
        "login-volume",
        ERROR,
        "The service finds the secret that the login page gave it in a volume of its own, and nowhere else.",
        "mount the volume login in the container that logs members in",
        page=PAGE,
        service=(can_use_it,),
    ),
)
