"""`python -m tests.proof NAME`: everything that must hold of one part, with its figures.

The last line is `proof NAME: N passed, N failed`; exit 1 when anything failed. What cannot
run on this machine is said before it.
"""

import sys

import pytest

PROOFS = {
    "domain": (
        "tests/unit/domain",
        "tests/unit/ledger",
        "tests/contract/test_golden.py",
        "tests/contract/test_compatibility.py",
        "tests/contract/test_recorded.py",
        "tests/simulation/test_port.py",
        "tests/simulation/test_owner_scenes.py",
        "tests/simulation/test_books.py",
        "tests/simulation/test_simulation.py",
        "tests/integration/test_log_port.py",
        "tests/integration/test_ledger_snapshots.py",
        "tests/proofs/test_mutants.py",
        "tests/proofs/test_long_run.py",
    ),
    "people": (
        "tests/integration/test_gateway_access.py",
        "tests/integration/test_gateway_sign_in.py",
        "tests/integration/test_gateway_own.py",
        "tests/integration/test_gateway_openid.py",
        "tests/integration/test_gateway_team_keys.py",
        "tests/integration/test_gateway_acting.py",
        "tests/integration/test_gateway_matrix.py",
        "tests/integration/test_gateway_live.py",
        "tests/unit/notifier",
        "tests/integration/test_notifier.py",
        "tests/integration/test_gateway_notifications.py",
        "tests/integration/test_gateway_embed.py",
        "tests/proofs/test_embedding_in_browser.py",
        "tests/proofs/test_gateway_live_delay.py",
        "tests/proofs/test_live_in_browser.py",
        "tests/integration/test_gateway_pages.py",
        "tests/integration/test_gateway_pages_forms.py",
        "tests/integration/test_gateway_pages_tools.py",
        "tests/integration/test_gateway_staff.py",
        "tests/integration/test_gateway_staff_actions.py",
        "tests/integration/test_gateway_pages_gifts.py",
        "tests/integration/test_gateway_pages_teams.py",
        "tests/e2e/test_gift_story.py",
        "tests/e2e/test_pages_story.py",
        "tests/proofs/test_pages_journey.py",
        "tests/proofs/test_pages_speed.py",
        "tests/proofs/test_pages_axe.py",
        "tests/proofs/test_pages_checks.py",
        "tests/proofs/test_gateway_zones.py",
        "tests/proofs/test_gateway_fuzzed.py",
    ),
    "payments": (
        "tests/unit/payments",
        "tests/unit/stripe_double",
        "tests/unit/engine",
        "tests/simulation/test_payments_life.py",
        "tests/contract/test_payments_requests.py",
        "tests/contract/test_stripe_names.py",
        "tests/integration/test_stripe_double.py",
        "tests/integration/test_payments_signatures.py",
        "tests/integration/test_payments_purchase.py",
        "tests/integration/test_payments_weaknesses.py",
        "tests/integration/test_payments_reversals.py",
        "tests/integration/test_payments_topping.py",
        "tests/integration/test_payments_speed.py",
        "tests/integration/test_payments_outages.py",
        "tests/integration/test_payments_killed.py",
        "tests/integration/test_payments_baton.py",
        "tests/e2e/test_buying.py",
        "tests/e2e/test_buying_in_browser.py",
        "tests/e2e/test_money_back.py",
    ),
}


FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Count:
    """Counts what pytest reports."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        self.failed += report.failed
        self.skipped += report.skipped

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.failed += report.failed


def main(name: str) -> int:
    """Run a proof."""
    count = Count()
    ended = pytest.main(["-q", "-s", "--timeout=900", *PROOFS[name]], plugins=[count])
    if ended not in FINISHED:
        print(f"proof {name}: not finished, so nothing is proved")
        return 1
    if count.skipped:
        print(f"NOT RUN HERE: {count.skipped} (the lines above say why)")
    print(f"proof {name}: {count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
