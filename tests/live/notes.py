"""A service whose members log in by OpenID Connect with Apache's mod_auth_openidc, a client that nobody here wrote."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING, TOP

if TYPE_CHECKING:
    from lab.collectives import Collective

NAME = "notes"
COMPOSE = """\
name: darkpeak-notes
x-darkpeak:
  about: Notes of us all
  block: 6920
  routes: {http: 6920}
  admins: [ada, grace]
  kind: user
  level: alpha
  login: oidc
services:
  web:
    build: web
    restart: unless-stopped
    environment: {DOMAIN: "${DARKPEAK_DOMAIN:-localhost}", HTTPS_PORT: "${DARKPEAK_HTTPS_PORT:-7443}"}
    extra_hosts: ["account.${DARKPEAK_DOMAIN:-localhost}:host-gateway"]
    ports: ["127.0.0.1:6920:80"]
    volumes: ["login:/login:ro", "trust:/trust:ro"]
networks:
  default: {ipam: {config: [{subnet: 10.69.20.0/24}]}}
volumes:
  login:
  trust: {name: darkpeak-trust, external: true}
"""
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get dist-upgrade -y \
 && apt-get install -y --no-install-recommends apache2 libapache2-mod-auth-openidc && rm -rf /var/lib/apt/lists/*
COPY notes.conf /etc/apache2/
COPY --chmod=755 serve health keep-checking /usr/local/bin/
VOLUME ["/login"]
EXPOSE 80
HEALTHCHECK --interval=1s --timeout=10m --retries=3 --start-period=1m CMD ["keep-checking", "health"]
CMD ["serve"]
"""
SERVE = """\
#!/bin/sh
set -eu
[ -s /login/issuer ] || { echo "serve: the login page has told nothing yet" >&2; exit 1; }
CLIENT=$(cat /login/client_id) ISSUER=$(cat /login/issuer) SHARED=$(openssl rand -hex 16)
export CLIENT ISSUER SHARED
exec apache2 -D FOREGROUND -f /etc/apache2/notes.conf
"""
HEALTH = """\
#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/80
printf 'GET /healthy HTTP/1.0\\r\\n\\r\\n' >&3
grep -q '404 Not Found' <&3
"""
SETTINGS = """\
ServerRoot /usr/lib/apache2
ServerName notes
Listen 80
PidFile /run/notes.pid
DefaultRuntimeDir /run
ErrorLog "|/bin/cat"
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule headers_module modules/mod_headers.so
LoadModule alias_module modules/mod_alias.so
LoadModule auth_openidc_module modules/mod_auth_openidc.so

OIDCProviderMetadataURL ${ISSUER}.well-known/openid-configuration
OIDCCABundlePath /trust/ca.crt
OIDCClientID ${CLIENT}
OIDCClientSecret "exec:/bin/cat /login/client_secret"
OIDCCryptoPassphrase ${SHARED}
OIDCPKCEMethod S256
OIDCScope "openid profile email groups"
OIDCRedirectURI https://notes.${DOMAIN}:${HTTPS_PORT}/callback
OIDCXForwardedHeaders X-Forwarded-Proto
OIDCRemoteUserClaim sub
DocumentRoot /var/www/html
Redirect 404 /healthy
<Location />
    AuthType openid-connect
    Require valid-user
    Header always set X-Member "expr=%{REMOTE_USER}"
    Header always set X-Groups "expr=%{reqenv:OIDC_CLAIM_groups}"
</Location>
<Location /healthy>
    AuthType None
    Require all granted
</Location>
"""


def add(collective: Collective) -> None:
    """Add the service to a collective."""
    folder = collective.folder(NAME)
    (folder / "web").mkdir(parents=True)
    shutil.copytree(TOP / "shapes/static/scripts", folder / "scripts")
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / "README.md").write_text("# Notes\n\n## Use it\n\n## Run it\n")
    written = {"Dockerfile": DOCKERFILE, "serve": SERVE, "health": HEALTH, "notes.conf": SETTINGS}
    for name, text in {**written, "keep-checking": KEEP_CHECKING}.items():
        (folder / "web" / name).write_text(text)
