"""`scrip studio-tools`: run the worker, list its tools, try one without Kafka or credits."""

import asyncio
import sys
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The worker that runs the catalogue's tools.")


@app.command()
def run() -> None:
    """Run the worker: take runs from Kafka until stopped."""
    from studio_tools.main import main

    main()


@app.command()
def tools() -> None:
    """List the tools that do their work now."""
    from studio_tools import registry

    for tool in registry.tools():
        print(tool)


@app.command(name="try")
def try_tool(
    tool: Annotated[str, typer.Argument(help="the tool's id, as listed by `tools`")],
    *,
    example: Annotated[bool, typer.Option(help="use the tool's own example as input")] = False,
) -> None:
    """Run one tool under its limits, here and now: JSON in on stdin, JSON out on stdout."""
    from contracts.catalogue import bundled

    from studio_tools import registry
    from studio_tools.link import ZygoteConfig
    from studio_tools.outcomes import Completed, Limits, Outcome
    from studio_tools.runner import ToolRunner

    entry, known = bundled().tools.get(tool), registry.tools()
    if entry is None or tool not in known:
        print(f"{tool} is not among the tools: scrip studio-tools tools", file=sys.stderr)
        raise typer.Exit(4)
    given = known[tool].example if example else sys.stdin.buffer.read()
    most = entry.limits
    limits = Limits(most.cpu_ms, most.memory_mb, entry.output_kb, most.duration_ms)

    async def once() -> Outcome:
        async with ToolRunner(ZygoteConfig(registry.PRODUCTION)) as runner:
            return await runner.run(tool, given, limits)

    outcome = asyncio.run(once())
    print(outcome.usage, file=sys.stderr)
    if not isinstance(outcome, Completed):
        print(outcome, file=sys.stderr)
        raise typer.Exit(5)
    print(outcome.output.decode())
