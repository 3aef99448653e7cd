"""`hybridserve top` against a live server, on a terminal and without.

Usage: top_test.py PROGRAMS_ROOT
"""

import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import unittest

from tests.e2e.processes import Cluster, Programs, run_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
ENTER = "\x1b[?1049h\x1b[?25l"
LEAVE = "\x1b[?25h\x1b[?1049l"


class TopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(PROGRAMS, [[
            f"--model_dir={MODEL}", "--device_memory=min",
            "--link_bandwidth=50MB/s"]])
        cls.addClassCleanup(cls.cluster.__exit__)

    def keep_busy(self) -> None:
        """Requests all the time, until the test ends."""
        done = threading.Event()

        def generate():
            while not done.is_set():
                self.cluster.client("generate", "--token_ids=5,6",
                                    "--max_tokens=200", "--ignore_eos")

        thread = threading.Thread(target=generate)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(done.set)

    def top(self, *flags: str, **options) -> subprocess.CompletedProcess:
        return run_client(PROGRAMS, "top", f"--server={self.cluster.address}",
                          *flags, **options)

    def test_one_frame_as_text(self):
        frame = self.top("--once", "--interval=200ms",
                         env={"COLUMNS": "140"}).stdout
        lines = frame.splitlines()
        self.assertRegex(
            lines[0], rf"^hybridserve top  {self.cluster.address}  last ")
        self.assertNotIn("\x1b", frame)
        self.assertLessEqual(max(map(len, lines)), 140)
        self.assertIn("0 running, 0 waiting", frame)
        for part in ("queue ", "link ", "compute ", "copy-out ", "host ",
                     "worker 1  ready  ", "pre_norm on ", "half-slots free"):
            self.assertIn(part, frame)

    def test_one_frame_as_json_shows_what_goes_on(self):
        self.keep_busy()
        deadline = time.monotonic() + 60
        while True:
            frame = json.loads(self.top("--once", "--interval=500ms",
                                        "--output=json").stdout)
            worker, = frame["workers"]
            # Between two requests there may be nothing.
            if worker["running"] and worker["generated_tokens_per_s"] > 0:
                break
            self.assertLess(time.monotonic(), deadline, frame)
        self.assertAlmostEqual(frame["elapsed_s"], 0.5, delta=0.5)
        self.assertEqual(frame["queue"]["running"], 1)
        self.assertEqual(worker["state"], "ready")
        self.assertGreater(worker["link_busy"], 0)
        self.assertLessEqual(worker["link_busy"], 1)
        self.assertGreater(worker["compute_busy"], 0)
        self.assertGreater(worker["link_bytes_per_s"]["weight"], 0)
        self.assertGreater(worker["step_s"], 0)
        self.assertEqual(frame["generated_tokens_per_s"],
                         worker["generated_tokens_per_s"])
        self.assertTrue(any(pool["kv_blocks"] + pool["act_blocks"] > 0
                            for pool in worker["pools"]))

    def test_without_a_terminal_frames_follow_each_other(self):
        process = subprocess.Popen(
            [PROGRAMS.client, "top", f"--server={self.cluster.address}",
             "--interval=100ms"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        frames = 0
        for line in process.stdout:
            self.assertNotIn("\x1b", line)
            frames += line.startswith("hybridserve top")
            if frames == 3:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(process.wait(60), 0)

    def test_on_a_terminal_it_is_redrawn_and_ctrl_c_restores_it(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        rows, columns = 12, 60
        fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen(
            [PROGRAMS.client, "top", f"--server={self.cluster.address}",
             "--interval=100ms"], stdin=theirs, stdout=theirs,
            start_new_session=True,
            # The terminal's own Ctrl-C goes to who has it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.addCleanup(process.kill)
        os.close(theirs)
        shown = ""
        deadline = time.monotonic() + 60
        interrupted = False
        while True:
            self.assertLess(time.monotonic(), deadline, shown)
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                more = os.read(ours, 65536)
            except OSError:  # The other end is closed.
                break
            if not more:
                break
            shown += more.decode("utf-8", errors="ignore")
            if shown.count("\x1b[H") >= 3 and not interrupted:
                interrupted = True
                os.write(ours, b"\x03")
        self.assertEqual(process.wait(60), 0)
        self.assertTrue(shown.startswith(ENTER), shown[:40])
        self.assertTrue(shown.endswith(LEAVE), shown[-40:])
        frames = shown[len(ENTER):-len(LEAVE)].split("\x1b[H")[1:]
        for frame in frames[:2]:  # In later ones the terminal echoes "^C".
            lines = frame.replace("\x1b[K", "").replace("\x1b[J", "").split(
                "\r\n")
            self.assertLessEqual(len(lines), rows)
            self.assertLessEqual(max(len(line.rstrip("\r")) for line in lines),
                                 columns)
            self.assertIn("hybridserve top", lines[0])

    def test_a_server_that_is_gone_is_an_error(self):
        result = run_client(PROGRAMS, "top", "--server=127.0.0.1:1", "--once",
                            check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"^hybridserve: UNAVAILABLE")

    def test_wrong_usage_names_the_flag(self):
        for flags, word in ((["--interval=1ms"], "--interval"),
                            (["--output=xml"], "--output")):
            result = self.top(*flags, check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn(word, result.stderr.splitlines()[0])


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
