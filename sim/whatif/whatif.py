"""From a recording and what to change in it to a comparison of the two runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.kernel.journal import Sink
from core.kernel.rng import stream
from sim.latency import Constant, Sampler, sampler
from sim.results.summary import summarise
from sim.results.tables import build_tables
from sim.whatif.answers import Answers, Tally
from sim.whatif.comparison import Baseline, Comparison
from sim.whatif.fairness import compare_fairness
from sim.whatif.guests import invite, telling_of, with_tokens
from sim.whatif.how import describe
from sim.whatif.orders import OrderBook
from sim.whatif.pairing import Side, paired_orders, paired_solvers, spread
from sim.whatif.recording import read_recording
from sim.whatif.replacement import replacements
from sim.whatif.rerun import Rerun, check_baseline
from sim.whatif.script import script
from sim.whatif.settings import change
from sim.whatif.speech import Speech


class WhatIf:
    """A recording and what is to be different in it. `compare` runs it, once `baseline` has shown that it can be run.

    Raises InputError for what cannot be read or cannot change, and JournalDamaged for a journal that is not whole.
    """

    def __init__(self, path: Path, overrides: Sequence[str] = (), replaced: Sequence[str] = ()) -> None:
        self.recording = recording = read_recording(path)
        solvers = [solver.id for solver in recording.config.solvers]
        names = {text.partition("=")[0] for text in replaced}
        self.changed = change(recording.config, overrides, [name for name in solvers if name not in names])
        self.guests = replacements(replaced, recording.config, list(self.changed.delays))
        self.tellings = {guest.name: telling_of(path, recording, guest) for guest in self.guests}
        self.replaced = frozenset(self.tellings)
        self.speech = Speech(recording, self._renumbered())
        self.held = {name: self.changed.delays.get(name, 0) for name in solvers if name not in self.replaced}

    @property
    def unchanged(self) -> bool:
        """Nothing is to be different, so that the rerun is the recording, byte for byte."""
        return not self.changed.changes and not self.guests

    def baseline(self) -> Baseline:
        """Run the recording again with nothing changed. Raises ReplayDiverged when anything comes out otherwise."""
        recording = self.recording
        digest = check_baseline(recording, recording.config)
        return Baseline(recording.source, recording.chain.count, recording.externals, digest)

    def compare(self, baseline: Baseline, sink: Sink | None = None) -> Comparison:
        """Run it with the changes, its journal going to `sink`, and put both runs side by side.

        Raises FactViolated when a checker objects, and ComponentFailed for a bug.
        """
        rerun, tally = self._rerun(sink)
        before = Side(self.recording.notes, self.recording.config, self._renumbered())
        after = Side(rerun.notes, rerun.config, self._renumbered())
        orders = paired_orders(before, after)
        tables = build_tables(self.recording.notes), build_tables(rerun.notes)
        policies = self.recording.config.sequencer.ordering, rerun.config.sequencer.ordering
        return Comparison(
            baseline=baseline,
            how=describe(self, tally),
            digest=rerun.journal.digest(),
            deliveries=rerun.journal.count,
            before=summarise(tables[0]),
            after=summarise(tables[1]),
            orders=orders,
            solvers=paired_solvers(before, after, [solver.id for solver in rerun.config.solvers]),
            spread=spread(orders),
            fairness=compare_fairness(policies, *tables),
        )

    def _rerun(self, sink: Sink | None) -> tuple[Rerun, Tally]:
        recording = self.recording
        if self.unchanged:
            again = Rerun(recording, recording.config, recording.tape(recording.cues), sink=sink)
            again.run(recording.ended)
            return again, Tally()
        tape = recording.tape(script(recording, self.speech, delays=self.changed.delays, replaced=self.replaced))
        config = with_tokens(self.changed.config, self.guests)
        rerun = Rerun(recording, config, tape, sink=sink, latency=self._latency)
        answers = Answers(
            self.speech,
            OrderBook(config.pairs, self._renumbered()),
            tape,
            post=rerun.venue.post,
            held=self.held,
            seed=recording.header.seed,
        )
        rerun.hear = answers.hear
        for guest in self.guests:
            invite(rerun, guest, self.tellings[guest.name])
        rerun.run(recording.ended)
        return rerun, answers.tally

    def _renumbered(self) -> list[str]:
        return [guest.name for guest in self.guests if guest.params is None]

    def _latency(self, src: str, dst: str) -> Sampler:
        span = next(guest.latency for guest in self.guests if guest.name in (src, dst))
        return sampler(Constant(span), stream(self.recording.header.seed, f"link.{src}>{dst}"))
