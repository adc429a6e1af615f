"""Gets certificates from a CA by ACME, puts them in place in the running haproxy, and renews them."""
