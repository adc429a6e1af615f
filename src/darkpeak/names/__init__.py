"""The collective's names on this machine: what its resolver needs so that they lead to services/dns, and back."""
