"""PostgreSQL and S3 servers from wheels, and the supervisor that runs the local stack."""

from bounty_ops.embedded.stack import Stack, StackInfo, run_stack, running_stack, start_stack
from bounty_ops.embedded.stand_ins import stand_in
from bounty_ops.embedded.throwaway import sweep_leftovers, throwaway_cluster

__all__ = [
    "Stack",
    "StackInfo",
    "run_stack",
    "running_stack",
    "stand_in",
    "start_stack",
    "sweep_leftovers",
    "throwaway_cluster",
]
