"""What a reader narrows a board to: environment, service and instance, each within the one before.

A target without the label ``environment`` is watched all the same: it is part of "all".
"""

from __future__ import annotations

from dashboards.spec import Variable
from watchkeeper.catalogue import Metric

ENVIRONMENT = 'environment=~"$environment"'
SERVICE = f'{ENVIRONMENT}, service=~"$service"'
INSTANCE = f'{SERVICE}, instance=~"$instance"'
MACHINE = f'{ENVIRONMENT}, instance=~"$instance"'
"""For what belongs to a machine rather than to a service."""

ANYWHERE = {"environment": ".*", "service": ".*", "instance": ".*"}
"""What fills the choices when nobody narrows anything."""


def environment(metric: Metric) -> Variable:
    """Return the choice of an environment among those ``metric`` is seen in."""
    return Variable("environment", "Environment", metric, "environment", is_optional=True)


def of_service(metric: Metric) -> tuple[Variable, ...]:
    """Return the choices environment and service."""
    service = Variable("service", "Service", metric, "service", within=ENVIRONMENT)
    return environment(metric), service


def of_instance(metric: Metric) -> tuple[Variable, ...]:
    """Return the choices environment, service and instance."""
    return *of_service(metric), Variable("instance", "Instance", metric, "instance", within=SERVICE)


def of_machine(metric: Metric) -> tuple[Variable, ...]:
    """Return the choices environment and instance."""
    machine = Variable("instance", "Machine", metric, "instance", within=ENVIRONMENT)
    return environment(metric), machine
