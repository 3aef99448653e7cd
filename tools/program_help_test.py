"""How --help is read."""

import unittest

from tools.program_help import Flag, parse_help

TEXT = """\
library: lends books.

  library lend --title=TEXT
      Lend one.

Commands (each takes --shelf=N):
  lend        one book; can be
              killed     (--shelf only)
  count       all books

Flags, its own:
  --[no]dusty
      Whether (not (default: here)) it
      is. (default: on)
  --[no]loud
      Loud.
  --title=VALUE
      Which book. Default: any.

Flags, all programs':
  --shelf=VALUE
      The shelf: a
      number. (default: 3)

  --help      Print this and exit.
  --version   Print version and build and exit.
"""


class ProgramHelpTest(unittest.TestCase):
    def test_flags_by_group(self):
        shown = parse_help(TEXT)
        self.assertEqual(shown.groups, {
            "its own": [
                Flag("dusty", "Whether (not (default: here)) it is.", "on",
                     True),
                Flag("loud", "Loud.", "off", True),
                Flag("title", "Which book. Default: any.", "", False)],
            "all programs'": [
                Flag("shelf", "The shelf: a number.", "3", False)]})
        self.assertEqual(shown.flags()[3].variable, "HYBRIDSERVE_SHELF")

    def test_commands(self):
        self.assertEqual(parse_help(TEXT).commands(), {
            "lend": "one book; can be killed (--shelf only)",
            "count": "all books"})
        self.assertEqual(parse_help("worker: works.\n").commands(), {})


if __name__ == "__main__":
    unittest.main()
