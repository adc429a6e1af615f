"""The CA: an account, orders, challenges answered by the router or a hook, and when to renew a certificate."""

import base64
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import josepy.errors
import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.json_util import field
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from . import haproxy
from .files import HOME, Wanted, alone, put
from .times import DAY, HOUR

ACCOUNT_KEY = HOME / "account.key"
BINDING = HOME / "eab"  # KEY-ID HMAC, for a CA that links our account to a customer (external account binding)
HOOKS = Path("/usr/local/lib/hooks")
HOOK_SECONDS = 900
ORDER_SECONDS = 300
ASK_AGAIN = 6 * HOUR


class Refused(Exception):
    """Why there is no certificate, in one line."""

    def __init__(self, why: str, *, limited: bool = False) -> None:
        super().__init__(" ".join(why.split())[:500])
        self.limited = limited  # we reached a rate limit of the CA


class Replacing(messages.NewOrder):
    """An order that names the certificate that it replaces (RFC 9773); this version of `acme` has no such field."""

    replaces: str = field("replaces", omitempty=True)


class Network(client.ClientNetwork):
    """The library's connection to the CA, with the field `replaces` added to orders."""

    replaces: str | None = None

    def post(self, url: str, obj: Any, *rest: Any, **options: Any) -> requests.Response:
        """Send a signed request."""
        if isinstance(obj, messages.NewOrder):
            obj = Replacing(identifiers=obj.identifiers, replaces=self.replaces)
        return super().post(url, obj, *rest, **options)


@contextmanager
def told() -> Iterator[None]:
    """Make one line of every error between us and the CA."""
    try:
        yield
    except errors.ValidationError as error:
        problems = (one.error for auth in error.failed_authzrs for one in auth.body.challenges if one.error)
        raise Refused("; ".join(f"{problem.detail or problem}" for problem in problems)) from None
    except messages.Error as error:
        raise Refused(error.detail or str(error), limited=error.code == "rateLimited") from None
    except errors.IssuanceError as error:
        raise Refused(error.error.detail or str(error)) from None
    except errors.TimeoutError:
        raise Refused(f"the CA did not finish the order within {ORDER_SECONDS} seconds") from None
    except (requests.RequestException, ValueError) as error:
        raise Refused(f"no answer from the CA: {error}") from None
    except OSError as error:
        raise Refused(f"{error}") from None
    except (errors.Error, josepy.errors.Error, LookupError, TypeError, AttributeError) as error:
        raise Refused(f"the CA's answer is not valid ACME: {error!r}") from None


