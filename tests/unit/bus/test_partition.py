"""Any client in any language finds the same partition: murmur2 as Kafka's Java client has it."""

import pytest
from bus.partition import murmur2, partition_of

# From the tests of Kafka's own client; signed, as Java says it.
JAVA = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), JAVA.items())
def test_murmur2_is_the_java_clients(key: str, signed: int) -> None:
    assert murmur2(key.encode()) == signed % (1 << 32)


@pytest.mark.parametrize(("key", "signed"), JAVA.items())
@pytest.mark.parametrize("partitions", [1, 2, 48])
def test_a_partition_is_the_positive_hash_modulo_their_number(
    key: str, signed: int, partitions: int
) -> None:
    assert partition_of(key, partitions) == (signed & 0x7FFFFFFF) % partitions


def test_keys_of_every_length_and_script_have_a_partition() -> None:
    for key in ("", "a", "ab", "abc", "abcd", "äöü", "🂡" * 16):
        assert 0 <= partition_of(key, 48) < 48


def test_accounts_spread_over_the_partitions() -> None:
    counts = [0] * 8
    for n in range(8000):
        counts[partition_of(f"acct-{n}", 8)] += 1
    assert min(counts) > 850
    assert max(counts) < 1150
