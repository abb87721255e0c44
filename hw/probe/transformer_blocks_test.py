#!/usr/bin/env python3
"""What of transformer_blocks.py can be tested without PyTorch: its plan, its words, its files."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import transformer_blocks as blocks  # noqa: E402


def run(*words):
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = blocks.main(list(words))
        except SystemExit as e:
            code = e.code
    return code, out.getvalue(), err.getvalue()


class Blocks(unittest.TestCase):
    def test_plan_is_consistent(self):
        planned = blocks.planned(("dense", "moe", "mot"))
        self.assertEqual({b["kind"] for b in planned}, {"dense", "moe", "mot"})
        self.assertEqual(len({blocks.describe(b) for b in planned}), len(planned))
        for b in planned:
            self.assertEqual(b["heads"] * b["head_dim"], b["hidden"])
            self.assertEqual(b["heads"] % b["kv_heads"], 0)
            self.assertEqual(b["kind"] == "moe", b["experts"] > 0)
            self.assertEqual(b["kind"] == "mot", b["modalities"] > 0)

    def test_dry_run_prints_blocks_and_needs_nothing(self):
        code, out, err = run("--dry-run", "--kind", "mot")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("mot batch=1 length=4096", out)
        self.assertNotIn("dense", out)
        self.assertTrue(out.endswith("blocks planned, none run\n"))

    def test_wrong_words_are_refused_with_the_rule(self):
        for words, said in (((), "-o FILE is needed"), (("--dry-run", "--kind", "mta"), "mta"),
                            (("-o", "x", "--samples", "2"), "from 3 to 10000, found 2"),
                            (("-o", "x", "--seed", "-1"), "at least 0, found -1")):
            code, _, err = run(*words)
            self.assertEqual(code, 2)
            self.assertIn(said, err)

    def test_files_are_whole_or_absent(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.json")
            blocks.write_whole(path, {"points": [1]})
            with self.assertRaises(ValueError):
                blocks.write_whole(path, {"points": [float("nan")]})
            with open(path, encoding="utf-8") as f:
                self.assertEqual(json.load(f), {"points": [1]})
            self.assertEqual(os.listdir(folder), ["out.json"])

    def test_spread_is_the_interquartile_range(self):
        self.assertEqual(blocks.spread([1, 2, 3, 4, 5]), 2)


if __name__ == "__main__":
    unittest.main()
