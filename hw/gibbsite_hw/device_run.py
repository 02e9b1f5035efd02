"""A run as its shell sees it: what is counted goes to the books, its end to the responder."""

from amaranth.hdl import Signal

__all__ = ["connect_counters", "end_run"]


def connect_counters(engine, books, counters):
    """The statements by which ``engine``'s ``counters``, by name, are events of ``books``."""
    return [
        getattr(books, f"event{n}").eq(getattr(engine, name)) for n, name in enumerate(counters)
    ]


def end_run(m, engine, books, responder):
    """``responder`` ends the run once all that was counted is in the books: when the counters
    went round twice. Returns the turn they are in, a bit each; 0: none is ending."""
    turns = Signal(2)
    with m.If(engine.finished):
        m.d.sync += [turns.eq(1), responder.aborted.eq(engine.aborted)]
    with m.Elif(books.turned):
        m.d.sync += turns.eq(turns << 1)
    m.d.comb += responder.finished.eq(turns[1] & books.turned)
    return turns
