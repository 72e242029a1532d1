//! The pure heart: events, addresses, and the fold that turns a journal into state (SPEC 1, 7). Does no IO.
