"""A comparison in words: what was done, what came of it and why, as lines with labels. The report has them too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, TypeAlias

from sim.results.layout import labelled
from sim.results.summary import PairSummary, money
from sim.whatif.comparison import Baseline, Comparison
from sim.whatif.fairness import Fairness
from sim.whatif.pairing import Spread
from sim.whatif.rows import Cause, PairedParticipant, PairedSolver

Lines: TypeAlias = list[tuple[str, str]]
"""Each with its label; a text may have several lines."""

_WORDS: Final[dict[Cause, str]] = {
    Cause.ADMISSION: "not accepted alike in both runs",
    Cause.BID_REFUSED: "the winning bid of {solver} does not count now",
    Cause.BID_COUNTS: "a bid of {solver} that did not count does now, and wins",
    Cause.NOT_BID: "{solver}, which won, does not bid now",
    Cause.NEW_BID: "{solver}, which had not bid, wins",
    Cause.OTHER_TERMS: "the bid of {solver} has other terms",
    Cause.OUTRANKED: "{solver} is ranked first of the same bids",
    Cause.PAYMENT: "the same bid of {solver} wins, at other amounts",
    Cause.DEFAULTED: "{solver} does not pay now",
    Cause.PAID: "{solver} pays now",
    Cause.LATER_AUCTION: "awarded to {solver} in an auction that only one of the runs has it in",
    Cause.END: "the same trades, but another end",
}
_CAUSES_SHOWN: Final = 8
_LABEL_WIDTH: Final = 12


def baseline_lines(baseline: Baseline) -> Lines:
    """The proof that the recording is understood."""
    again = f"{baseline.deliveries:,} deliveries from {baseline.externals:,} external events"
    return [("recording", baseline.source), ("baseline", f"{again}, digest {baseline.digest} as recorded")]


def how_lines(comparison: Comparison) -> Lines:
    """Mode, changes, and what was held fixed."""
    how = comparison.how
    changes = [f"{change.path}: {change.before} -> {change.after}" for change in how.changes]
    return [
        ("mode", how.mode),
        ("changed", "\n".join([*changes, *how.replaced]) or "nothing"),
        *((label, "\n".join(lines)) for label, lines in _accounts(comparison) if lines),
    ]


def outcome_lines(comparison: Comparison) -> Lines:
    """What came of it: orders, causes, totals, solvers."""
    before, after, changed = comparison.before, comparison.after, len(comparison.changed)
    lines = [("orders", f"{len(comparison.orders):,}: {len(comparison.orders) - changed:,} as before, {changed:,} not")]
    causes = list(cause_lines(comparison))
    if causes:
        rest = len(causes) - _CAUSES_SHOWN
        lines.append(("because", "\n".join(causes[:_CAUSES_SHOWN] + ([f"and {rest} causes more"] if rest > 0 else []))))
    return [
        *lines,
        ("fill rate", f"{before.fill_rate:.1%} -> {after.fill_rate:.1%}"),
        ("defaults", f"{before.defaulted:,} -> {after.defaulted:,}"),
        ("surplus", "\n".join(_pair_lines(before.pairs, after.pairs)) or "none: no orders"),
        (
            "per order",
            f"{_interval(comparison.spread)}, over the {comparison.spread.orders:,} that traded in both runs",
        ),
        ("solvers", "\n".join(map(_solver_line, comparison.solvers))),
        ("ordering", "\n".join(_fairness_lines(comparison.fairness))),
        ("digest", f"{comparison.digest} of the rerun, {comparison.deliveries:,} deliveries"),
    ]


def cause_lines(comparison: Comparison) -> Iterator[str]:
    """How many orders came out otherwise for which reason; codes in brackets."""
    for cause, solver, reason, count in comparison.causes():
        codes = f"{cause}: {reason}" if reason else cause
        yield f"{count:,} {_WORDS[Cause(cause)].format(solver=solver)} ({codes})"


def as_text(lines: Iterable[tuple[str, str]]) -> str:
    """Labels and their lines, in two columns."""
    return labelled(lines, _LABEL_WIDTH)


def places(lost: float | None) -> str:
    """How many places were lost, or, below zero, gained."""
    return "none" if lost is None else f"{lost:+z.1f}"


def _accounts(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    yield "held fixed", comparison.how.held
    yield "made anew", comparison.how.anew
    yield "limits", comparison.how.limits


def _pair_lines(before: list[PairSummary], after: list[PairSummary]) -> Iterator[str]:
    """Both lists are in order of their pairs; a pair in which nobody ordered is in neither."""
    now = {pair.symbol: pair for pair in after}
    then = {pair.symbol: pair for pair in before}
    for symbol in dict.fromkeys([*then, *now]):
        old, new = then.get(symbol), now.get(symbol)
        quote = (old or new or before[0]).quote_token
        was, is_now = old.surplus if old else Decimal(0), new.surplus if new else Decimal(0)
        bps = f"{old.surplus_bps if old else 0:.2f} -> {new.surplus_bps if new else 0:.2f} bps"
        yield f"{symbol}  {money(was)} -> {money(is_now)} {quote} ({money(is_now - was)}), {bps}"


def _interval(spread: Spread) -> str:
    return f"{spread.mean_bps:+.3f} bps, give or take {spread.half_width_bps:.3f} (95 %)"


def _solver_line(row: PairedSolver) -> str:
    awards = f"{row.awards_before:,} -> {row.awards_after:,} awards ({row.share_before:.1%} -> {row.share_after:.1%})"
    return f"{row.solver}  {awards}, {row.defaults_before:,} -> {row.defaults_after:,} defaults"


def _fairness_lines(fairness: Fairness) -> Iterator[str]:
    then, now = fairness.before, fairness.after
    blocks = f"{then.messages:,} -> {now.messages:,} messages in {then.blocks:,} -> {now.blocks:,} blocks"
    yield f"{then.policy} -> {now.policy}: {then.inversions:,} -> {now.inversions:,} inversions of {blocks}"
    if then.displaced or now.displaced:
        far = f"{then.places_mean:.1f} -> {now.places_mean:.1f} places from it on average"
        most = f"{then.places_max:,} -> {now.places_max:,} at most"
        yield f"{then.displaced:,} -> {now.displaced:,} messages out of their order of arrival; all {far}, {most}"
        yield from map(_participant_line, fairness.participants)


def _participant_line(row: PairedParticipant) -> str:
    mean = f"{places(row.mean_before)} -> {places(row.mean_after)} places on average"
    worst = f"95 % less than {places(row.p95_before)} -> {places(row.p95_after)}"
    return f"{row.participant}  loses {mean}, {worst}"
