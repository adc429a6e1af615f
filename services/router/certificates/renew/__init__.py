"""Gets certificates from a CA by ACME, puts them into use in the running haproxy, and renews them."""
