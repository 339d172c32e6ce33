#!/usr/bin/env python3
"""The conformance suite of MCP, from npm, over stdio by a bridge, with nothing of ours between: what holds so has to hold behind a gate.

usage: mcp_conform.py AMBIT tests/peers/mcp    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

from harness import main
from mcp_peers import FOR_CLIENTS, conform_client, conform_server


def scenarios_for_servers(place):
    found = conform_server(place, place.given(1))
    assert len(found) >= 28 and all(passed and not failed for passed, failed in found.values()), found


def scenarios_for_clients(place):
    for scenario in FOR_CLIENTS:
        held, said = conform_client(place, place.given(1), scenario)
        assert held, said


if __name__ == "__main__":
    main([scenarios_for_servers, scenarios_for_clients])
