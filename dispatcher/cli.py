"""The `dispatcher` command. Exit codes: 0 done; 1 the thing checked is not right; 2 usage."""

import rich_click as click

from dispatcher.commands.auditing import audit
from dispatcher.commands.explaining import explain_command
from dispatcher.commands.keys import keys
from dispatcher.commands.policies import policy
from dispatcher.commands.serving import api_command, up_command, worker_command
from dispatcher.commands.simulating import simulate_command
from dispatcher.commands.templates import templates


@click.group()
@click.version_option(package_name="dispatcher")
def main() -> None:
    """Reminds customers of orders they placed but have not paid."""


for _command in (
    up_command,
    api_command,
    worker_command,
    simulate_command,
    explain_command,
    policy,
    templates,
    keys,
    audit,
):
    main.add_command(_command)
