"""Which tools this service really runs.  Whatever is not here is answered "not available yet"."""

from studio_tools.tool import Tool, Tools
from studio_tools.tools import (
    api_designer,
    catalog,
    cicd,
    lineage,
    noop,
    pipelines,
    quality,
    risk_register,
    security,
    security_metrics,
    threat_modeling,
)

PRODUCTION = "studio_tools.registry:tools"
WITH_NOOP = "studio_tools.registry:tools_with_noop"


def tools() -> Tools:
    return _by_id(
        api_designer.TOOL,
        cicd.TOOL,
        security.TOOL,
        risk_register.TOOL,
        security_metrics.TOOL,
        threat_modeling.TOOL,
        catalog.TOOL,
        lineage.TOOL,
        pipelines.TOOL,
        quality.TOOL,
    )


def tools_with_noop() -> Tools:
    """With the tool that does nothing: it measures the road, not the work.  Never in production."""
    return {**tools(), noop.TOOL.id: noop.TOOL}


def _by_id(*known: Tool) -> Tools:
    return {tool.id: tool for tool in known}
