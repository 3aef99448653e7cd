"""The Debian package: built, looked at, and its programs run.

Usage: deb_test.py PROGRAMS_ROOT

Nothing is installed on this machine: the package is unpacked into a folder.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from tests.e2e.processes import Process, Programs, run_client

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS_ROOT = ""
UNITS = ("hybridserve-openai", "hybridserve-scheduler", "hybridserve-worker")
# With what only root has in it elsewhere.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Of systemd-analyze: 0 is locked up, 10 open.
MAX_EXPOSURE = {"hybridserve-openai": 2.0, "hybridserve-scheduler": 2.0,
                "hybridserve-worker": 2.5}
FILES = """
./etc/hybridserve/openai.conf
./etc/hybridserve/scheduler.conf
./etc/hybridserve/worker.conf
./lib/systemd/system/hybridserve-openai.service
./lib/systemd/system/hybridserve-scheduler.service
./lib/systemd/system/hybridserve-worker.service
./usr/bin/hybridserve
./usr/bin/hybridserve-openai
./usr/bin/hybridserve-scheduler
./usr/bin/hybridserve-worker
./usr/share/bash-completion/completions/hybridserve
./usr/share/doc/hybridserve/README.md.gz
./usr/share/doc/hybridserve/copyright
./usr/share/fish/vendor_completions.d/hybridserve.fish
./usr/share/hybridserve/models/demo/model.safetensors
./usr/share/man/man1/hybridserve-openai.1.gz
./usr/share/man/man1/hybridserve-scheduler.1.gz
./usr/share/man/man1/hybridserve-worker.1.gz
./usr/share/man/man1/hybridserve.1.gz
./usr/share/zsh/vendor-completions/_hybridserve
""".split()


def output_of(*command: str, **kwargs) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          **kwargs).stdout


def seconds(text: str) -> float:
    """Of "90s" or "2m"."""
    number, unit = re.fullmatch(r"([0-9.]+)(s|m)", text).groups()
    return float(number) * (60 if unit == "m" else 1)


class DebTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        built = subprocess.run(
            [str(REPOSITORY / "tools" / "build_deb.sh"),
             f"--programs={PROGRAMS_ROOT}", str(cls.scratch / "out")],
            capture_output=True, text=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        if built.returncode != 0:
            raise RuntimeError(built.stderr)
        cls.deb = pathlib.Path(built.stdout.split()[-1])
        cls.root = cls.scratch / "root"
        subprocess.run(["dpkg-deb", "-x", str(cls.deb), str(cls.root)],
                       check=True)
        cls.version = (REPOSITORY / "VERSION").read_text().strip()

    def unit(self, name: str) -> dict[str, list[str]]:
        text = (self.root / "lib/systemd/system" /
                f"{name}.service").read_text()
        settings: dict[str, list[str]] = {}
        for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
            settings.setdefault(key, []).append(value)
        return settings

    def test_says_what_it_is_and_needs(self):
        self.assertEqual(self.deb.name, f"hybridserve_{self.version}_amd64.deb")
        field = {name: output_of("dpkg-deb", "-f", str(self.deb), name).strip()
                 for name in ("Package", "Version", "Architecture", "Depends",
                              "Description")}
        self.assertEqual((field["Package"], field["Version"],
                          field["Architecture"]),
                         ("hybridserve", self.version, "amd64"))
        needed = {entry.split()[0] for entry in field["Depends"].split(",")}
        self.assertLessEqual({"adduser", "libc6", "libgrpc++1.51", "libdnnl2",
                              "libprotobuf32", "libgoogle-glog0v6"}, needed)
        self.assertIn("larger than", field["Description"])

    def test_every_library_comes_from_a_package_that_it_depends_on(self):
        field = output_of("dpkg-deb", "-f", str(self.deb), "Depends")
        needed = {entry.split()[0] for entry in field.split(",")}
        libraries = {
            library for program in ("hybridserve", *UNITS)
            for library in re.findall(
                r"\(NEEDED\).*\[(.*)\]",
                output_of("readelf", "-d",
                          str(self.root / "usr/bin" / program)))}
        self.assertGreater(len(libraries), 10)
        owners: dict[str, set[str]] = {}
        for line in output_of("dpkg", "-S", *(f"*/{library}" for library in
                                              libraries)).splitlines():
            package, path = line.split(": ")
            owners.setdefault(pathlib.Path(path).name, set()).add(
                package.split(":")[0])
        for library in libraries:
            self.assertTrue(owners[library] & needed, library)

    def test_holds_programs_units_pages_and_completion(self):
        lines = output_of("dpkg-deb", "-c", str(self.deb)).splitlines()
        self.assertTrue(all(" root/root " in line for line in lines))
        names = [line.split()[5] for line in lines]
        self.assertEqual([name for name in FILES if name not in names], [])
        conffiles = output_of("dpkg-deb", "--ctrl-tarfile", str(self.deb),
                              errors="replace")
        self.assertIn("/etc/hybridserve/worker.conf", conffiles)

    def test_lintian_finds_no_error(self):
        if not shutil.which("lintian"):
            print("SKIPPED: no lintian here")
            self.skipTest("no lintian")
        result = subprocess.run(
            ["lintian", "--allow-root", "--fail-on=error", str(self.deb)],
            capture_output=True, text=True,
            env={**os.environ, "HOME": str(self.scratch)})
        print(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_installs_into_a_root_of_its_own(self):
        if os.geteuid() != 0:
            print("SKIPPED: dpkg installs as root only")
            self.skipTest("not root")
        root = self.scratch / "installed"
        for folder in ("info", "updates", "triggers"):
            (root / "var/lib/dpkg" / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        subprocess.run(["dpkg", f"--root={root}", "--force-not-root",
                        "--force-script-chrootless", "--unpack",
                        str(self.deb)], check=True, capture_output=True,
                       env={**os.environ, "PATH": PATH})
        listed = output_of("dpkg", f"--root={root}", "-L", "hybridserve")
        self.assertIn("/usr/bin/hybridserve-worker\n", listed)
        self.assertTrue((root / "usr/bin/hybridserve").exists())

    def test_the_programs_generate_with_the_demo_model(self):
        programs = Programs(PROGRAMS_ROOT)
        programs.client = str(self.root / "usr/bin/hybridserve")
        model = self.root / "usr/share/hybridserve/models/demo"
        flags = ["--prompt=In the beginning", "--max_tokens=8",
                 "--output=json"]
        alone = json.loads(run_client(programs, "generate", *flags,
                                      f"--model_dir={model}").stdout)
        self.assertEqual(alone["usage"]["completion_tokens"], 8)
        conf = self.root / "etc/hybridserve"
        with Process([str(self.root / "usr/bin/hybridserve-scheduler"),
                      f"--config={conf / 'scheduler.conf'}",
                      "--listen=127.0.0.1:0"]) as scheduler:
            address = scheduler.wait_for_line(r"listening (.+:\d+)").group(1)
            with Process([str(self.root / "usr/bin/hybridserve-worker"),
                          f"--config={conf / 'worker.conf'}",
                          f"--scheduler={address}", f"--model_dir={model}",
                          f"--profile={self.scratch / 'profile'}"]) as worker:
                scheduler.wait_for_line("ready")
                served = json.loads(run_client(
                    programs, "generate", *flags,
                    f"--server={address}").stdout)
                self.assertEqual(served["token_ids"], alone["token_ids"])
                self.assertEqual(self.complete_by_http(address),
                                 alone["text"])
                self.assertEqual(worker.stop(), 0)
            self.assertEqual(scheduler.stop(), 0)

    def complete_by_http(self, scheduler: str) -> str:
        """The same from the gateway, by its file but for addresses."""
        conf = self.root / "etc/hybridserve/openai.conf"
        with Process([str(self.root / "usr/bin/hybridserve-openai"),
                      f"--config={conf}", "--listen=127.0.0.1:0",
                      f"--server={scheduler}"]) as gateway:
            address = gateway.wait_for_line(r"listening (.+:\d+)").group(1)
            gateway.wait_for_line("ready")
            body = {"model": "demo", "prompt": "In the beginning",
                    "max_tokens": 8, "temperature": 0}
            with urllib.request.urlopen(
                    f"http://{address}/v1/completions",
                    json.dumps(body).encode(), timeout=120) as answer:
                text = json.load(answer)["choices"][0]["text"]
            self.assertEqual(gateway.stop(), 0)
            return text

    def test_config_files_name_flags_that_there_are(self):
        for name in UNITS:
            program = self.root / "usr/bin" / name
            text = (self.root / "etc/hybridserve" /
                    f"{name.split('-')[1]}.conf").read_text()
            shown = output_of(str(program), "--help")
            for flag in re.findall(r"^#?(\w+) = ", text, re.MULTILINE):
                self.assertRegex(shown, rf"  --(\[no\])?{flag}\b")

    def test_units_give_requests_time_to_end(self):
        for name in UNITS:
            unit = self.unit(name)
            self.assertEqual(unit["Restart"], ["on-failure"])
            self.assertEqual(unit["User"], ["hybridserve"])
            conf = re.search(r"--config=(\S+)", unit["ExecStart"][0])[1]
            text = (self.root / conf.lstrip("/")).read_text()
            drain = re.search(r"^drain_timeout = (\S+)$", text, re.MULTILINE)
            self.assertGreater(seconds(unit["TimeoutStopSec"][0]),
                               seconds(drain[1]) + 10)

    def test_systemd_understands_the_units_and_finds_them_closed(self):
        if not shutil.which("systemd-analyze"):
            print("SKIPPED: no systemd-analyze here")
            self.skipTest("no systemd-analyze")
        for name in UNITS:
            path = self.root / "lib/systemd/system" / f"{name}.service"
            # The program is looked for on this machine.
            copy = self.scratch / f"{name}.service"
            copy.write_text(path.read_text().replace(
                "ExecStart=/usr/bin", f"ExecStart={self.root}/usr/bin"))
            env = {**os.environ, "SYSTEMD_UNIT_PATH":
                   f"{self.scratch}:/lib/systemd/system"}
            result = subprocess.run(
                ["systemd-analyze", "verify", "--man=no",
                 "--recursive-errors=no", str(copy)],
                capture_output=True, text=True, env=env)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            result = subprocess.run(
                ["systemd-analyze", "security", "--offline=yes", "--no-pager",
                 f"--threshold={round(10 * MAX_EXPOSURE[name])}", str(copy)],
                capture_output=True, text=True, env=env)
            print(name, re.findall(r"Overall exposure.*", result.stdout))
            self.assertEqual(result.returncode, 0,
                             result.stdout[-2000:] + result.stderr)

    def test_the_same_programs_give_the_same_package(self):
        again = self.scratch / "again"
        subprocess.run(
            [str(REPOSITORY / "tools" / "build_deb.sh"),
             f"--programs={PROGRAMS_ROOT}", str(again)], check=True,
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        self.assertEqual((again / self.deb.name).read_bytes(),
                         self.deb.read_bytes())


if __name__ == "__main__":
    PROGRAMS_ROOT = str(pathlib.Path(sys.argv.pop(1)).absolute())
    unittest.main()
