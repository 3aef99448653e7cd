"""tools/check_docs.py finds a name of every kind that leads nowhere, and none
in a page whose names all lead somewhere."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().with_name("check_docs.py")
GOOD = """\
# Page

[above](#a-heading-with-code), [it](../README.md), [a folder](../src),
[elsewhere](https://example.com/none), `src/main`, `other/place.cc`, `//src:tool`,
`//src/...`, `--good_flag`, `--nogood_flag`, `hybridserve_good_total`,
`hybridserve_good_total_bucket`, `HYBRIDSERVE_GOOD_FLAG`

## A heading, with `code`

```
[no link](nowhere.md)
```

| `hybridserve_good_total` | counter |
"""
OFFENDERS = {
    "links": ["[x](none.md)", "[x](#no-heading)", "[x](../README.md#none)"],
    "paths": ["`src/none.cc`"],
    "labels": ["`//src:none`", "`//src/none`"],
    "flags": ["`--bad_flag`"],
    "metrics": ["`hybridserve_bad_total`"],
    "variables": ["`HYBRIDSERVE_BAD_FLAG`"],
}


class CheckDocsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "--quiet", str(self.root)], check=True)
        for name, text in {
                "README.md": "# Read me\n",
                "docs/page.md": GOOD,
                "src/BUILD.bazel": 'cc_binary(name = "tool")\n',
                "src/main.cc": 'ABSL_FLAG(std::string, good_flag, "", "");\n',
        }.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)

    def check(self) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, str(CHECK), str(self.root)],
                              text=True, capture_output=True)

    def test_a_good_page_passes(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_each_offender_is_found_by_its_check(self):
        page = self.root / "docs" / "page.md"
        for check, offenders in OFFENDERS.items():
            for offender in offenders:
                with self.subTest(offender):
                    page.write_text(GOOD + offender + "\n")
                    done = self.check()
                    self.assertEqual(done.returncode, 1)
                    lines = done.stdout.splitlines()
                    self.assertEqual(len(lines), 1, lines)
                    self.assertTrue(
                        lines[0].startswith(f"docs/page.md: {check}: "))


if __name__ == "__main__":
    unittest.main(verbosity=2)
