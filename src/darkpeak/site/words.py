"""The languages of the pages: English, and those with a message file in `locale`."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("en", "de")
NAMES = {"en": "English", "de": "Deutsch"}


@cache
def translations(language: str) -> NullTranslations:
    """Return the words of a language; of English, those in the templates."""
    if language == LANGUAGES[0]:
        return NullTranslations()
    compiled = BytesIO()
    with files(__package__).joinpath("locale", f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
