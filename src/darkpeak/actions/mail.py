"""Look into the queue of the mail service, and at what it needs for others to take its mails."""

from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.mail.lookup import ask_all
from darkpeak.mail.queue import Described, Queued, parse_described, parse_queue
from darkpeak.mail.records import LOCALHOST, Answers, Check, judge
from darkpeak.plan.observed import find_container
from darkpeak.result import Result
from darkpeak.vocabulary import MAIL, POSTFIX

NO_ANSWERS = Answers({}, {}, {})


class MailService:
    """The running mail service of a collective."""

    def __init__(self, inside: Inside) -> None:
        """Use programs in its container."""
        self._inside = inside

    def queue(self) -> list[Queued]:
        """Return the mails that wait, the oldest first."""
        return parse_queue(self._run("postqueue", "-j").text)

    def show(self, wanted: str) -> str:
        """Return a mail that waits, as it is sent.

        Raises:
            UsageError: when none has this id.
        """
        if wanted not in {item.id for item in self.queue()}:
            raise UsageError(f"no mail in the queue has the id {wanted}", hint="list them: darkpeak mail list")
        return self._run("postcat", "-hbq", wanted).text

    def check(self, server: str = "") -> list[Check]:
        """Return whether others will take its mails, by what DNS says; `server` is a DNS server to ask."""
        mail = self.describe()
        known = mail.domain.rpartition(".")[2] != LOCALHOST
        return judge(mail, ask_all(mail, server) if known else NO_ANSWERS)

    def describe(self) -> Described:
        """Return what it says of itself."""
        return parse_described(self._run("describe").text)

    def _run(self, *argv: str) -> Result:
        ran = self._inside.run(argv)
        if ran.code:
            raise SystemFailure(
                f"the mail service did not do it: {ran.last_line()}", hint="see why: darkpeak logs mail"
            )
        return ran


def find_mail(target: Target) -> MailService:
    """Return the running mail service.

    Raises:
        UsageError: when the collective has none, or the engine belongs to another collective.
        SystemFailure: when it is not running.
    """
    if all(service.name != MAIL for service in target.collective.services):
        raise UsageError("this collective has no mail service", hint=f"add it: darkpeak add {MAIL}")
    require_ours(target.collective, target.engine)
    running = find_container(target.collective, target.engine.observe(), MAIL, POSTFIX)
    if running is None:
        what = f"the mail service is not running on the engine at {target.engine.name}"
        raise SystemFailure(what, hint=f"start it: darkpeak up {MAIL}")
    return MailService(Inside(target.engine, running.id))
