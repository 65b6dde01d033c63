"""Names say what a thing is, in the words of the domain."""

import re

import contracts.commands
import contracts.events
import msgspec

from tests.tidy.sources import classes, functions, production, python, told

# They fit everything, so they say nothing.
EMPTY_WORDS = ("Manager", "Service", "Util", "Utils", "Helper", "Helpers", "Data")
ALLOWED_CLASSES = {
    "Service",  # engine.services: one entry of a process table, and exactly that
}
EMPTY_FUNCTIONS = {"process", "handle_data", "do_it", "run_all"}
EMPTY_MODULES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "data"}
# One word for one thing: what others call it → what it is called here.
GLOSSARY = {
    "wallet": "account",
    "customer": "account",
    "debit": "charge",
    "deposit": "grant",
    "voucher": "promo code",
    "cancel_reservation": "release",
    "rollback": "release",
}
# Events whose name is a state, not a participle.
STATES = {"Checkpoint", "TopUpDue", "CommandTooOld"}
PARTICIPLE = re.compile(r"(ed|Sent|Given|Set|Held|Frozen)$")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")


def _subclasses(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    return direct | {deep for one in direct for deep in _subclasses(one)}


def test_class_names_are_nouns_of_the_domain() -> None:
    faults = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in python()
        for node in classes(source)
        if node.name not in ALLOWED_CLASSES
        and {WORDS.findall(node.name.lstrip("_"))[0], WORDS.findall(node.name)[-1]}
        & set(EMPTY_WORDS)
    ]
    assert not faults, told(faults, f"None of {', '.join(EMPTY_WORDS)}; name the thing itself:")


def test_functions_and_modules_are_named_for_what_they_do() -> None:
    faults = [
        f"{source.path}:{node.lineno} {node.name}()"
        for source in production()
        for node in functions(source)
        if node.name in EMPTY_FUNCTIONS
    ]
    faults += [str(x.path) for x in production() if x.path.stem in EMPTY_MODULES]
    assert not faults, told(faults, "This name fits anything; say what it does:")


def test_one_word_for_one_thing() -> None:
    faults = [
        f"{source.path}:{node.lineno} {node.name}: we say `{ours}`"
        for source in production()
        for node in (*classes(source), *functions(source))
        for theirs, ours in GLOSSARY.items()
        if theirs in node.name.lower()
    ]
    assert not faults, told(faults, "The glossary has a word for it:")


def test_events_are_past() -> None:
    events = {x.__name__ for x in _subclasses(contracts.events.Event) if not _subclasses(x)}
    events |= {contracts.events.PartitionClaimed.__name__}
    assert len(events) > 20
    faults = sorted(
        name
        for name in events - STATES
        if not any(PARTICIPLE.search(word) for word in WORDS.findall(name))
    )
    assert not faults, told(faults, "An event says what happened (CreditsGranted):")


def test_commands_are_imperative() -> None:
    commands = {x.__name__ for x in _subclasses(contracts.commands.Command)}
    assert len(commands) > 10
    faults = sorted(name for name in commands if PARTICIPLE.search(WORDS.findall(name)[-1]))
    assert not faults, told(faults, "A command asks for something (Grant, SetControls):")


def test_durations_and_sizes_carry_their_unit() -> None:
    """On the wire, a time without a unit is the mistake that once charged a thousandfold."""
    vague = re.compile(r"(^|_)(timeout|duration|lifetime|age|delay|memory|cpu|elapsed)$")
    faults = [
        f"{struct.__name__}.{field.name}"
        for struct in _subclasses(msgspec.Struct)
        if struct.__module__.startswith("contracts.")
        for field in msgspec.structs.fields(struct)
        if vague.search(field.name) and field.type in (int, float)
    ]
    assert not faults, told(faults, "Put the unit last (duration_ms, memory_mb):")
