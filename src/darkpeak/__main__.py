"""`python -m darkpeak` is the command."""

from darkpeak.cli import main

if __name__ == "__main__":
    main()
