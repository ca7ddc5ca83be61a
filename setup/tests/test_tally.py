"""The count of tests is itself tested: a runner must not be able to fail unnoticed."""

import unittest

from tally import counted


def count(text, exit_code=0):
    result = counted(text, exit_code)
    return result.passed, result.failed, result.skipped


class EachRunner(unittest.TestCase):
    def test_cargo_binaries_are_added_up(self):
        text = (
            "test result: ok. 412 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.02s\n"
            "test result: FAILED. 30 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 40s\n"
        )
        self.assertEqual(count(text, 101), (442, 1, 2))

    def test_vitest_counts_tests_and_not_files(self):
        text = " Test Files  1 failed | 3 passed (4)\n      Tests  2 failed | 40 passed | 1 skipped (43)\n"
        self.assertEqual(count(text, 1), (40, 2, 1))

    def test_vitest_colours_do_not_hide_the_count(self):
        text = "\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m7 passed\x1b[39m\x1b[22m\x1b[90m (7)\x1b[39m\n"
        self.assertEqual(count(text), (7, 0, 0))

    def test_pytest(self):
        self.assertEqual(count("==== 1 failed, 12 passed, 3 skipped in 2.11s ====\n", 1), (12, 1, 3))
        self.assertEqual(count("12 passed in 0.20s\n"), (12, 0, 0))

    def test_unittest(self):
        self.assertEqual(count("Ran 9 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n", 1), (6, 3, 0))
        self.assertEqual(count("Ran 9 tests in 0.1s\n\nOK (skipped=2)\n"), (7, 0, 2))

    def test_lines_of_single_checks(self):
        self.assertEqual(count("ok - a\nnot ok - b\nok - c # SKIP no engine\n", 1), (1, 1, 1))

    def test_the_plain_closing_line(self):
        self.assertEqual(count("e2e: 14 passed, 0 failed\n"), (14, 0, 0))


class Distrust(unittest.TestCase):
    def test_a_bad_end_without_a_named_failure_is_one(self):
        self.assertEqual(count("error: could not compile `midan`\n", 101), (0, 1, 0))
        self.assertEqual(count("ok - a\nKilled\n", 137), (1, 1, 0))

    def test_a_good_end_without_a_test_is_a_failure(self):
        self.assertEqual(count("nothing to do\n"), (0, 1, 0))

    def test_a_suite_that_was_skipped_whole_is_none(self):
        self.assertEqual(count("ok - models # SKIP no training environment\n"), (0, 0, 1))


if __name__ == "__main__":
    unittest.main()
