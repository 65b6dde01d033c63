"""Does nothing and says so: what is left of a run when the work is taken away."""

from studio_tools.tool import Tool, ToolInput, ToolOutput


class NoopInput(ToolInput, kw_only=True):
    pass


class NoopOutput(ToolOutput, kw_only=True):
    ok: bool = True


def run(given: NoopInput) -> NoopOutput:  # noqa: ARG001 - every tool has this shape
    return NoopOutput()


TOOL = Tool("noop", NoopInput, run, b"{}")
