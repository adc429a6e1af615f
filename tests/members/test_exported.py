"""The index page of a member's data."""

from darkpeak.members.exported import Exported, make_index


def test_the_page_leads_to_every_file() -> None:
    page = make_index("Peak", "ada", "2026-11-27", [Exported("wiki", "The wiki", "2 pages", (("a b/ü.txt", 1234),))])
    assert '<a href="wiki/a%20b/%C3%BC.txt">a b/ü.txt</a> (1,234 bytes)' in page
    assert "<title>What Peak stores of ada</title>" in page


def test_names_of_files_and_services_cannot_add_to_the_page() -> None:
    evil = '"><script>x</script>'
    page = make_index(evil, evil, evil, [Exported(evil, evil, evil, ((evil, 1),))])
    assert "<script" not in page
    assert '"">' not in page
