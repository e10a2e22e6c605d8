"""Options, the marker, and conformance checks among the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.pytest_plugin.loop_scope import is_asynchronous

if TYPE_CHECKING:
    from emulator.pytest_plugin.suite import Asked, Suite

_TARGET, _CHECKS, _STRICT = "cosem_target", "cosem_checks", "cosem_strict"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cosemlab", "DLMS/COSEM conformance checks")
    group.addoption(
        "--cosem-target",
        dest=_TARGET,
        metavar="URL|FILE",
        help="run conformance checks as tests against this meter: the file of its declaration, or"
        " whatever a plug-in takes",
    )
    group.addoption(
        "--cosem-checks",
        dest=_CHECKS,
        action="append",
        default=[],
        metavar="PATTERN",
        help="only these checks: an id, a group or a pattern of ids; may be given several times",
    )
    group.addoption(
        "--cosem-strict",
        dest=_STRICT,
        action="store_true",
        help="an answer that is accepted although it is not the right one fails the check",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from emulator.pytest_plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "cosemlab(profiles=[...], ways=[...], seed=..., at=...): which meters the test has; by what"
        " ways besides TCP and TLS (udp, hdlc, line, optical); what their keys and faults come"
        " from; what time it is for them",
    )
    if is_asynchronous(config):
        from emulator.pytest_plugin import asynchronous

        config.pluginmanager.register(asynchronous, "cosemlab-asynchronous")
    if config.getoption(_TARGET) is None:
        for name in (_CHECKS, _STRICT):
            if config.getoption(name):
                option = name.replace("_", "-")
                raise pytest.UsageError(f"--{option} goes with --cosem-target")


@pytest.hookimpl(tryfirst=True)  # before those that choose among the tests
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    target = config.getoption(_TARGET)
    if target is not None:
        from emulator.pytest_plugin.checks import collect
        from emulator.pytest_plugin.suite import Asked

        asked = Asked(
            target=target,
            patterns=tuple(config.getoption(_CHECKS)),
            strict=config.getoption(_STRICT),
        )
        items += collect(session, asked)


@pytest.hookimpl(trylast=True)
def pytest_cosem_suite(config: pytest.Config, asked: Asked) -> Suite | None:
    from emulator.pytest_plugin.opening import open_suite

    return open_suite(asked)


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.getoption(_TARGET) is not None:
        from emulator.pytest_plugin.checks import close

        close(config)