class Authority:
    """One CA; we connect to it at the first request."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._unreachable: Refused | None = None

    def order(self, names: list[str], old: x509.Certificate | None) -> str:
        """Return a certificate for these names, chain and key, in PEM.

        Raises:
            Refused: when the CA gives none.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(san, critical=False)
        request = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        with told():
            self._net.replaces = renewal_id(old) if old and "renewalInfo" in self._directory else None
            order = self._begin(request)
            with self._proven(order, names):
                done = self._client.poll_and_finalize(order, datetime.now() + timedelta(seconds=ORDER_SECONDS))  # noqa: DTZ005 # the library's clock has no zone
            chain = x509.load_pem_x509_certificates(str(done.fullchain_pem).encode())
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain) + pem_of(key).decode()

    def _begin(self, request: bytes) -> messages.OrderResource:
        """Order; if the CA refuses `replaces`, without it: the CA may not know the old certificate any more."""
        try:
            return self._client.new_order(request)
        except (messages.Error, errors.ConflictError):
            if not self._net.replaces:
                raise
            self._net.replaces = None
            return self._client.new_order(request)

    def window(self, certificate: x509.Certificate) -> tuple[list[float], float]:
        """Return the time in which the CA wants a renewal (empty if none), and in how many seconds to ask again.

        Raises:
            Refused: when the request fails.
        """
        with told():
            named = renewal_id(certificate)
            if not named or "renewalInfo" not in self._directory:
                return [], DAY
            said = self._net.get(f"{self._directory['renewalInfo'].rstrip('/')}/{named}")
            suggested = said.json()["suggestedWindow"]
            start, end = (datetime.fromisoformat(suggested[edge]).timestamp() for edge in ("start", "end"))
        return ([start, end] if start < end else []), min(max(_seconds(said), HOUR), DAY)

    @cached_property
    def _key(self) -> JWK:
        """The account's key, made when it is first needed."""
        if not ACCOUNT_KEY.exists():
            with alone():
                put(ACCOUNT_KEY, pem_of(ec.generate_private_key(ec.SECP256R1())), 0o600)
        return JWKEC.load(ACCOUNT_KEY.read_bytes())

    @cached_property
    def _net(self) -> Network:
        trust: Any = self._wanted.trust  # a file or True: `requests` accepts both
        return Network(self._key, alg=ES256, verify_ssl=trust, user_agent="darkpeak", timeout=30)

    @cached_property
    def _directory(self) -> dict[str, Any]:
        if self._unreachable:
            raise self._unreachable  # otherwise each name would wait for the time-out
        try:
            with told():
                found: dict[str, Any] = self._net.get(self._wanted.acme).json()
        except Refused as error:
            self._unreachable = error
            raise
        return found

    @cached_property
    def _client(self) -> client.ClientV2:
        """Connect with an account: the CA finds it by our key, or makes a new one."""
        directory = messages.Directory.from_json(dict(self._directory))
        made = client.ClientV2(directory, self._net)
        binding = None
        if BINDING.exists():
            kid, hmac = BINDING.read_text().split()
            binding = messages.ExternalAccountBinding.from_data(self._key.public_key(), kid, hmac, directory)
        asked = messages.NewRegistration.from_data(
            email=self._wanted.contact or None, terms_of_service_agreed=True, external_account_binding=binding
        )
        try:
            made.new_account(asked)
        except errors.ConflictError as known:
            account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
            self._net.account = account
            if asked.contact:
                self._net.account = made.update_registration(account, messages.Registration(contact=asked.contact))
        return made

    @contextmanager
    def _proven(self, order: messages.OrderResource, names: list[str]) -> Iterator[None]:
        """Prove that the names are ours, while the block runs."""
        ours = {name.removeprefix("*.") for name in names}
        kind = "dns-01" if any(name.startswith("*.") for name in names) else "http-01"
        shown: list[tuple[str, str]] = []
        try:
            for asked in (one.body for one in order.authorizations):
                if asked.identifier.value not in ours:
                    raise Refused(f"the CA asks about {asked.identifier.value!r}, which is not in our order")
                if asked.status != messages.STATUS_VALID:
                    self._prove(asked, kind, shown)
            yield
        finally:
            for name, value in shown:
                with suppress(Refused):  # an extra record does no harm
                    self._hook("cleanup", name, value)
            haproxy.silence()

    def _prove(self, asked: messages.Authorization, kind: str, shown: list[tuple[str, str]]) -> None:
        host = asked.identifier.value
        offered = next((one for one in asked.challenges if one.chall.typ == kind), None)
        if offered is None:
            raise Refused(f"the CA does not accept {kind} for {host}")
        response, validation = offered.response_and_validation(self._key)
        if isinstance(offered.chall, challenges.HTTP01):
            haproxy.answer(host, offered.chall.path, validation)
        else:
            shown.append((offered.chall.validation_domain_name(host), validation))
            self._hook("present", *shown[-1])
        self._client.answer_challenge(offered, response)

    def _hook(self, verb: str, name: str, value: str) -> None:
        """Run the collective's own program that changes its DNS."""
        program = HOOKS / Path(self._wanted.hook or "none").name
        try:
            ran = subprocess.run(
                [program, verb, name, value], capture_output=True, text=True, timeout=HOOK_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"the hook {program.name} did not run: {error}") from None
        if ran.returncode:
            raise Refused(f"the hook {program.name} failed: {ran.stderr.strip() or ran.stdout.strip()}")


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key in PEM."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def renewal_id(certificate: x509.Certificate) -> str | None:
    """Return a certificate's identifier for renewal information: its CA's key and its own serial number."""
    try:
        authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None
    number = certificate.serial_number
    serial = number.to_bytes(number.bit_length() // 8 + 1)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (authority or b"", serial))


def _seconds(said: requests.Response) -> float:
    """Return in how many seconds the CA wants to be asked again."""
    after = said.headers.get("Retry-After", "")
    try:
        return float(after) if after.isdecimal() else parsedate_to_datetime(after).timestamp() - time.time()
    except ValueError:
        return ASK_AGAIN
