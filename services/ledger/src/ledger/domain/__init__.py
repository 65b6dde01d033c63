"""The credit domain: `decide` rules, `evolve` remembers. Pure: no clock, no I/O, no randomness."""
