"""The mails that services send, through the service `mail`: its queue, and the DNS records that it needs."""
