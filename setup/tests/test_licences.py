"""How a licence expression is judged."""

import unittest

from licences import is_allowed

ALLOWED = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"]


class Expressions(unittest.TestCase):
    def test_of_alternatives_one_is_enough(self):
        self.assertTrue(is_allowed("GPL-3.0 OR MIT", ALLOWED))
        self.assertTrue(is_allowed("Unlicense/MIT", ALLOWED))
        self.assertTrue(is_allowed("Apache-2.0 / MIT", ALLOWED))
        self.assertFalse(is_allowed("GPL-3.0 OR LGPL-2.1", ALLOWED))

    def test_of_a_sum_all_are_needed(self):
        self.assertTrue(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0", ALLOWED))
        self.assertFalse(is_allowed("MIT AND GPL-3.0", ALLOWED))

    def test_and_binds_closer_than_or(self):
        self.assertTrue(is_allowed("MIT OR MIT AND GPL-3.0", ALLOWED))
        self.assertFalse(is_allowed("(MIT OR MIT) AND GPL-3.0", ALLOWED))

    def test_an_exception_is_a_licence_of_its_own(self):
        self.assertTrue(is_allowed("Apache-2.0 WITH LLVM-exception", ALLOWED))
        self.assertFalse(is_allowed("MIT WITH LLVM-exception", ALLOWED))

    def test_nothing_and_nonsense_are_refused(self):
        for expression in ("", "none", "MIT)", "(MIT", "MIT Apache-2.0"):
            self.assertFalse(is_allowed(expression, ALLOWED), expression)


if __name__ == "__main__":
    unittest.main()
